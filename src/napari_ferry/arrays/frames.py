"""Arrays that are read one frame at a time."""

from __future__ import annotations

import math
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arguments import check_workers
from napari_ferry.arrays.indexing import (
    basic_shape,
    check_indices,
    index_empty,
    join_key,
    new_axes_key,
    split_key,
)
from napari_ferry.arrays.protocol import Shaped
from napari_ferry.errors import InvalidImageError

ReadFrame = Callable[[int], NDArray[Any]]


@runtime_checkable
class ReadsInto(Protocol):
    """A reader of frames that can also lay several where they are wanted."""

    def __call__(self, i: int, /) -> NDArray[Any]:
        """Give frame i."""

    def read_into(self, first: int, out: NDArray[Any], /) -> None:
        """Read frames from `first` on into an array in C order; its first axis counts them."""


@runtime_checkable
class KeepsFrames(Protocol):
    """A reader that keeps what it has decoded, and gives each frame as an array of its own.

    So its frames are not kept a second time, and go to whoever asks without a copy.
    """

    keeps_frames: ClassVar[Literal[True]]


@runtime_checkable
class ReadsInTurn(Protocol):
    """A reader that decodes frames in sequence, and so for one thread at a time."""

    @property
    def turn(self) -> AbstractContextManager[None]:
        """Lock that a thread holds while it reads several frames."""


_PIECE_BYTES = 4 << 20
"""Pixels that a thread reads at a time: handing over single small frames costs as much as them."""

_CACHE_FRAMES = 8
_CACHE_BYTES = 64 << 20


class Frames(Shaped):
    """An array that is read one frame at a time, with numpy's indexing.

    Making one and indexing one costs the same whatever its length. It is thread-safe, keeps the
    last few frames unless `read` `KeepsFrames`, and pickles when `read` does.

    Parameters
    ----------
    read : callable
        Gives frame i, an array of ``shape[lead:]``; i counts the leading axes in C order.
    shape : tuple of int
        Shape of the whole.
    dtype : data type
        Type of every frame.
    lead : int
        Number of leading axes, which frames do not have.
    """

    def __init__(self, read: ReadFrame, shape: Sequence[int], dtype: DTypeLike, lead: int) -> None:
        self.read = read
        self.shape = tuple(int(n) for n in shape)
        self.dtype = np.dtype(dtype)
        self.lead = lead
        self._is_cached_by_reader = isinstance(read, KeepsFrames)
        self._cache: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """Shape of one frame."""
        return self.shape[self.lead :]

    def __repr__(self) -> str:
        return f"Frames(shape={self.shape}, dtype={self.dtype}, lead={self.lead})"

    def __reduce__(self) -> tuple[type[Frames], tuple[Any, ...]]:
        return Frames, (self.read, self.shape, self.dtype, self.lead)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("The pixels lie in a file: reading them makes a copy.")
        return self.read_all().astype(self.dtype if dtype is None else dtype, copy=False)

    def read_all(self, *, workers: int | None = None) -> NDArray[Any]:
        """Read the whole, by several threads.

        Parameters
        ----------
        workers : int, optional
            Threads; the number of processors, at most 8, when absent.

        Raises
        ------
        InvalidImageError
            A number of threads below 1.
        """
        from concurrent.futures import ThreadPoolExecutor

        check_workers(workers)
        workers = min(8, os.cpu_count() or 1) if workers is None else workers
        out = np.empty((math.prod(self.shape[: self.lead]), *self.frame_shape), self.dtype)
        step = max(1, _PIECE_BYTES // max(1, out[:1].nbytes))
        starts = range(0, len(out), step)
        into = self.read.read_into if isinstance(self.read, ReadsInto) else self._read_into

        def fill(start: int) -> None:
            into(start, out[start : start + step])

        if workers == 1 or len(starts) < 2:
            for start in starts:
                fill(start)
        else:
            with ThreadPoolExecutor(workers) as pool:
                for _ in pool.map(fill, starts):
                    pass
        return out.reshape(self.shape)

    def _read_into(self, first: int, out: NDArray[Any]) -> None:
        """Do what a reader that `ReadsInto` does, for one that does not."""
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
            self._remember(index, pixels)
        return pixels

    def _read(self, index: int) -> NDArray[Any]:
        pixels = np.asarray(self.read(index))
        if np.can_cast(pixels.dtype, self.dtype, "equiv"):  # a pickle may have lost the byte order
            pixels = pixels.astype(self.dtype, copy=False)
        if pixels.shape != self.frame_shape or pixels.dtype != self.dtype:
            raise InvalidImageError(
                f"Frame {index} is {pixels.shape} of {pixels.dtype}, expected {self.frame_shape} "
                f"of {self.dtype}: the file changed, or its frames are not alike."
            )
        return pixels

    def _remember(self, index: int, pixels: NDArray[Any]) -> None:
        room = min(_CACHE_FRAMES, _CACHE_BYTES // max(1, pixels.nbytes))
        with self._lock:
            self._cache[index] = pixels
            while len(self._cache) > room:
                self._cache.popitem(last=False)

    def __getitem__(self, key: Any) -> Any:
        items, order = split_key(key, self.shape)
        if not all(isinstance(item, int | slice) for item in items):
            nothing = index_empty(items, order, self)
            return self._read_advanced(items, order) if nothing is None else nothing
        pixels, added = self._read_basic(items), new_axes_key(items, order)
        return pixels[added] if added else pixels

    def _read_basic(self, items: list[Any]) -> Any:
        """Read for integers and slices: only the frames asked for, cut as they come."""
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
        for k, flat in enumerate(numbers):
            out[k] = self.frame(int(flat))[inner]
        return out.reshape((*counts, *frame_shape))[()]

    def _read_advanced(self, items: list[Any], order: Sequence[Any]) -> Any:
        """Read for index arrays: the region of frames they touch, then numpy's own indexing."""
        region: list[Any] = []
        remapped: list[Any] = []
        for axis, (item, n) in enumerate(zip(items, self.shape, strict=True)):
            if axis >= self.lead or isinstance(item, slice):
                region.append(slice(None) if axis >= self.lead else item)
                remapped.append(item if axis >= self.lead else slice(None))
                continue
            wanted = check_indices(np.asarray(item), n, axis)
            touched, place = np.unique(wanted, return_inverse=True)
            region.append(touched)
            remapped.append(place.reshape(wanted.shape) if wanted.ndim else int(place.ravel()[0]))
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


def _slice_indices(item: slice, n: int) -> NDArray[np.intp]:
    """Return the indices that a slice means; its step may be larger than any number of numpy's."""
    start, stop, step = item.indices(n)
    return np.arange(start, stop, max(-n - 1, min(step, n + 1)), dtype=np.intp)


def _flat_indices(index: list[NDArray[Any]], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the flat frame numbers of an open mesh of indices, in C order."""
    if not index:
        return np.zeros(1, np.intp)
    return np.ravel_multi_index(np.ix_(*index), shape).ravel()
