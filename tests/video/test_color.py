"""Gray levels and colors of decoded frames: bits, color tags and rotation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_ferry
from faults import names
from helpers import pixels
from napari_ferry import UnreadableFileError, imload, load_video
from napari_ferry.cli import main
from video_files import H264, ffmpeg, numbered_frame

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)


@pytest.mark.parametrize(
    ("options", "dtype", "tolerance"),
    [
        (("-pix_fmt", "yuv420p", "-c:v", "libx264", "-qp", "0"), "uint8", 1),
        (("-pix_fmt", "gray", "-c:v", "libx264", "-qp", "0"), "uint8", 0),
        (("-pix_fmt", "yuvj420p", "-c:v", "libx264", "-qp", "0"), "uint8", 0),
        (("-c:v", "ffv1"), "uint8", 0),
        (("-pix_fmt", "bgr0", "-c:v", "ffv1"), "uint8", 0),
        (("-pix_fmt", "rgb24", "-c:v", "png"), "uint8", 0),
    ],
)
def test_all_gray_levels_are_one_channel(
    options: Sequence[str], dtype: str, tolerance: int, tmp_path: Path
) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (3, 64, 1))
    pipe = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "256x64", "-r", "10", "-i", "-")
    path = tmp_path / "ramp.mkv"
    ffmpeg(*pipe, *options, path, stdin=ramp.tobytes())
    (image,) = imload(path)
    assert image.dtype == dtype
    assert image.shape == ramp.shape
    assert np.abs(np.asarray(image.array).astype(int) - ramp).max() <= tolerance


@pytest.mark.parametrize(("form", "bits"), [("gray10le", 10), ("gray12le", 12), ("gray16le", 16)])
def test_deep_gray_keeps_its_bits(form: str, bits: int, tmp_path: Path) -> None:
    data = (pixels((3, 32, 48)) >> (16 - bits)).astype("<u2")
    pipe = ("-f", "rawvideo", "-pix_fmt", form, "-s", "48x32", "-r", "10", "-i", "-")
    ffmpeg(*pipe, "-c:v", "ffv1", tmp_path / "deep.mkv", stdin=data.tobytes())
    (image,) = imload(tmp_path / "deep.mkv")
    np.testing.assert_array_equal(image.array, data)
    limits = image.display.get("contrast_limits")
    assert limits == ([0, (1 << bits) - 1] if bits < 16 else None)


def test_deep_color_fills_16_bits(tmp_path: Path) -> None:
    data = pixels((2, 32, 48, 3))
    pipe = ("-f", "rawvideo", "-pix_fmt", "rgb48le", "-s", "48x32", "-r", "10", "-i", "-")
    to = ("-c:v", "ffv1", "-pix_fmt", "gbrp16le")
    ffmpeg(*pipe, *to, tmp_path / "deep.mkv", stdin=data.tobytes())
    (image,) = imload(tmp_path / "deep.mkv")
    assert image.axis_names == ("t", "y", "x", "s")
    np.testing.assert_array_equal(image.array, data)


@pytest.mark.parametrize("matrix", ["bt709", "smpte170m"])
@pytest.mark.parametrize("span", ["tv", "pc"])
def test_colors_follow_their_tags(matrix: str, span: str, tmp_path: Path) -> None:
    colors = np.array([[250, 10, 20], [10, 240, 30], [20, 30, 250], [128, 60, 200]], np.uint8)
    frame = colors.repeat(16, 0)[None].repeat(32, 0)
    pipe = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x32", "-r", "10", "-i", "-")
    scale = f"scale=out_color_matrix={matrix}:out_range={span},format=yuv444p"
    tags = f"setparams=range={span}:colorspace={matrix}"
    path = tmp_path / "colors.mp4"
    options = ("-vf", f"{scale},{tags}", "-c:v", "libx264", "-qp", "0")
    ffmpeg(*pipe, *options, path, stdin=frame.tobytes())

    (image,) = imload(path)
    assert np.abs(image.array[0, 16, 8::16].astype(int) - colors).max() <= 4


@pytest.mark.parametrize("mirror", [(), ("-display_hflip",), ("-display_vflip",)], ids=str)
@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_rotation_is_applied(angle: int, mirror: tuple[str, ...], tmp_path: Path) -> None:
    upright = numbered_frame(341)[:, :128].copy()
    upright[:8] = 255
    pipe = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", "128x64", "-r", "5", "-i", "-")
    ffmpeg(*pipe, *H264, "-qp", "0", tmp_path / "a.mp4", stdin=upright.tobytes() * 3)
    turned = tmp_path / "b.mp4"
    matrix = ("-display_rotation", angle, *mirror)
    ffmpeg(*matrix, "-i", tmp_path / "a.mp4", "-c", "copy", turned)
    shown = tmp_path / "c.mkv"
    ffmpeg("-i", turned, "-c:v", "ffv1", "-pix_fmt", "gray", shown)  # ffmpeg turns it itself
    (image,), (truth,) = imload(turned), imload(shown)
    assert np.abs(image.array[1].astype(int) - truth.array[1].astype(int)).max() <= 2


def test_unknown_data_beside_a_frame_are_ignored(tmp_path: Path) -> None:
    """Such as the Exif tags that FFmpeg finds in TIFF and JPEG."""
    data = np.arange(64 * 128, dtype=np.uint16).reshape(64, 128)
    pipe = ("-f", "rawvideo", "-pix_fmt", "gray16le", "-s", "128x64", "-r", "5", "-i", "-")
    path = tmp_path / "a.mkv"
    ffmpeg(*pipe, "-c:v", "tiff", "-pix_fmt", "gray16le", path, stdin=data.tobytes() * 2)
    (image,) = imload(path)
    np.testing.assert_array_equal(image.array[1], data)


@pytest.fixture
def gray_but_one(tmp_path: Path) -> Path:
    """Write a video of 400 gray frames except frame 333, not checked on opening."""
    frames = np.full((400, 32, 32, 3), 90, np.uint8)
    frames[333, :, :, 0] = 200
    pipe = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "32x32", "-r", "10", "-i", "-")
    path = tmp_path / "late.mp4"
    ffmpeg(*pipe, *H264, "-g", "500", "-sc_threshold", "0", path, stdin=frames.tobytes())
    return path


def has_red(frames: Any) -> bool:
    """Return True if only frame 333 has a color."""
    found = np.asarray(frames)[[330, 333], 16, 16].astype(int)
    return bool(np.ptp(found[1]) > 80 and np.ptp(found[0]) < 10)


def test_late_colors_raise_an_error_and_open_in_color_next_time(gray_but_one: Path) -> None:
    (image,) = imload(gray_but_one)
    assert image.axis_names == ("t", "y", "x")
    with pytest.raises(UnreadableFileError, match=r"Frame 33\d of .*late.mp4 has colors.*again"):
        np.asarray(image.array)
    (again,) = imload(gray_but_one)
    assert again.axis_names == ("t", "y", "x", "s")
    assert has_red(again.array)


def test_load_video_reopens_a_file_with_late_colors(gray_but_one: Path) -> None:
    found = load_video(gray_but_one)
    assert found.shape == (400, 32, 32, 3)
    assert has_red(found)


@pytest.mark.parametrize("suffix", [".tif", ".mkv"])
def test_convert_reopens_a_file_with_late_colors(
    suffix: str, gray_but_one: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(gray_but_one), str(tmp_path / f"a{suffix}")]) == 0
    assert "late.mp4 looked gray, but later frames have colors" in capsys.readouterr().err
    (found,) = imload(tmp_path / f"a{suffix}")
    assert found.axis_names == ("t", "y", "x", "s")
    assert has_red(found.array)
    assert names(tmp_path) == [f"a{suffix}", "late.mp4"]


def test_a_save_with_late_colors_explains_the_cure(gray_but_one: Path, tmp_path: Path) -> None:
    (image,) = imload(gray_but_one)
    with pytest.raises(UnreadableFileError, match=r"has colors.* open the file again"):
        imsave(image, tmp_path / "a.gif")
    assert names(tmp_path) == ["late.mp4"]
    imsave(imload(gray_but_one)[0], tmp_path / "a.gif")
