"""Frame rate and playback speed of movies."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import napari_ferry
from faults import names
from helpers import make_image, pixels
from napari_ferry import Axis, Image, InvalidImageError, imload, save_video

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)
plan = partial(napari_ferry.plan, as_seen=False)


def test_the_default_frame_rate_follows_the_image(tmp_path: Path) -> None:
    for step, unit, exact in (
        (0.05, "second", Fraction(20)),
        (1001 / 30, "millisecond", Fraction(30000, 1001)),
        (0.2, "second", Fraction(5)),
        (1 / 60, "second", Fraction(60)),
        (float(np.float32(0.2)), "second", Fraction(5)),
        (2, "minute", Fraction(10)),  # too slow to watch
        (1, "millisecond", Fraction(10)),
        (2.5, None, Fraction(10)),
        (1, "day", Fraction(10)),
    ):
        image = replace(make_image("tyx", "uint8"), axes=(Axis("t", step, unit), *map(Axis, "yx")))
        imsave(image, tmp_path / "a.mp4", overwrite=True)
        with av.open(str(tmp_path / "a.mp4")) as container:
            assert container.streams.video[0].average_rate == exact
        assert imload(tmp_path / "a.mp4")[0].axes == image.axes


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.gif"])
@pytest.mark.parametrize(
    ("axis", "rate", "words"),
    [
        (Axis("t", 30, "second"), 10, "the movie plays at 10 per second, 300 x real time"),
        (Axis("t", 0.25, "second"), 10, "at 10 per second, 2.5 x real time"),
        (Axis("t", 0.001, "second"), 10, "at 10 per second, 0.01 x real time"),
        (Axis("t"), 10, "at 10 per second, which is assumed: the time between frames is not known"),
        (Axis("t", 2, "micrometer"), 10, "at 10 per second, which is assumed"),
        (Axis("z", 2, "micrometer"), 10, "at 10 per second, which is assumed"),
        (Axis("t", 0.2, "second"), 5, None),
        (Axis("t", 100, "ms"), 10, None),
        (Axis("t", 20, "ms"), 50, None),
    ],
)
def test_the_playback_speed_is_watchable_and_reported(
    name: str, axis: Axis, rate: float, words: str | None, tmp_path: Path
) -> None:
    image = Image((pixels((4, 8, 8), "uint8"),), (axis, Axis("y"), Axis("x")))
    for planner in (plan, napari_ferry.plan):
        planned = planner(image, tmp_path / name)
        assert planned.frame_rate == rate
        losses = "; ".join(planned.losses)
        assert words in losses if words else "plays" not in losses
        assert axis.name == "t" or "real time" not in losses
    asked = plan(image, tmp_path / name, frame_rate=0.5)
    assert asked.frame_rate == Fraction(1, 2)
    assert "plays" not in "; ".join(asked.losses)
    single = Image((pixels((1, 8, 8), "uint8"),), image.axes)
    assert "plays" not in "; ".join(plan(single, tmp_path / name).losses)
    imsave(image, tmp_path / name)
    (again,) = imload(tmp_path / name)  # with the time axis of the image
    assert again.axes == image.axes
    assert plan(again, tmp_path / f"b{name}").frame_rate == rate


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), 1e9, "30", True, 1e-6])
def test_invalid_frame_rates_are_refused(rate: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidImageError, match=r"frame rate is .*between 0\.0001 and 1000000"):
        save_video(tmp_path / "a.mp4", np.zeros((2, 4, 4), "u1"), rate)
    assert not names(tmp_path)
