"""Animated PNG files, composed as Pillow does, and the ones that we write in other programs."""

from __future__ import annotations

import copy
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures

from helpers import pixels
from napari_ferry import FerryWarning, Image, UnreadableFileError, imload, imsave, plan
from napari_ferry.codecs.png.chunks import make_chunk
from napari_ferry.codecs.png.frame_delays import nearest_delay
from png_files import frames_with_ffmpeg, frames_with_pillow, moving_spots, save_with_pillow


def change_controls(path: Path, offset: int, value: bytes) -> None:
    """Change bytes in the control of each frame of an animation."""
    data, start = path.read_bytes(), 0
    while (start := data.find(b"fcTL", start + 1)) > 0:
        control = bytearray(data[start + 4 : start + 30])
        control[offset : offset + len(value)] = value
        data = data[: start - 4] + make_chunk(b"fcTL", bytes(control)) + data[start + 34 :]
    path.write_bytes(data)


@pytest.mark.parametrize("disposal", [0, 1, 2])
@pytest.mark.parametrize("blend", [0, 1])
@pytest.mark.parametrize("samples", [3, 4])
def test_frames_are_composed_as_by_ffmpeg(
    disposal: int, blend: int, samples: int, tmp_path: Path
) -> None:
    frames = moving_spots(samples=samples)
    path = save_with_pillow(tmp_path / "a.apng", frames, disposal=disposal, blend=blend)
    (image,) = imload(path)
    found = np.asarray(image.array)
    form = "rgba" if samples == 4 else "rgb24"
    expected = frames_with_ffmpeg(path, form, "uint8", (24, 31, samples))
    if samples == 4:  # colors without alpha have no meaning
        found, expected = (frames * (expected[..., 3:] > 0) for frames in (found, expected))
    np.testing.assert_array_equal(found[..., :samples], expected)
    for k in (5, 0, 3, 3, 1):
        np.testing.assert_array_equal(image.array[k], np.asarray(image.array)[k])


def test_parts_are_cleared_as_by_ffmpeg(tmp_path: Path) -> None:
    path = save_with_pillow(tmp_path / "a.apng", moving_spots(), disposal=0)
    change_controls(path, 24, b"\1")
    found = np.asarray(imload(path)[0].array)
    expected = frames_with_ffmpeg(path, "rgba", "uint8", (24, 31, 4))
    assert not found[3, :3].any()  # the first frame was cleared
    is_visible = expected[..., 3:] > 0
    np.testing.assert_array_equal(found * is_visible, expected * is_visible)
    np.testing.assert_array_equal(found[..., 3], expected[..., 3])


def test_semitransparent_frames_are_blended(tmp_path: Path) -> None:
    frames = [np.full((4, 4, 4), 200, np.uint8), np.full((4, 4, 4), 100, np.uint8)]
    path = save_with_pillow(tmp_path / "a.apng", frames, blend=1)
    (image,) = imload(path)
    alpha = 100 + 200 * 155 / 255
    color = (100 * 100 + 200 * 200 * 155 / 255) / alpha
    assert np.asarray(image.array[1])[0, 0].tolist() == [round(color)] * 3 + [round(alpha)]


def test_times_and_repetitions_are_read(tmp_path: Path) -> None:
    frames = moving_spots(3)
    path = save_with_pillow(tmp_path / "a.png", frames, duration=[50, 100, 60], loop=3)
    (image,) = imload(path)
    assert image.metadata["delays"] == [0.05, 0.1, 0.06]
    assert image.metadata["png"]["plays"] == 3
    assert image.axis("t").scale == pytest.approx(0.07)
    assert image.axis("t").unit == "second"


def test_a_picture_before_the_animation_is_left_out(tmp_path: Path) -> None:
    first, *frames = moving_spots(4)
    path = save_with_pillow(tmp_path / "a.png", [255 - first, *frames], default_image=True)
    (image,) = imload(path)
    np.testing.assert_array_equal(image.array, frames)


@pytest.mark.parametrize("axes", ["tyx", "tyxs"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "bool"])
def test_other_programs_show_our_frames(axes: str, dtype: str, tmp_path: Path) -> None:
    if dtype == "bool" and "s" in axes:
        return
    shape = (4, 20, 32, *((3,) if "s" in axes else ()))
    movie = pixels(shape, "uint16").astype(dtype) if dtype != "bool" else pixels(shape) % 2 > 0
    (path,) = imsave(Image.from_array(movie, axes), tmp_path / "a.apng", frame_rate=12.5)
    expected = movie * np.uint8(255) if dtype == "bool" else movie
    if dtype != "uint16":
        shown = frames_with_pillow(path, "RGB" if "s" in axes else "L")
        np.testing.assert_array_equal(shown, expected)
    if dtype == "bool":  # FFmpeg reads no animations of black and white
        return
    form = "gray" if "s" not in axes else "rgb24"
    if dtype == "uint16":
        form = {"gray": "gray16le", "rgb24": "rgb48le"}[form]
    found = frames_with_ffmpeg(path, form, str(expected.dtype), expected.shape[1:])
    np.testing.assert_array_equal(found, expected)


def test_repetitions_and_times_are_written(tmp_path: Path) -> None:
    movie = pixels((3, 8, 8), "uint8")
    for loop, plays in ((0, 0), (4, 5), (None, 1)):
        path = tmp_path / f"{plays}.apng"
        imsave(movie, path, loop=loop, frame_rate=29.97)
        with Pictures.open(path) as picture:
            assert (picture.n_frames, picture.info["loop"]) == (3, plays)
            assert picture.info["duration"] == pytest.approx(1001 / 30)


def test_a_record_survives_unless_times_are_changed(tmp_path: Path) -> None:
    movie = Image.from_array(pixels((3, 8, 8), "uint8"), "tyx", name="ours")
    (path,) = imsave(movie, tmp_path / "a.apng", frame_rate=5)
    (image,) = imload(path)
    assert (image.name, image.axis("t").scale) == ("ours", 0.2)
    image = copy.deepcopy(image)
    np.testing.assert_array_equal(image.array, movie.array)
    change_controls(path, 20, b"\0\1\0\2")
    (image,) = imload(path)
    assert (image.name, image.axis("t").scale) == ("ours", 0.5)


def test_times_without_a_rate_are_those_of_the_file(tmp_path: Path) -> None:
    movie = Image.from_array(pixels((3, 8, 8), "uint8"), "tyx", name="ours")
    (path,) = imsave(movie, tmp_path / "a.apng", frame_rate=5)
    data = path.read_bytes()
    start = data.index(b"tEXt")
    stop = start + 4 + int.from_bytes(data[start - 4 : start], "big")
    text = data[start + 4 : stop].replace(b"frame rate", b"other rate")
    path.write_bytes(data[: start - 4] + make_chunk(b"tEXt", text) + data[stop + 4 :])
    (image,) = imload(path)
    assert (image.name, image.axis("t").scale) == ("ours", 0.2)


@pytest.mark.parametrize(
    ("rate", "delay"),
    [
        (Fraction(30000, 1001), Fraction(1001, 30000)),
        (Fraction(1, 100_000), Fraction(65535)),
        (Fraction(10**6), Fraction(1, 65535)),
        (Fraction(123457, 1000), Fraction(1000, 123457).limit_denominator(65535)),
    ],
)
def test_delays_have_16_bits(rate: Fraction, delay: Fraction) -> None:
    assert nearest_delay(rate) == delay


def test_a_rate_that_cannot_be_stored_is_a_loss(tmp_path: Path) -> None:
    movie = pixels((3, 8, 8), "uint8")
    losses = plan(movie, tmp_path / "a.apng", frame_rate=100_000).losses
    assert any("nearest time" in loss for loss in losses)
    assert not plan(movie, tmp_path / "a.apng", frame_rate=29.97).losses


def test_whole_frames_of_a_truncated_animation_are_opened(tmp_path: Path) -> None:
    movie = pixels((5, 30, 40), "uint8")
    (path,) = imsave(movie, tmp_path / "a.apng", frame_rate=5)
    path.write_bytes(path.read_bytes()[:-1500])
    with pytest.warns(FerryWarning, match=r"a.apng is damaged \(it is cut off .* whole and were"):
        (image,) = imload(path)
    found = np.asarray(image.array)
    assert 2 <= len(found) < 5
    np.testing.assert_array_equal(found, movie[: len(found)])


def test_missing_frames_are_said(tmp_path: Path) -> None:
    (path,) = imsave(pixels((3, 8, 8), "uint8"), tmp_path / "a.apng", frame_rate=5)
    data = path.read_bytes()
    start = data.index(b"acTL") - 4
    changed = make_chunk(b"acTL", b"\0\0\0\7" + data[start + 12 : start + 16])
    path.write_bytes(data[:start] + changed + data[start + 20 :])
    with pytest.warns(FerryWarning, match="claims 7 frames but has 3"):
        imload(path)


def test_a_frame_outside_the_canvas_is_refused(tmp_path: Path) -> None:
    (path,) = imsave(pixels((2, 8, 8), "uint8"), tmp_path / "a.apng", frame_rate=5)
    data = path.read_bytes()
    start = data.index(b"fcTL") - 4
    control = bytearray(data[start + 8 : start + 34])
    control[4:8] = b"\0\0\0\x09"
    path.write_bytes(data[:start] + make_chunk(b"fcTL", bytes(control)) + data[start + 38 :])
    with pytest.raises(UnreadableFileError, match="frame 0 covers 9 by 8 pixels"):
        imload(path)
