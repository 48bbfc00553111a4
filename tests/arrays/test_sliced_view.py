"""Views that put slices off: the indexing of numpy, and what is read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_ferry.arrays import Frames
from napari_ferry.arrays.sliced_view import SlicedView, put_off_slices, without_view

DATA = np.arange(5 * 6 * 7).reshape(5, 6, 7)
SLICES = [
    (slice(None),) * 3,
    (slice(1, 4), slice(None, None, -1), slice(5, None, -2)),
    (slice(3, 1), slice(None), slice(0, 100, 3)),
    (..., slice(2, 4)),
]
KEYS: list[Any] = [
    0,
    -1,
    (1, 2, 3),
    (slice(None), 2),
    (..., 1),
    (None, 1),
    ([0, 0],),
    (slice(0, 2), [1, 0]),
    slice(0, 2),
]


def frames(read: list[int]) -> Frames:
    """Return lazy frames of DATA that note which of them are read."""

    def read_frame(i: int) -> np.ndarray:
        read.append(i)
        return DATA[i]

    return Frames(read_frame, DATA.shape, DATA.dtype, 1)


@pytest.mark.parametrize("first", SLICES)
@pytest.mark.parametrize("second", KEYS)
def test_views_are_indexed_as_numpy_arrays(first: Any, second: Any) -> None:
    view = SlicedView(frames([]))[first]
    expected = DATA[first]
    assert view.shape == expected.shape
    np.testing.assert_array_equal(view, expected)
    try:
        wanted = expected[second]
    except IndexError:
        with pytest.raises(IndexError):
            view[second]
    else:
        np.testing.assert_array_equal(view[second], wanted)


def test_only_the_wanted_frame_is_read() -> None:
    read: list[int] = []
    part = SlicedView(frames(read))[:, 1:3, 2:5]
    assert (part.shape, read) == ((5, 2, 3), [])
    np.testing.assert_array_equal(part[3], DATA[3, 1:3, 2:5])
    assert read == [3]


def test_a_view_of_all_is_undone() -> None:
    lazy = frames([])
    assert without_view(put_off_slices(lazy)) is lazy
    assert put_off_slices(DATA) is DATA
    part = SlicedView(lazy)[1:]
    assert without_view(part) is part
