"""Arrays of layers with blank frames in place of unreadable ones.

An error while napari slices a new layer leaves it in the list, half-made and not removable.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arrays import Array
from napari_ferry.arrays.array_protocol import Closable, Shaped, has_lazy_slices
from napari_ferry.arrays.indexing import join_key, split_key
from napari_ferry.arrays.read_ahead import AheadReader
from napari_ferry.errors import FerryError, warn


class BlankingArray(Shaped, Closable):
    """A lazy array whose unreadable frames are 0, each with a warning.

    The neighbors of a frame that is displayed are read ahead.

    Parameters
    ----------
    array : array
        The array to read.
    lead : int
        Number of axes before those of a frame.
    """

    def __init__(self, array: Array, lead: int) -> None:
        self.array = array
        self.lead = lead
        self._ahead = AheadReader(array, lead)
        self.shape = tuple(array.shape)
        self.dtype = np.dtype(array.dtype)

    def __repr__(self) -> str:
        return f"BlankingArray({self.array!r})"

    def __getitem__(self, key: Any) -> Any:
        try:
            return self._ahead.read(key)
        except FerryError as error:
            items, order = split_key(key, self.shape)
            axis = None if None in order else self._divisible_axis(items)
            if axis is None:
                return self._blank(key, error)
            return np.stack(
                [self[join_key(each, order)] for each in _divide(items, axis, self.shape[axis])],
                sum(isinstance(item, slice) for item in items[:axis]),
            )

    def _divisible_axis(self, items: list[Any]) -> int | None:
        """Return the first axis with several frames to read, ``None`` for one frame."""
        if not all(isinstance(item, int | slice) for item in items):
            return None
        lengths = zip(items[: self.lead], self.shape, strict=False)
        several = [isinstance(item, slice) and len(range(n)[item]) > 1 for item, n in lengths]
        return several.index(True) if any(several) else None

    def _blank(self, key: Any, error: FerryError) -> NDArray[Any]:
        """Return zeros in place of unreadable pixels."""
        warn(f"{error} It is shown blank.")
        shape = np.broadcast_to(np.zeros((), self.dtype), self.shape)[key].shape
        return np.zeros(shape, self.dtype)

    def close(self) -> None:
        """Close the wrapped array."""
        self._ahead.close()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        try:
            return np.asarray(self.array, dtype)
        except FerryError:
            return np.asarray(self[...], dtype)


def _divide(items: list[Any], axis: int, length: int) -> list[list[Any]]:
    """Return the items of a key for each index of one axis."""
    return [[*items[:axis], k, *items[axis + 1 :]] for k in range(length)[items[axis]]]


def with_blanks(array: Array, *, is_rgb: bool) -> Array:
    """Return an array for a layer, with blank frames in place of unreadable ones."""
    if has_lazy_slices(array):
        return array
    return BlankingArray(array, array.ndim - (3 if is_rgb else 2))


def without_blanks(array: Array) -> Array:
    """Return the array of a layer as it is read, to save no blank frames."""
    return array.array if isinstance(array, BlankingArray) else array
