"""Frames for the preview of a movie, without a window."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_ferry import Axis, Image, InvalidImageError
from napari_ferry.widgets.export.frame_source import FrameSource
from napari_ferry.widgets.plan_summary import Request


def movie(count: int = 6) -> Image:
    """Return a movie in gray whose frames are darker on the left than on the right."""
    frames = np.zeros((count, 32, 48), np.uint8) + np.arange(48, dtype=np.uint8) * 5
    frames[:, :, :4] = np.arange(count, dtype=np.uint8)[:, None, None] * 20
    axes = (Axis("t", 0.5, "second"), Axis("y"), Axis("x"))
    return Image((frames,), axes, name="cells", display={"contrast_limits": [0.0, 255.0]})


def request(path: Path, options: dict[str, Any], image: Image | None = None) -> Request:
    return Request(images=(image or movie(),), path=path, options=options)


def shown_frame(request: Request, position: int) -> Any:
    return FrameSource(request).encode(position)


@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".mkv"])
def test_a_preview_shows_the_requested_frame(tmp_path: Path, suffix: str):
    asked = request(tmp_path / f"a{suffix}", {"frame_rate": 5.0})
    shown = shown_frame(asked, 4).astype(int)
    assert shown.shape[:2] == (32, 48)
    gray = shown if shown.ndim == 2 else shown.mean(-1)
    error = np.abs(gray - movie().array[4])
    assert error.mean() < 2
    assert abs(gray[16, 1] - 80) < 8
    assert not list(tmp_path.iterdir())


def test_a_preview_of_a_gif_has_its_palette(tmp_path: Path):
    asked = request(tmp_path / "a.gif", {"colors": 4, "frame_rate": None})
    assert len(np.unique(shown_frame(asked, 0))) <= 4
    all_of_them = shown_frame(request(tmp_path / "a.gif", {}), 0)
    assert len(np.unique(all_of_them)) > 40


def test_a_preview_is_rendered_with_the_options(tmp_path: Path):
    plain = shown_frame(request(tmp_path / "a.mkv", {}), 0)
    larger = shown_frame(request(tmp_path / "a.mkv", {"scale": 4.0, "start": 3}), 3)
    assert larger.shape[:2] == (4 * plain.shape[0], 4 * plain.shape[1])
    assert abs(int(np.asarray(larger)[64, 4].max()) - 60) <= 1


def test_a_preview_of_a_single_picture(tmp_path: Path):
    still = Image.from_array(movie().array[2], "yx")
    assert shown_frame(request(tmp_path / "a.gif", {}, still), 0).shape[:2] == (32, 48)


def test_a_preview_fails_as_the_export_does(tmp_path: Path):
    with pytest.raises(InvalidImageError):
        shown_frame(request(tmp_path / "a.gif", {"axis": "q"}), 0)


def test_frames_outside_the_exported_range_are_shown_too(tmp_path: Path):
    source = FrameSource(request(tmp_path / "a.gif", {"start": 3, "stop": 4}))
    assert source.draw(5)[16, 1, 0] == 100


def test_playing_draws_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("napari_ferry.widgets.export.frame_source.imsave", None)
    assert FrameSource(request(tmp_path / "a.mp4", {})).draw(2).shape == (32, 48, 3)
