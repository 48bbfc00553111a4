"""Arrays of samples at regular offsets in a file, read at each use and never mapped.

A memory map ends the program when its file becomes shorter, and napari touches pixels on every move
of the mouse. Here, samples are read into new memory, so that a file that became shorter, or a disk
that was removed, is an error in one sentence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arrays.array_protocol import Closable, Shaped
from napari_ferry.arrays.frames import Frames, IndexedFrames
from napari_ferry.arrays.indexing import check_index, join_key, new_axes_key, split_key
from napari_ferry.arrays.shared_file import SharedFile, share_file
from napari_ferry.arrays.stamp import Stamp

_GAP_BYTES = 16 << 10
"""Gaps up to this size are read along with the samples: another call would take longer."""

_SPAN_BYTES = 8 << 20
"""Largest stretch of a file that is read at once, unless all of it is wanted."""

_INTEGERS = (int, np.int64)
_ALL = slice(None)


class FileArray(Shaped, Closable):
    """A lazy array of samples at regular offsets in a file.

    Each index reads the samples that it selects, into new memory. Views by `take_view`,
    `transpose`, `moveaxis`, `reshape` and `view` read nothing. Arrays are thread-safe, and are
    pickled as the path.

    Parameters
    ----------
    file : SharedFile
        The file.
    start : int
        Offset of the first sample, in bytes.
    shape, strides : sequence of int
        Length of each axis, and distance between neighbors along it in bytes, at least 0.
    dtype : data type
        Type of the samples in the file.
    """

    is_stamped: ClassVar[Literal[True]] = True
    lacks_checksums = True

    def __init__(
        self,
        file: SharedFile,
        start: int,
        shape: Sequence[int],
        strides: Sequence[int],
        dtype: DTypeLike,
    ) -> None:
        self.file = file
        self.start = start
        self.shape = tuple(map(int, shape))
        self.strides = tuple(map(int, strides))
        self.dtype = np.dtype(dtype)

    def __repr__(self) -> str:
        return f"FileArray({self.file.path!r}, shape={self.shape}, dtype={self.dtype})"

    def __reduce__(self) -> tuple[Any, ...]:
        place = self.start, self.shape, self.strides, self.dtype
        return _open_again, (self.file.path, self.file.stamp, *place)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("The pixels are stored in a file: reading them makes a copy.")
        return self.read().astype(self.dtype if dtype is None else dtype, copy=False)

    def __getitem__(self, key: Any) -> Any:
        frame = self._read_frame(key)
        if frame is not None:
            return frame[()]

        items, order = split_key(key, self.shape)
        if not all(isinstance(item, int | slice) for item in items):
            lead = max(0, self.ndim - 2)
            frames = Frames(IndexedFrames(self, lead), self.shape, self.dtype, lead)
            return frames[join_key(items, order)]

        flips = tuple(
            slice(None, None, -1 if item.indices(n)[2] < 0 else 1)
            for item, n in zip(items, self.shape, strict=True)
            if isinstance(item, slice)
        )
        pixels = self._forward(items).read()[flips]
        added = new_axes_key(items, order)
        return pixels[added] if added else pixels[()]

    def _read_frame(self, key: Any) -> NDArray[Any] | None:
        """Read contiguous samples at integers along the first axes; None for other keys.

        For small frames, the general way takes as long as the reading.
        """
        parts = key if type(key) is tuple else (key,)
        lead = sum(type(part) in _INTEGERS for part in parts)
        if len(parts) > self.ndim or self.ndim - lead > self._n_contiguous:
            return None
        if any(type(part) is not slice or part != _ALL for part in parts[lead:]):
            return None

        start = self.start
        for axis in range(lead):
            start += check_index(int(parts[axis]), self.shape[axis], axis) * self.strides[axis]
        shape = self.shape[lead:]
        nbytes = math.prod(shape) * self.dtype.itemsize
        return self.file.read(start, nbytes).view(self.dtype).reshape(shape)

    @cached_property
    def _n_contiguous(self) -> int:
        """Number of trailing axes with contiguous samples."""
        nbytes = self.dtype.itemsize
        for k in range(self.ndim):
            length, stride = self.shape[-1 - k], self.strides[-1 - k]
            if length > 1 and stride != nbytes:
                return k
            nbytes *= length
        return self.ndim

    def _forward(self, items: Sequence[int | slice]) -> FileArray:
        """Return the view at integers and slices, with every slice in rising order."""
        start, axes = self.start, []
        for item, n, stride in zip(items, self.shape, self.strides, strict=True):
            if isinstance(item, int):
                start += item * stride
                continue
            steps = range(*item.indices(n))
            steps = steps if steps.step > 0 else steps[::-1]
            start += steps.start * stride if steps else 0
            axes.append((len(steps), steps.step * stride))
        shape, strides = tuple(n for n, _ in axes), tuple(step for _, step in axes)
        return FileArray(self.file, start, shape, strides, self.dtype)

    def close(self) -> None:
        """Close the file, for all its arrays, until one of them is read."""
        self.file.close()

    def take_view(self, axis: int, item: int | slice) -> FileArray:
        """Return a view at an index, or at rising steps, of one axis; nothing is read."""
        items: list[int | slice] = [slice(None)] * self.ndim
        items[axis] = item
        return self._forward(items)

    def transpose(self, *axes: Any) -> FileArray:
        """Return a view with the axes in another order, as `numpy.ndarray.transpose`."""
        is_same = axes == tuple(range(self.ndim))
        return self if is_same else self._like(self._layout().transpose(*axes))

    def moveaxis(self, source: int, destination: int) -> FileArray:
        """Return a view with one axis at another place, as `numpy.moveaxis`."""
        return self._like(np.moveaxis(self._layout(), source, destination))

    def reshape(self, *shape: Any) -> FileArray:
        """Return a view with split or joined axes, as `numpy.ndarray.reshape`.

        Raises
        ------
        ValueError
            Gaps in the file make such a view impossible.
        """
        wanted = shape[0] if len(shape) == 1 else shape
        if isinstance(wanted, tuple) and wanted == self.shape:
            return self
        return self._like(np.reshape(self._layout(), wanted, copy=False))

    def view(self, dtype: DTypeLike) -> FileArray:
        """Return a view of the samples as another type of the same size."""
        return self._like(self._layout().view(dtype))

    def _layout(self) -> NDArray[Any]:
        """Return an array of the same shape and strides over no memory, never to be read."""
        nothing = np.empty(1, self.dtype)
        return np.lib.stride_tricks.as_strided(nothing, self.shape, self.strides, writeable=False)

    def _like(self, layout: NDArray[Any]) -> FileArray:
        return FileArray(self.file, self.start, layout.shape, layout.strides, layout.dtype)

    def read(self) -> NDArray[Any]:
        """Read all samples into a new array in C order."""
        out = np.empty(self.shape, self.dtype)
        if self._n_contiguous == self.ndim:
            self.file.read_into(out.reshape(-1).view(np.uint8), self.start)
        elif out.size:
            self._read_scattered(out)
        return out

    def _read_scattered(self, out: NDArray[Any]) -> None:
        kept = [k for k in range(self.ndim) if self.shape[k] > 1]
        order = sorted(kept, key=lambda k: -self.strides[k])
        axes = [_Axis(self.shape[k], self.strides[k]) for k in order]
        by_axis = out.reshape([self.shape[k] for k in kept])
        self._read_axes(self.start, axes, by_axis.transpose([kept.index(k) for k in order]))

    def _read_axes(self, start: int, axes: Sequence[_Axis], out: NDArray[Any]) -> None:
        """Read axes in falling order of their strides: at once, in batches, or one by one."""
        span = self.dtype.itemsize + sum((axis.length - 1) * axis.stride for axis in axes)
        if span == out.nbytes and out.flags.c_contiguous:
            self.file.read_into(out.reshape(-1).view(np.uint8), start)
            return

        is_dense = self._is_dense(axes)
        if is_dense and span <= _SPAN_BYTES:
            stretch = self.file.read(start, span)
            first = stretch[: self.dtype.itemsize].view(self.dtype)
            shape, strides = zip(*axes, strict=True)
            out[...] = np.lib.stride_tricks.as_strided(first, shape, strides)
            return

        first_axis, *inner = axes
        batch = max(1, _SPAN_BYTES // first_axis.stride) if is_dense else 1
        for k in range(0, first_axis.length, batch):
            rows = out[k : k + batch]
            if batch > 1:
                axes = [_Axis(len(rows), first_axis.stride), *inner]
                self._read_axes(start + k * first_axis.stride, axes, rows)
            else:
                # a scalar that is taken by an index would be a copy
                self._read_axes(start + k * first_axis.stride, inner, rows.reshape(rows.shape[1:]))

    def _is_dense(self, axes: Sequence[_Axis]) -> bool:
        """Return True if reading across the gaps between samples is quicker than around them."""
        extent = self.dtype.itemsize
        for axis in reversed(axes):
            if axis.stride - extent > _GAP_BYTES:
                return False
            extent += (axis.length - 1) * axis.stride
        return True


class _Axis(NamedTuple):
    """One axis to read: its length, and the distance between neighbors in bytes."""

    length: int
    stride: int


def open_file_array(
    path: Path | str, start: int, shape: Sequence[int], strides: Sequence[int], dtype: DTypeLike
) -> FileArray:
    """Open a lazy array of the samples in a file.

    Parameters
    ----------
    path : Path or str
        The file.
    start, shape, strides, dtype
        As for `FileArray`.

    Raises
    ------
    ValueError
        The file ends before the last sample.
    """
    file = share_file(path)
    array = FileArray(file, start, shape, strides, dtype)
    steps = zip(array.shape, array.strides, strict=True)
    end = start + array.dtype.itemsize + sum((n - 1) * step for n, step in steps)
    if array.size and end > file.stamp.nbytes:
        raise ValueError(f"{path} has {file.stamp.nbytes} bytes, and the samples end at {end}")
    return array


def _open_again(
    path: str,
    stamp: Stamp,
    start: int,
    shape: Sequence[int],
    strides: Sequence[int],
    dtype: np.dtype[Any],
) -> FileArray:
    """Open the same samples again, after pickling; a changed file is refused when it is read."""
    return FileArray(share_file(path, stamp), start, shape, strides, dtype)
