"""Search for the parts of an array that cannot be read."""

import numpy as np
import pytest

from napari_ferry.arrays import Frames
from napari_ferry.arrays.damage_search import find_damage
from napari_ferry.errors import UnreadableFileError


def frames(damaged: set[int]) -> Frames:
    """Return frames of a megabyte, some of which cannot be read."""

    def read(i: int) -> np.ndarray:
        if i in damaged:
            raise UnreadableFileError(f"Frame {i} is damaged.")
        return np.zeros((1024, 1024), np.uint8)

    return Frames(read, (40, 1024, 1024), np.dtype(np.uint8), 1)


def test_every_part_is_counted_once_and_damaged_ones_are_named():
    counted: list[int] = []
    damaged = {0, 7, 8, 39}
    messages = list(find_damage(frames(damaged), counted.append))
    assert messages == [f"Frame {i} is damaged." for i in sorted(damaged)]
    assert sum(counted) == 40 << 20


def test_other_errors_pass_through():
    def read(i: int) -> np.ndarray:
        raise KeyError(i)

    with pytest.raises(KeyError):
        list(find_damage(Frames(read, (2, 4, 4), np.dtype(np.uint8), 1), lambda nbytes: None))
