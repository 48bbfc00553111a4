"""Identities of arrays in files: equal only for equal pixels."""

from pathlib import Path

import numpy as np
import pytest

from napari_ferry.arrays import Frames
from napari_ferry.arrays.file_array import FileArray, open_file_array
from napari_ferry.arrays.identity import source_identity
from napari_ferry.arrays.memmap import map_strided
from napari_ferry.arrays.stack import Stack, take


@pytest.fixture
def array(tmp_path: Path) -> FileArray:
    """Frames in a file."""
    np.arange(60, dtype=np.uint16).tofile(tmp_path / "a.bin")
    return open_file_array(tmp_path / "a.bin", 0, (3, 4, 5), (40, 10, 2), "u2")


def test_each_view_has_an_identity_of_its_own(array: FileArray):
    views = [array, array.take_view(0, 1), array.take_view(0, slice(1, 3)), array.transpose()]
    views += [array.view("i2"), array.reshape(12, 5), Stack([array, array]), Stack([array] * 3)]
    identities = [source_identity(view) for view in views]
    assert None not in identities
    assert len({*identities}) == len(views)


def test_a_map_has_one_unless_it_is_changed_in_memory(tmp_path: Path, array: FileArray):
    mapped = map_strided(tmp_path / "a.bin", 0, (3, 4, 5), (40, 10, 2), "u2")
    assert source_identity(mapped) == source_identity(
        map_strided(tmp_path / "a.bin", 0, (3, 4, 5), (40, 10, 2), "u2")
    )
    assert source_identity(mapped[1:]) not in (None, source_identity(mapped))
    assert source_identity(mapped + 1) is None
    assert source_identity(np.asarray(mapped)) is None


def test_a_growing_file_has_none(array: FileArray):
    array.file.stamp = array.file.stamp._replace(may_grow=True)
    assert source_identity(array) is None


class _LocalFunction:
    """A reader with a function that may do anything."""

    is_stamped = True

    def __init__(self) -> None:
        self.read = lambda i: np.zeros((4, 5))

    def __call__(self, i: int) -> np.ndarray:
        return self.read(i)


def test_local_functions_and_computed_frames_have_none(array: FileArray):
    def frame(i: int) -> np.ndarray:
        return np.asarray(array[i])

    for read in (frame, _LocalFunction(), array.__getitem__):
        assert source_identity(Frames(read, array.shape, array.dtype, 1)) is None


def test_a_slice_of_frames_of_an_unknown_array_has_none(array: FileArray):
    unknown = Frames(lambda i: np.asarray(array[i]), (3, 4, 5), "u2", 1)
    assert source_identity(take(unknown, 0, 1)) is None
