"""Lazy array with slicing deferred until its pixels are needed.

napari takes the visible part of all planes of a pyramid first, and the current plane of it then
(napari 0.7, `napari.layers.image._slice`): read at once, each step would read every plane.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arrays.array_protocol import Array, Closable, Shaped, close, has_lazy_slices
from napari_ferry.arrays.indexing import join_key, split_key, to_slice


class SlicedView(Shaped, Closable):
    """A part of another array; slices of it are further views, and any other index reads.

    Parameters
    ----------
    array : array
        The whole array.
    ranges : sequence of range, optional
        Indices of the part along each axis; by default all of them.
    """

    def __init__(self, array: Array, ranges: Sequence[range] | None = None) -> None:
        self.array = array
        self.ranges = tuple(map(range, array.shape) if ranges is None else ranges)
        self.shape = tuple(map(len, self.ranges))
        self.dtype = np.dtype(array.dtype)

    def __repr__(self) -> str:
        return f"SlicedView({self.array!r}, shape={self.shape})"

    def __getitem__(self, key: Any) -> Any:
        items, order = split_key(key, self.shape)
        if None not in order and all(isinstance(item, slice) for item in items):
            ranges = [each[item] for each, item in zip(self.ranges, items, strict=True)]
            return SlicedView(self.array, ranges)

        if all(isinstance(item, int | slice) for item in items):
            chosen = [each[item] for each, item in zip(self.ranges, items, strict=True)]
            own = [each if isinstance(each, int) else to_slice(each) for each in chosen]
            return np.asarray(self.array[join_key(own, order)])[()]
        return np.asarray(self)[join_key(items, order)]

    def close(self) -> None:
        """Close the whole array."""
        close(self.array)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("The pixels are not in memory: reading them makes a copy.")
        return np.asarray(self.array[tuple(map(to_slice, self.ranges))], dtype)


def put_off_slices(array: Array) -> Array:
    """Return an array with lazy slices: a view, or the array itself if its slices are lazy."""
    return array if has_lazy_slices(array) else SlicedView(array)


def without_view(array: Array) -> Array:
    """Return the array of a view of all of it, and any other array unchanged."""
    is_whole = isinstance(array, SlicedView) and array.shape == tuple(array.array.shape)
    return array.array if isinstance(array, SlicedView) and is_whole else array
