"""Estimated sizes against saved files."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_ferry import Axis, Image, SaveCancelledError, run
from napari_ferry.plugin.samples import calcium_movie, moving_cells, z_stack
from napari_ferry.widgets.export.size_estimate import estimate_size
from napari_ferry.widgets.plan_summary import Request


def still(count: int) -> Image:
    """Return a movie of one frame over and over."""
    frame = np.random.default_rng(0).integers(0, 255, (96, 96), np.uint8)
    return of(np.repeat(frame[None], count, 0))


def noise(count: int) -> Image:
    return of(np.random.default_rng(0).integers(0, 255, (count, 64, 64), np.uint8))


def of(frames: Any) -> Image:
    display = {"contrast_limits": [0.0, 255.0]}
    return Image((frames,), (Axis("t"), Axis("y"), Axis("x")), name="a", display=display)


calcium, cells = cache(calcium_movie), cache(moving_cells)

MOVIES = {
    "calcium": lambda: calcium()[:1],
    "calcium and cells": calcium,
    "moving cells": cells,
    "still": lambda: [still(150)],
    "noise": lambda: [noise(100)],
}
CASES = [
    *((name, ".mp4", {}) for name in MOVIES),
    ("moving cells", ".mp4", {"quality": "small"}),
    ("moving cells", ".gif", {}),
    ("calcium", ".gif", {"step": 2}),
    ("noise", ".mkv", {}),
    ("calcium and cells", ".mp4", {"start": 3, "stop": 20}),
]


def estimate(request: Request, positions: range | None) -> tuple[int, int]:
    """Return the estimated and the true size in bytes."""
    planned = request.plan()
    guess = estimate_size(request, planned, positions, lambda: False)
    assert guess is not None
    return guess, sum(path.stat().st_size for path in run(planned))


@pytest.mark.sample(2)
@pytest.mark.parametrize(("name", "suffix", "options"), CASES)
def test_the_size_of_a_movie_is_known_within_30_percent(
    tmp_path: Path, name: str, suffix: str, options: dict[str, Any]
) -> None:
    images = tuple(MOVIES[name]())
    wanted = {"start": 0, "stop": images[0].shape[0], "step": 1, **options}
    positions = range(wanted["start"], wanted["stop"], wanted["step"])
    request = Request(images=images, path=tmp_path / f"a{suffix}", options=options)
    guess, size = estimate(request, positions)
    assert abs(guess / size - 1) < 0.3
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.slow
def test_the_size_of_compressed_data_is_known_within_30_percent(tmp_path: Path) -> None:
    image = z_stack(planes=30, frames=4)
    request = Request(images=(image,), path=tmp_path / "a.tif", options={"compression": "zlib"})
    guess, size = estimate(request, None)
    assert abs(guess / size - 1) < 0.3


def test_lossless_video_of_data_is_estimated_from_a_few_frames(tmp_path: Path, monkeypatch: Any):
    request = Request(images=(noise(300),), path=tmp_path / "a.mkv", options={}, as_seen=False)
    saved: list[int] = []

    def count(plan: Any, **options: Any) -> Any:
        saved.append(plan.nframes)
        return run(plan, **options)

    monkeypatch.setattr("napari_ferry.widgets.export.size_estimate.run", count)
    guess = estimate_size(request, request.plan(), None, lambda: False)
    assert sum(saved) <= 8
    size = sum(path.stat().st_size for path in run(request.plan()))
    assert abs(guess / size - 1) < 0.3


def test_data_of_many_axes_are_estimated_from_a_few_frames(tmp_path: Path):
    frames = np.broadcast_to(np.uint8(1), (20, 100, 3, 512, 512))
    image = Image.from_array(frames, "tzcyx")
    request = Request(images=(image,), path=tmp_path / "a.tif", options={"compression": "zlib"})
    assert estimate_size(request, request.plan(), None, lambda: False) > 0
    large = Image.from_array(np.broadcast_to(np.uint8(1), (30_000, 30_000)), "yx")
    request = Request(images=(large,), path=tmp_path / "a.tif", options={"compression": "zlib"})
    assert estimate_size(request, request.plan(), None, lambda: False) is None


def test_a_size_that_is_known_is_not_estimated(tmp_path: Path) -> None:
    request = Request(images=(noise(3),), path=tmp_path / "a.tif", options={})
    assert estimate_size(request, request.plan(), range(1), lambda: False) is None


def test_an_estimate_can_be_given_up(tmp_path: Path) -> None:
    request = Request(images=(noise(50),), path=tmp_path / "a.mp4", options={})
    with pytest.raises(SaveCancelledError):
        estimate_size(request, request.plan(), range(50), lambda: True)
