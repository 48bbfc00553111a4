"""Arrays made of other arrays without reading them: stacked, taken apart, read whole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arguments import check_workers
from napari_ferry.arrays.frames import Frames, ReadFrame
from napari_ferry.arrays.indexing import basic_shape, join_key, new_axes_key, split_key
from napari_ferry.arrays.memmap import check_length
from napari_ferry.arrays.protocol import Array, Shaped


@dataclass(frozen=True)
class _SlicedFrames:
    """Reads the frames that are left of `read` when one leading axis is fixed at `index`."""

    read: ReadFrame
    lead_shape: tuple[int, ...]
    axis: int
    index: int

    def __call__(self, i: int) -> NDArray[Any]:
        rest = self.lead_shape[: self.axis] + self.lead_shape[self.axis + 1 :]
        place = [int(k) for k in np.unravel_index(i, rest)] if rest else []
        place.insert(self.axis, self.index)
        return self.read(int(np.ravel_multi_index(place, self.lead_shape)))


@dataclass(frozen=True)
class IndexedFrames:
    """Reads frames out of any lazy array by indexing it."""

    array: Array
    lead: int

    def __call__(self, i: int) -> NDArray[Any]:
        return np.asarray(self.array[np.unravel_index(i, self.array.shape[: self.lead])])


class Stack:
    """Arrays of one shape and type, laid side by side along a new leading axis, lazily.

    Parameters
    ----------
    parts : sequence of array
        At least one.
    axis : int
        Where the new axis goes; it stands before the last two axes.
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
        which = items.pop(self.axis)
        chosen = np.arange(len(self.parts))[which]
        place = sum(isinstance(item, slice) for item in items[: self.axis])
        read = [np.asarray(self.parts[i][tuple(items)]) for i in np.atleast_1d(chosen)]
        empty = (0, *basic_shape(tuple(self.parts[0].shape), tuple(items)))
        if isinstance(which, int):
            pixels = read[0]
        elif read:
            pixels = np.stack(read, place)
        else:
            pixels = np.moveaxis(np.empty(empty, self.dtype), 0, place)
        return pixels[added] if added else pixels[()]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[...], dtype)


class Chunked(Shaped, ABC):
    """Base of lazy arrays that are read in chunks and take whatever index numpy takes."""

    @property
    @abstractmethod
    def chunks(self) -> tuple[int, ...]:
        """Length of a chunk along each axis."""

    @abstractmethod
    def __getitem__(self, key: Any) -> Any: ...


class AxisSlice(Chunked):
    """What is left of an array when one axis is fixed, read through it when it is indexed.

    Parameters
    ----------
    array : array
        Whose it is: `Frames`, or one that has chunks.
    axis, index : int
        Where it is fixed.
    """

    def __init__(self, array: Array, axis: int, index: int) -> None:
        self.array = array
        self.axis = axis
        self.index = index
        self.shape = (*array.shape[:axis], *array.shape[axis + 1 :])
        self.dtype = np.dtype(array.dtype)

    @property
    def chunks(self) -> tuple[int, ...]:
        if isinstance(self.array, Frames):
            chunks = (*(1,) * self.array.lead, *self.array.frame_shape)
        else:
            chunks = tuple(getattr(self.array, "chunks"))  # noqa: B009 - not every array has them
        return (*chunks[: self.axis], *chunks[self.axis + 1 :])

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


def take(array: Array, axis: int, index: int) -> Array:
    """Fix one leading axis of any array at `index`, without reading it."""
    if isinstance(array, np.ndarray) or hasattr(array, "dask"):
        return array[(slice(None),) * axis + (index,)]
    if isinstance(array, Stack) and array.axis == axis:
        return array.parts[index]
    if getattr(array, "chunks", None) or (isinstance(array, Frames) and axis >= array.lead):
        return AxisSlice(array, axis, index)
    if not isinstance(array, Frames):
        array = Frames(
            IndexedFrames(array, array.ndim - 2), array.shape, array.dtype, array.ndim - 2
        )
    shape = array.shape[:axis] + array.shape[axis + 1 :]
    read = _SlicedFrames(array.read, array.shape[: array.lead], axis, index)
    return Frames(read, shape, array.dtype, array.lead - 1)


@dataclass(frozen=True)
class _SteppedFrames:
    """Reads the frames that are left of an array when only some steps of an axis are taken."""

    array: Array
    shape: tuple[int, ...]
    axis: int
    steps: range

    def __call__(self, i: int) -> NDArray[Any]:
        place = [int(k) for k in np.unravel_index(i, self.shape)]
        place[self.axis] = self.steps[place[self.axis]]
        return np.asarray(self.array[tuple(place)])


def take_steps(array: Array, axis: int, steps: range, lead: int) -> Array:
    """Take some steps of one of the `lead` leading axes of any array, without reading it."""
    if isinstance(array, np.ndarray) or hasattr(array, "dask"):
        return array[(slice(None),) * axis + (slice(steps.start, steps.stop, steps.step),)]
    shape = (*array.shape[:axis], len(steps), *array.shape[axis + 1 :])
    return Frames(_SteppedFrames(array, shape[:lead], axis, steps), shape, array.dtype, lead)


def read_array(array: Array, *, workers: int | None = None) -> NDArray[Any]:
    """Read a whole array into memory; `workers` threads read `Frames`."""
    check_workers(workers)
    check_length(array)
    return array.read_all(workers=workers) if isinstance(array, Frames) else np.array(array)
