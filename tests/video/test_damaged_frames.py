"""Damaged frames: each is named by a warning or an error, and the others stay right."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from napari_ferry import FerryWarning, Image, UnreadableFileError, imload
from video_files import H264, damage_frame, make_numbered, numbered_frame

FRAMES, HIT = 24, 10


def read_each(image: Image) -> tuple[dict[int, np.ndarray], dict[int, str]]:
    """Return the frames that can be read, and what was said of each frame."""
    frames, told = {}, {}
    for i in range(image.shape[0]):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                frames[i] = np.asarray(image.array[i])
            except UnreadableFileError as error:
                told[i] = str(error)
        for warning in caught:
            told[i] = str(warning.message)
    return frames, told


@pytest.mark.filterwarnings("ignore:Frame .*:napari_ferry.FerryWarning")
@pytest.mark.parametrize(
    ("name", "options", "depends"),
    [
        ("a.avi", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "3"), False),
        ("a.mkv", ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-q:v", "3"), False),
        ("a.mkv", ("-c:v", "ffv1", "-level", "3", "-slicecrc", "1", "-g", "1"), False),
        ("a.avi", ("-c:v", "ffv1", "-level", "3", "-slicecrc", "1", "-g", "12"), True),
        ("a.avi", ("-c:v", "png"), False),
        ("a.avi", ("-c:v", "mpeg4", "-q:v", "3", "-g", "12"), True),
        ("a.mkv", ("-c:v", "mpeg2video", "-q:v", "3", "-g", "12"), True),
        ("a.mp4", (*H264, "-g", "12", "-bf", "0"), True),
        ("a.mp4", (*H264, "-g", "1"), False),
    ],
)
def test_a_damaged_frame_is_named(
    name: str, options: Sequence[str], depends: bool, tmp_path: Path
) -> None:
    whole = make_numbered(tmp_path / f"whole-{name}", *options, frames=FRAMES)
    damage_frame(whole, tmp_path / name, HIT)
    truth = np.asarray(imload(whole)[0].array)
    frames, told = read_each(imload(tmp_path / name)[0])

    wrong = {i for i in range(FRAMES) if i not in frames or (frames[i] != truth[i]).any()}
    assert HIT in wrong
    assert wrong <= set(told)
    assert all(f"Frame {i} of " in message for i, message in told.items())
    assert set(told) <= (set(range(HIT, FRAMES)) if depends else {HIT})


def test_a_damaged_first_frame_leaves_the_others(tmp_path: Path) -> None:
    whole = make_numbered(tmp_path / "whole.avi", "-c:v", "png", frames=FRAMES)
    damage_frame(whole, tmp_path / "a.avi", 0)
    (image,) = imload(tmp_path / "a.avi")
    frames, told = read_each(image)
    assert list(told) == [0]
    np.testing.assert_array_equal(frames[5], numbered_frame(5))


def test_lost_packets_do_not_end_a_transport_stream(tmp_path: Path) -> None:
    options = ("-vf", "noise=alls=60:allf=t", *H264, "-g", "8", "-bf", "2", "-qp", "10")
    whole = make_numbered(tmp_path / "whole.ts", *options, frames=120)
    truth = np.asarray(imload(whole)[0].array)
    data = whole.read_bytes()
    middle = len(data) // 2 // 188 * 188
    path = tmp_path / "lost.ts"
    path.write_bytes(data[:middle] + data[middle + 6 * 188 :])

    with pytest.warns(FerryWarning, match=r"lost\.ts is damaged: data are missing from"):
        (image,) = imload(path)
    assert image.shape[0] > 110
    frames, told = read_each(image)
    same = [i for i in frames if any(np.array_equal(frames[i], each) for each in truth)]
    assert set(range(image.shape[0])) - set(same) <= set(told)
    assert len(told) < 24
