"""Files that another program is still writing."""

import os
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from helpers import pixels
from napari_ferry.arrays.file_array import open_file_array
from napari_ferry.arrays.growth import growing_files, is_growing, warn_incomplete
from napari_ferry.arrays.stamp import Stamp, check_unchanged, refusing_changes
from napari_ferry.errors import FerryWarning, UnreadableFileError

FRAMES = pixels((4, 5, 6))
LENGTH = FRAMES.nbytes


def open_frames(path: Path):
    path.write_bytes(FRAMES.tobytes())
    return open_file_array(path, 0, FRAMES.shape, FRAMES.strides, FRAMES.dtype)


def append(path: Path, nbytes: int = 60) -> None:
    with path.open("ab") as file:
        file.write(bytes(nbytes))
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))


def test_the_context_ends_and_is_that_of_its_thread():
    seen = []
    with growing_files():
        assert is_growing()
        thread = threading.Thread(target=lambda: seen.append(is_growing()))
        thread.start()
        thread.join()
    assert seen == [False]
    assert not is_growing()


def test_incomplete_files_are_reported_unless_they_are_written():
    with pytest.warns(FerryWarning, match="half") as caught:
        warn_incomplete("half")
    assert caught[0].filename == __file__
    with growing_files(), warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_incomplete("half")


def test_a_growing_file_remains_readable_when_it_is_longer(tmp_path: Path):
    path = tmp_path / "a.bin"
    with growing_files():
        array = open_frames(path)
    for _ in range(3):
        append(path)
        assert np.array_equal(array[2], FRAMES[2])
        array.close()
        assert np.array_equal(array[3], FRAMES[3])
    array.close()


def test_any_other_file_is_refused_when_it_is_longer(tmp_path: Path):
    path = tmp_path / "a.bin"
    array = open_frames(path)
    append(path)
    with pytest.raises(UnreadableFileError, match="has changed since it was opened"):
        array[2]


@pytest.mark.parametrize("more", [0, 60])
def test_a_growing_file_is_refused_when_another_takes_its_place(more: int, tmp_path: Path):
    path, other = tmp_path / "a.bin", tmp_path / "b.bin"
    with growing_files():
        array = open_frames(path)
    other.write_bytes(bytes(LENGTH + more))
    other.replace(path)
    array.close()
    with pytest.raises(UnreadableFileError, match="has changed since it was opened"):
        array[0]


def test_a_growing_file_is_refused_when_it_is_shorter(tmp_path: Path):
    path = tmp_path / "a.bin"
    with growing_files():
        array = open_frames(path)
    os.truncate(path, LENGTH - 1)
    with pytest.raises(UnreadableFileError, match="has changed since it was opened"):
        array[0]


def status(nbytes: int, modified_ns: int) -> os.stat_result:
    return os.stat_result((0,) * 6 + (nbytes, 0, 0, 0), {"st_mtime_ns": modified_ns})


@pytest.mark.parametrize("may_grow", [False, True])
def test_stamps_match_the_same_and_growing_ones_longer_content(may_grow: bool):
    stamp = Stamp(10, 5, may_grow)
    assert stamp.matches(status(10, 5))
    assert stamp.matches(status(11, 6)) is may_grow
    assert stamp.matches(status(10, 6)) is may_grow
    assert not stamp.matches(status(9, 6))


@pytest.mark.parametrize("is_written", [False, True])
def test_files_that_grow_while_they_are_opened(is_written: bool, tmp_path: Path):
    path, absent = tmp_path / "a.bin", tmp_path / "a.json"
    path.write_bytes(b"1")

    def open_while_it_grows():
        with refusing_changes(path, absent):
            stamp = Stamp.of(path)
            append(path)
            check_unchanged(path, stamp)

    if is_written:
        with growing_files():
            open_while_it_grows()
    else:
        with pytest.raises(UnreadableFileError, match="has changed"):
            open_while_it_grows()


def test_a_file_that_appears_while_another_is_opened_is_a_change(tmp_path: Path):
    with (
        growing_files(),
        pytest.raises(UnreadableFileError, match="has changed"),
        refusing_changes(tmp_path / "a.json"),
    ):
        (tmp_path / "a.json").write_text("{}")
