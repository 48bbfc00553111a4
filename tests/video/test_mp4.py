"""Boxes of MP4 files, whole and cut."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from napari_ferry import FerryWarning, imload
from napari_ferry.codecs.video.mp4 import is_truncated_mp4

Made = Callable[[str], Path]


def change(path: Path, copy: Path, offset: int, value: bytes) -> Path:
    data = bytearray(path.read_bytes())
    data[offset : offset + len(value)] = value
    copy.write_bytes(data)
    return copy


@pytest.mark.parametrize("name", ["b-frames.mp4", "fragments.mp4", "b-pyramid.mkv", "jpeg.avi"])
def test_whole_files_are_whole(name: str, made: Made) -> None:
    assert not is_truncated_mp4(made(name))


def test_a_box_that_extends_to_the_end_is_whole(made: Made, tmp_path: Path) -> None:
    whole = made("intra.mp4")
    start = whole.read_bytes().index(b"moov") - 4
    path = change(whole, tmp_path / "a.mp4", start, bytes(4))
    assert not is_truncated_mp4(path)
    assert imload(path)[0].shape == (120, 64, 160)


def test_a_box_beyond_the_end_is_reported(made: Made, tmp_path: Path) -> None:
    whole = made("intra.mp4")
    start = whole.read_bytes().index(b"moov") - 4
    path = change(whole, tmp_path / "a.mp4", start, b"\xff" * 4)
    with pytest.warns(FerryWarning, match="is shorter than its header specifies; 120 frames"):
        assert imload(path)[0].shape == (120, 64, 160)


def test_bytes_after_the_last_box_are_ignored(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(made("intra.mp4").read_bytes() + b"\xff" * 64)
    assert not is_truncated_mp4(path)


@pytest.mark.parametrize("nbytes", [0, 4, 8, 12, 31])
def test_a_file_cut_within_its_first_box(nbytes: int, made: Made, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(made("intra.mp4").read_bytes()[:nbytes])
    assert is_truncated_mp4(path) == (nbytes >= 8)


def test_long_boxes_are_measured(tmp_path: Path) -> None:
    content = b"\0\0\0\1mdat" + (32).to_bytes(8, "big") + bytes(16)
    path = tmp_path / "a.mp4"
    for missing in (0, 1):
        path.write_bytes(content[: len(content) - missing])
        assert is_truncated_mp4(path) == bool(missing)
