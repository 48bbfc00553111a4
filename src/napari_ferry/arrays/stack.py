"""Arrays made of other arrays without reading them: stacks, slices and steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arrays.array_protocol import Array, Closable, close, has_lazy_slices
from napari_ferry.arrays.axis_view import view_axes
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.arrays.frames import Frames, IndexedFrames, ReadFrame
from napari_ferry.arrays.indexing import basic_shape, join_key, new_axes_key, split_key, to_slice


@dataclass(frozen=True)
class _SlicedFrames(Closable):
    """A reader of the frames at one index of a leading axis."""

    read: ReadFrame
    lead_shape: tuple[int, ...]
    axis: int
    index: int

    def __call__(self, i: int) -> NDArray[Any]:
        rest = self.lead_shape[: self.axis] + self.lead_shape[self.axis + 1 :]
        indices = [int(k) for k in np.unravel_index(i, rest)] if rest else []
        indices.insert(self.axis, self.index)
        return self.read(int(np.ravel_multi_index(indices, self.lead_shape)))

    def close(self) -> None:
        """Close the reader of the whole array."""
        close(self.read)


class Stack(Closable):
    """A lazy stack of arrays of one shape and dtype along a new axis.

    Parameters
    ----------
    parts : sequence of array
        At least one array.
    axis : int
        Index of the new axis, which precedes the last two axes.
    """

    def __init__(self, parts: Sequence[Array], axis: int = 0) -> None:
        self.parts = tuple(parts)
        self.axis = axis
        shape = tuple(parts[0].shape)
        self.shape = (*shape[:axis], len(self.parts), *shape[axis:])
        self.dtype = np.dtype(parts[0].dtype)
        self.ndim = len(self.shape)

    def __getitem__(self, key: Any) -> Any:
        items, order = split_key(key, self.shape)
        if not all(isinstance(item, int | slice) for item in items):
            whole = np.stack([np.asarray(part) for part in self.parts], self.axis)
            return whole[join_key(items, order)]

        added = new_axes_key(items, order)
        own_item = items.pop(self.axis)
        chosen = np.arange(len(self.parts))[own_item]
        axis = sum(isinstance(item, slice) for item in items[: self.axis])
        read = [np.asarray(self.parts[i][tuple(items)]) for i in np.atleast_1d(chosen)]

        empty = (0, *basic_shape(tuple(self.parts[0].shape), tuple(items)))
        if isinstance(own_item, int):
            pixels = read[0]
        elif read:
            pixels = np.stack(read, axis)
        else:
            pixels = np.moveaxis(np.empty(empty, self.dtype), 0, axis)
        return pixels[added] if added else pixels[()]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[...], dtype)

    def close(self) -> None:
        """Close each part."""
        close(*self.parts)


def take(array: Array, axis: int, index: int) -> Array:
    """Return an array at one index of a leading axis, without reading it."""
    if has_lazy_slices(array):
        part: Array = array[(slice(None),) * axis + (index,)]
        return part
    if isinstance(array, FileArray):
        return array.take_view(axis, index)
    if isinstance(array, Stack) and array.axis == axis:
        return array.parts[index]
    if getattr(array, "chunks", None) or (isinstance(array, Frames) and axis >= array.lead):
        others = [k for k in range(array.ndim) if k != axis]
        return view_axes(array, others, {axis: range(index, index + 1)})
    if not isinstance(array, Frames):
        lead = array.ndim - 2
        array = Frames(IndexedFrames(array, lead), array.shape, array.dtype, lead)

    shape = array.shape[:axis] + array.shape[axis + 1 :]
    read = _SlicedFrames(array.read, array.shape[: array.lead], axis, index)
    return Frames(read, shape, array.dtype, array.lead - 1)


@dataclass(frozen=True)
class _SteppedFrames(Closable):
    """A reader of the frames at some steps of an axis."""

    array: Array
    shape: tuple[int, ...]
    axis: int
    steps: range

    def __call__(self, i: int) -> NDArray[Any]:
        indices = [int(k) for k in np.unravel_index(i, self.shape)]
        indices[self.axis] = self.steps[indices[self.axis]]
        return np.asarray(self.array[tuple(indices)])

    def close(self) -> None:
        """Close the whole array."""
        close(self.array)


def take_steps(array: Array, axis: int, steps: range, lead: int) -> Array:
    """Return an array at some steps of one of its `lead` leading axes, without reading it."""
    if has_lazy_slices(array):
        part: Array = array[(slice(None),) * axis + (to_slice(steps),)]
        return part
    if isinstance(array, FileArray):
        return array.take_view(axis, to_slice(steps))
    shape = (*array.shape[:axis], len(steps), *array.shape[axis + 1 :])
    return Frames(_SteppedFrames(array, shape[:lead], axis, steps), shape, array.dtype, lead)
