"""Lazy arrays with their axes in another order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arrays.frames import Frames, IndexedFrames
from napari_ferry.arrays.indexing import index_empty, join_key, new_axes_key, split_key
from napari_ferry.arrays.protocol import Array, close
from napari_ferry.arrays.stack import Chunked


class Transposed(Chunked):
    """An array in chunks with its axes in another order, without reading it.

    Parameters
    ----------
    array : array
        An array with chunks.
    order : sequence of int
        Axes of the array in their new order.
    """

    def __init__(self, array: Array, order: Sequence[int]) -> None:
        self.array = array
        self.order = tuple(order)
        self.shape = tuple(array.shape[axis] for axis in self.order)
        self.dtype = np.dtype(array.dtype)

    @property
    def chunks(self) -> tuple[int, ...]:
        chunks = tuple(getattr(self.array, "chunks"))  # noqa: B009 - not every array has them
        return tuple(chunks[axis] for axis in self.order)

    def __getitem__(self, key: Any) -> Any:
        items, order = split_key(key, self.shape)
        if not all(isinstance(item, int | slice) for item in items):
            empty = index_empty(items, order, self)
            return self._read_advanced(items, order) if empty is None else empty

        kept = [slice(item, item + 1) if isinstance(item, int) else item for item in items]
        inner = tuple(kept[k] for k in np.argsort(self.order))
        pixels = np.asarray(self.array[inner]).transpose(self.order)
        pixels = pixels[tuple(0 if isinstance(item, int) else slice(None) for item in items)]
        added = new_axes_key(items, order)
        return pixels[added] if added else pixels

    def _read_advanced(self, items: Sequence[Any], order: Sequence[Any]) -> Any:
        """Read the frames under index arrays, and let numpy index them."""
        lead = max(0, self.ndim - 2)
        frames = Frames(IndexedFrames(self, lead), self.shape, self.dtype, lead)
        return frames[join_key(items, order)]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[...], dtype)

    def close(self) -> None:
        """Close the array with the pixels."""
        close(self.array)
