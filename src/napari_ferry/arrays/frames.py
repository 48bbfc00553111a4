"""Arrays read one frame at a time."""

from __future__ import annotations

import math
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arguments import check_workers
from napari_ferry.arrays.array_protocol import Array, Closable, Shaped, close
from napari_ferry.arrays.indexing import (
    basic_shape,
    check_indices,
    index_empty,
    join_key,
    new_axes_key,
    split_key,
)
from napari_ferry.errors import InvalidImageError, share_collector

ReadFrame = Callable[[int], NDArray[Any]]


@runtime_checkable
class BulkReader(Protocol):
    """A reader with a method to read several frames into an array."""

    def __call__(self, i: int, /) -> NDArray[Any]:
        """Return frame i."""

    def read_into(self, first: int, out: NDArray[Any], /) -> None:
        """Read frames from `first` on into an array in C order, whose first axis counts frames."""


@runtime_checkable
class PartReader(Protocol):
    """A reader with a method to read a small part of a frame, in less time than the whole."""

    def __call__(self, i: int, /) -> NDArray[Any]:
        """Return frame i."""

    def read_part(self, i: int, index: tuple[int | slice, ...], /) -> NDArray[Any] | None:
        """Return ``frame[index]`` of frame i, or ``None`` if the whole frame must be read."""


@runtime_checkable
class CachingReader(Protocol):
    """A reader with a cache of its own, or with frames in memory; each call returns a new array.

    `Frames` does not cache its frames again, and returns them without a copy.
    """

    caches_frames: ClassVar[Literal[True]]


@runtime_checkable
class SequentialReader(Protocol):
    """A reader for one thread at a time, as frames are decoded in sequence."""

    @property
    def sequence_lock(self) -> AbstractContextManager[None]:
        """Lock to hold while several frames are read."""


_TASK_BYTES = 4 << 20
"""Bytes that a thread reads per task: a task for each small frame would double the time."""

_SMALL_PART = 4
"""Largest part of a frame that a `PartReader` reads alone: 1 in this number of pixels."""

_CACHE_FRAMES = 8
_CACHE_BYTES = 64 << 20


class Frames(Shaped, Closable):
    """An array read one frame at a time, with numpy's indexing.

    The time to create and to index an array does not depend on its length. It is thread-safe,
    caches the last few frames unless `read` is a `CachingReader`, and can be pickled if `read` can.

    Parameters
    ----------
    read : callable
        Returns frame i, an array of ``shape[lead:]``; i counts the leading axes in C order.
    shape : tuple of int
        Shape of the whole array.
    dtype : data type
        Type of every frame.
    lead : int
        Number of leading axes, before those of a frame.
    """

    def __init__(self, read: ReadFrame, shape: Sequence[int], dtype: DTypeLike, lead: int) -> None:
        self.read = read
        self.shape = tuple(int(n) for n in shape)
        self.dtype = np.dtype(dtype)
        self.lead = lead
        self._is_cached_by_reader = isinstance(read, CachingReader)
        self._cache: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """Shape of one frame."""
        return self.shape[self.lead :]

    @property
    def cache_bytes(self) -> int:
        """Size of the frame cache of this array, in bytes; 0 if the reader caches the frames."""
        return 0 if self._is_cached_by_reader else _CACHE_BYTES

    def __repr__(self) -> str:
        return f"Frames(shape={self.shape}, dtype={self.dtype}, lead={self.lead})"

    def __reduce__(self) -> tuple[type[Frames], tuple[Any, ...]]:
        return Frames, (self.read, self.shape, self.dtype, self.lead)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("The pixels are stored in a file: reading them makes a copy.")
        return self.read_all().astype(self.dtype if dtype is None else dtype, copy=False)

    def close(self) -> None:
        """Release the cached frames, and the file of the reader until the next use."""
        with self._lock:
            self._cache.clear()
        close(self.read)

    def read_all(
        self, *, workers: int | None = None, count: Callable[[NDArray[Any]], None] | None = None
    ) -> NDArray[Any]:
        """Read all frames with several threads.

        Parameters
        ----------
        workers : int, optional
            Number of threads; by default the number of processors, at most 8.
        count : callable, optional
            Called with frames that were read, from the threads; may raise to stop.

        Raises
        ------
        InvalidImageError
            `workers` is not a whole number of at least 1.
        """
        from concurrent.futures import ThreadPoolExecutor

        check_workers(workers)
        workers = min(8, os.cpu_count() or 1) if workers is None else workers
        out = np.empty((math.prod(self.shape[: self.lead]), *self.frame_shape), self.dtype)
        step = max(1, _TASK_BYTES // max(1, out[:1].nbytes))
        starts = range(0, len(out), step)
        into = self.read.read_into if isinstance(self.read, BulkReader) else self._read_into

        def fill(start: int) -> None:
            """Read the frames of one task, and count them."""
            frames = out[start : start + step]
            into(start, frames)
            if count is not None:
                count(frames)

        if workers == 1 or len(starts) < 2:
            for start in starts:
                fill(start)
        else:
            with ThreadPoolExecutor(workers, initializer=share_collector()) as pool:
                list(pool.map(fill, starts))  # raises their errors
        return out.reshape(self.shape)

    def _read_into(self, first: int, out: NDArray[Any]) -> None:
        """Read frames into an array, for a reader without this method."""
        for k in range(len(out)):
            out[k] = self.frame(first + k)

    def frame(self, index: int) -> NDArray[Any]:
        """Return one frame, read-only, from the cache or the file."""
        with self._lock:
            if index in self._cache:
                self._cache.move_to_end(index)
                return self._cache[index]
        pixels = self._read(index).view()
        pixels.flags.writeable = False
        if not self._is_cached_by_reader:
            self._cache_frame(index, pixels)
        return pixels

    def _read(self, index: int) -> NDArray[Any]:
        pixels = np.asarray(self.read(index))
        if np.can_cast(pixels.dtype, self.dtype, "equiv"):  # pickling may lose the byte order
            pixels = pixels.astype(self.dtype, copy=False)
        if pixels.shape != self.frame_shape or pixels.dtype != self.dtype:
            raise InvalidImageError(
                f"Frame {index} has the shape {pixels.shape} and the type {pixels.dtype}, expected "
                f"{self.frame_shape} and {self.dtype}: the file has changed, or its frames differ; "
                "open it again."
            )
        return pixels

    def _cache_frame(self, index: int, pixels: NDArray[Any]) -> None:
        capacity = min(_CACHE_FRAMES, _CACHE_BYTES // max(1, pixels.nbytes))
        with self._lock:
            self._cache[index] = pixels
            while len(self._cache) > capacity:
                self._cache.popitem(last=False)

    def __getitem__(self, key: Any) -> Any:
        items, order = split_key(key, self.shape)
        if not all(isinstance(item, int | slice) for item in items):
            empty = index_empty(items, order, self)
            return self._read_advanced(items, order) if empty is None else empty
        pixels, added = self._read_basic(items), new_axes_key(items, order)
        return pixels[added] if added else pixels

    def _read_basic(self, items: list[Any]) -> Any:
        """Read the frames selected by integers and slices, and index each of them."""
        lead, inner = items[: self.lead], tuple(items[self.lead :])
        index = [
            np.array([item]) if isinstance(item, int) else _slice_indices(item, n)
            for item, n in zip(lead, self.shape, strict=False)
        ]
        counts = [len(i) for i, item in zip(index, lead, strict=True) if isinstance(item, slice)]
        frame_shape = basic_shape(self.frame_shape, inner)
        numbers = _flat_indices(index, self.shape[: self.lead])

        if self._is_cached_by_reader and len(numbers) == 1 and frame_shape == self.frame_shape:
            return self._read(int(numbers[0]))[inner].reshape((*counts, *frame_shape))

        out = np.empty((math.prod(counts), *frame_shape), self.dtype)
        is_small = _SMALL_PART * math.prod(frame_shape) <= math.prod(self.frame_shape)
        for k, flat in enumerate(numbers):
            part = self._read_part(int(flat), inner) if is_small else None
            out[k] = self.frame(int(flat))[inner] if part is None else part
        return out.reshape((*counts, *frame_shape))[()]

    def _read_part(self, index: int, inner: tuple[int | slice, ...]) -> NDArray[Any] | None:
        """Read part of an uncached frame; ``None`` if the reader cannot read parts."""
        if not isinstance(self.read, PartReader) or index in self._cache:
            return None
        return self.read.read_part(index, inner)

    def _read_advanced(self, items: list[Any], order: Sequence[Any]) -> Any:
        """Read the frames selected by index arrays, and let numpy index them."""
        region: list[Any] = []
        remapped: list[Any] = []
        for axis, (item, n) in enumerate(zip(items, self.shape, strict=True)):
            if axis >= self.lead or isinstance(item, slice):
                region.append(slice(None) if axis >= self.lead else item)
                remapped.append(item if axis >= self.lead else slice(None))
                continue
            requested = check_indices(np.asarray(item), n, axis)
            touched, index = np.unique(requested, return_inverse=True)
            region.append(touched)
            own = index.reshape(requested.shape) if requested.ndim else int(index.ravel()[0])
            remapped.append(own)
        return self._read_region(region)[join_key(remapped, order)]

    def _read_region(self, region: list[Any]) -> NDArray[Any]:
        index = [
            _slice_indices(item, n) if isinstance(item, slice) else item
            for item, n in zip(region[: self.lead], self.shape, strict=False)
        ]
        counts = [len(i) for i in index]
        out = np.empty((math.prod(counts), *self.frame_shape), self.dtype)
        for k, flat in enumerate(_flat_indices(index, self.shape[: self.lead])):
            out[k] = self.frame(int(flat))
        return out.reshape((*counts, *self.frame_shape))


@dataclass(frozen=True)
class IndexedFrames(Closable):
    """A reader of frames of any lazy array, by indexing."""

    array: Array
    lead: int

    def __call__(self, i: int) -> NDArray[Any]:
        return np.asarray(self.array[np.unravel_index(i, self.array.shape[: self.lead])])

    def close(self) -> None:
        """Close the array."""
        close(self.array)


def _slice_indices(item: slice, n: int) -> NDArray[np.intp]:
    """Return the indices of a slice, whose step may exceed the integers of numpy."""
    start, stop, step = item.indices(n)
    return np.arange(start, stop, max(-n - 1, min(step, n + 1)), dtype=np.intp)


def _flat_indices(index: list[NDArray[Any]], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the flat frame numbers of an open mesh of indices, in C order."""
    return np.ravel_multi_index(np.ix_(*index), shape).ravel() if index else np.zeros(1, np.intp)
