"""Lazy arrays with parts of their axes, in another order, and with new axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arrays.array_layout import chunk_lengths
from napari_ferry.arrays.array_protocol import (
    Array,
    Chunked,
    Shaped,
    cache_bytes,
    close,
    has_lazy_slices,
)
from napari_ferry.arrays.frames import Frames, IndexedFrames
from napari_ferry.arrays.indexing import index_empty, join_key, new_axes_key, split_key, to_slice

Indices = range | tuple[int, ...]
"""Indices along an axis, a range if they are evenly spaced."""


class AxisView(Chunked):
    """An array with some of its indices and its axes in another order, without reading it.

    Parameters
    ----------
    array : array
        The whole array.
    order : sequence of int or None
        Axis of the array for each axis of the view; None for a new axis of length 1.
    indices : mapping of int to Indices, optional
        Indices of the view along axes of the array, by default all. Those of an axis that is not in
        `order` have length 1.
    """

    def __init__(
        self,
        array: Array,
        order: Sequence[int | None],
        indices: Mapping[int, Indices] | None = None,
    ) -> None:
        self.array = array
        self.order = tuple(order)
        own = indices or {}
        self.indices = tuple(own.get(axis, range(n)) for axis, n in enumerate(array.shape))
        self.shape = tuple(1 if axis is None else len(self.indices[axis]) for axis in self.order)
        self.dtype = np.dtype(array.dtype)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Length of a chunk along each axis of the view."""
        chunks = chunk_lengths(self.array)
        return tuple(1 if axis is None else self._chunk(axis, chunks[axis]) for axis in self.order)

    @property
    def lacks_checksums(self) -> bool:
        """True if the whole array lacks them."""
        return isinstance(self.array, Shaped) and self.array.lacks_checksums

    @property
    def cache_bytes(self) -> int:
        """Size of the pixel cache of the whole array, in bytes."""
        return cache_bytes(self.array)

    def _chunk(self, axis: int, chunk: Any) -> int:
        """Return the length of a chunk along an axis of the array, within the view."""
        own = self.indices[axis]
        length = max(chunk) if isinstance(chunk, tuple) else int(chunk)
        return max(1, length // abs(own.step)) if isinstance(own, range) else 1

    def __getitem__(self, key: Any) -> Any:
        items, order = split_key(key, self.shape)
        if not all(isinstance(item, int | slice) for item in items):
            empty = index_empty(items, order, self)
            return self._read_advanced(items, order) if empty is None else empty

        kept = [slice(item, item + 1) if isinstance(item, int) else item for item in items]
        chosen = list(self.indices)
        for axis, item in zip(self.order, kept, strict=True):
            if axis is not None:
                chosen[axis] = chosen[axis][item]

        pixels = self._reorder(_read(self.array, chosen))
        new = [
            item if axis is None else slice(None)
            for axis, item in zip(self.order, kept, strict=True)
        ]
        pixels = pixels[tuple(new)]
        pixels = pixels[tuple(0 if isinstance(item, int) else slice(None) for item in items)]
        added = new_axes_key(items, order)
        return pixels[added] if added else pixels

    def _reorder(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return pixels with the axes of the array as pixels with those of the view."""
        kept = [axis for axis in self.order if axis is not None]
        pixels = pixels[tuple(slice(None) if axis in kept else 0 for axis in range(pixels.ndim))]
        pixels = pixels.transpose([sorted(kept).index(axis) for axis in kept])
        return pixels[tuple(None if axis is None else slice(None) for axis in self.order)]

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


def view_axes(
    array: Array, order: Sequence[int | None], indices: Mapping[int, Indices] | None = None
) -> Array:
    """Return an array with parts of its axes in another order, without reading it.

    Parameters are those of `AxisView`. An array of numpy or dask remains one.
    """
    own = indices or {}
    is_whole = list(order) == list(range(array.ndim)) and not own
    if is_whole:
        return array
    ranges = {axis: each for axis, each in own.items() if isinstance(each, range)}
    if not has_lazy_slices(array) or len(ranges) < len(own):
        return AxisView(array, order, own)

    kept = [axis for axis in order if axis is not None]
    items = [to_slice(ranges.get(axis, range(n))) for axis, n in enumerate(array.shape)]
    part: Any = array[tuple(items)]
    part = part[tuple(slice(None) if axis in kept else 0 for axis in range(array.ndim))]
    part = part.transpose([sorted(kept).index(axis) for axis in kept])
    return part[tuple(None if axis is None else slice(None) for axis in order)]  # type: ignore[no-any-return]


def as_indices(indices: Sequence[int]) -> Indices:
    """Return indices as a range if they are evenly spaced, else as a tuple.

    >>> as_indices([0, 2, 4]), as_indices([2, 0]), as_indices([0, 1, 3])
    (range(0, 6, 2), range(2, -2, -2), (0, 1, 3))
    """
    step = indices[1] - indices[0] if len(indices) > 1 else 1
    if not indices or step == 0:
        return tuple(indices)
    spaced = range(indices[0], indices[0] + step * len(indices), step)
    return spaced if list(spaced) == list(indices) else tuple(indices)


def _read(array: Array, chosen: Sequence[Indices]) -> NDArray[Any]:
    """Read the chosen indices of each axis; unevenly spaced ones are read one by one."""
    uneven = next((k for k, each in enumerate(chosen) if not isinstance(each, range)), None)
    if uneven is not None:
        parts = [range(i, i + 1) for i in chosen[uneven]] or [range(0)]
        read = [_read(array, [*chosen[:uneven], part, *chosen[uneven + 1 :]]) for part in parts]
        return np.concatenate(read, uneven)

    ranges = [each for each in chosen if isinstance(each, range)]
    pixels = np.asarray(array[tuple(map(_to_rising, ranges))])
    falling = tuple(k for k, each in enumerate(ranges) if each.step < 0)
    return np.flip(pixels, falling) if falling else pixels


def _to_rising(indices: range) -> slice:
    """Return the slice of a range in rising order, as not every array reverses."""
    return to_slice(indices[::-1] if indices.step < 0 else indices)
