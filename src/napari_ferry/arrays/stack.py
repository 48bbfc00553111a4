"""Arrays made of other arrays without reading them: stacks, slices and steps."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arrays.array_layout import chunk_lengths
from napari_ferry.arrays.array_protocol import Array, Closable, Shaped, cache_bytes, close
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.arrays.frames import Frames, IndexedFrames, ReadFrame
from napari_ferry.arrays.indexing import basic_shape, join_key, new_axes_key, split_key


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


class Chunked(Shaped, Closable):
    """Base of lazy arrays with chunks and the indexing of numpy."""

    @property
    @abstractmethod
    def chunks(self) -> tuple[int, ...]:
        """Length of a chunk along each axis."""

    @abstractmethod
    def __getitem__(self, key: Any) -> Any: ...


class AxisSlice(Chunked):
    """A lazy slice of an array at one index of an axis.

    Parameters
    ----------
    array : array
        `Frames`, or an array with chunks.
    axis, index : int
        The axis, and the index along it.
    """

    def __init__(self, array: Array, axis: int, index: int) -> None:
        self.array = array
        self.axis = axis
        self.index = index
        self.shape = (*array.shape[:axis], *array.shape[axis + 1 :])
        self.dtype = np.dtype(array.dtype)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Length of a chunk along each remaining axis."""
        chunks = chunk_lengths(self.array)
        return (*chunks[: self.axis], *chunks[self.axis + 1 :])

    @property
    def cache_bytes(self) -> int:
        """Size of the pixel cache of the whole array, in bytes."""
        return cache_bytes(self.array)

    def __getitem__(self, key: Any) -> Any:
        items, order = split_key(key, self.shape)
        if not all(isinstance(item, int | slice) for item in items):
            return np.asarray(self[...])[join_key(items, order)]
        added = new_axes_key(items, order)
        items.insert(self.axis, self.index)
        pixels = np.asarray(self.array[tuple(items)])
        return pixels[added] if added else pixels[()]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[...], dtype)

    def close(self) -> None:
        """Close the whole array."""
        close(self.array)


def take(array: Array, axis: int, index: int) -> Array:
    """Return an array at one index of a leading axis, without reading it."""
    if isinstance(array, np.ndarray) or hasattr(array, "dask"):
        return array[(slice(None),) * axis + (index,)]
    if isinstance(array, FileArray):
        return array.take_view(axis, index)
    if isinstance(array, Stack) and array.axis == axis:
        return array.parts[index]
    if getattr(array, "chunks", None) or (isinstance(array, Frames) and axis >= array.lead):
        return AxisSlice(array, axis, index)
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
    if isinstance(array, np.ndarray) or hasattr(array, "dask"):
        return array[(slice(None),) * axis + (slice(steps.start, steps.stop, steps.step),)]
    if isinstance(array, FileArray):
        return array.take_view(axis, slice(steps.start, steps.stop, steps.step))
    shape = (*array.shape[:axis], len(steps), *array.shape[axis + 1 :])
    return Frames(_SteppedFrames(array, shape[:lead], axis, steps), shape, array.dtype, lead)
