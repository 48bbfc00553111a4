"""Reading pixels block by block from any array, and writing blocks to a file.

A block is the part of the source that is read at once: a few frames of an array in memory, one
chunk of a chunked array. Memory does not grow with the image, and each chunk is computed once.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.array_protocol import Array
from napari_ferry.arrays.frames import Frames, ReadFrame, SequentialReader
from napari_ferry.arrays.memmap import check_length, mapped_root, mapping_of
from napari_ferry.arrays.reading_context import single_use
from napari_ferry.arrays.region_grid import Region
from napari_ferry.arrays.regions import region_shape, split_by_bytes
from napari_ferry.errors import FerryError, ReopenError, SaveCancelledError, SaveError

BLOCK_BYTES = 8 << 20

_MOST_SPREAD = 8
"""Maximum factor to make blocks of a mapped file smaller if their rows are far apart."""

_COMPLETE_ERRORS = (SaveError, SaveCancelledError, ReopenError)
"""Errors whose messages are complete, and are passed on unchanged."""

_T = TypeVar("_T")


class Block(NamedTuple):
    """A part of an array: the index of its first sample, and its pixels."""

    start: tuple[int, ...]
    pixels: NDArray[Any]


class BlockReader:
    """The pixels of one region of an array, read block by block.

    Parameters
    ----------
    array : array
        Source; read in whole chunks if it has chunks.
    region : Region
        Region of the source.
    count : callable, optional
        Called with each block after its use; may raise to stop.
    check : callable, optional
        Called before each frame of `Frames` is read, which may be slow; may raise to stop.

    Attributes
    ----------
    check : callable
        `check`, for the user of the pixels to call while it waits for something else.
    """

    def __init__(
        self,
        array: Array,
        region: Region,
        count: Callable[[NDArray[Any]], None] | None = None,
        check: Callable[[], None] | None = None,
    ) -> None:
        self.array = array
        self.sequence_lock: AbstractContextManager[None] = nullcontext()
        if isinstance(array, Frames) and isinstance(array.read, SequentialReader):
            self.sequence_lock = array.read.sequence_lock
        if check and isinstance(array, Frames):
            checked = _CheckedReader(array.frame, check)
            self.array = Frames(checked, array.shape, array.dtype, array.lead)
        self.region = region
        self.count = count
        self.check = check or _continue

    def within(self, region: Region) -> BlockReader:
        """Return a reader of another region of the same array, with the same callables."""
        reader = copy(self)
        reader.region = region
        return reader

    def __iter__(self) -> Iterator[Block]:
        mapping = _Mapping.of(self.array)
        spread = mapping.spread(self.array, self.region) if mapping else 1
        for cut in split_by_bytes(self.array, self.region, BLOCK_BYTES // spread):
            with _ReadErrors(cut), self.sequence_lock, single_use():
                if mapping:
                    mapping.check()
                pixels = np.asarray(self.array[cut])
                if pixels.shape != region_shape(cut):
                    raise ValueError(
                        f"it returned shape {pixels.shape}, expected {region_shape(cut)}"
                    )

            start = tuple(c.start - r.start for c, r in zip(cut, self.region, strict=True))
            yield Block(start, pixels)

            if self.count:
                self.count(pixels)
            if mapping:
                del pixels
                mapping.release()

    def read_whole(self, use: Callable[[NDArray[Any]], _T]) -> _T:
        """Return the result of `use` for all pixels of the region; one block is not copied."""
        shape = region_shape(self.region)
        whole, results = np.empty(0), []
        for start, pixels in self:
            if pixels.shape == shape:
                results.append(use(pixels))
                continue
            whole = whole if whole.shape == shape else np.empty(shape, pixels.dtype)
            whole[tuple(slice(a, a + n) for a, n in zip(start, pixels.shape, strict=True))] = pixels
        return results[0] if results else use(whole)


def _continue() -> None:
    """Check nothing."""


@dataclass(frozen=True)
class _CheckedReader:
    """A reader of frames with a check before each frame."""

    read: ReadFrame
    check: Callable[[], None]

    def __call__(self, i: int) -> NDArray[Any]:
        self.check()
        return self.read(i)


class _ReadErrors:
    """Context for reading: turns errors of a source into a `SaveError` with the region.

    The source is foreign code (a dask task, a zarr store) and may raise anything.
    """

    def __init__(self, cut: Region) -> None:
        self.cut = cut

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, _COMPLETE_ERRORS):
            region = ", ".join(f"{side.start}:{side.stop}" for side in self.cut)
            if isinstance(error, FerryError):  # a whole sentence, with a cure
                raise SaveError(f"The pixels [{region}] cannot be read: {error}") from error
            cure = ": check that the source is still there and whole"
            is_conversion = isinstance(error, TypeError)  # its text tells how to convert
            raise SaveError(
                f"The pixels [{region}] could not be read from their source "
                f"({type(error).__name__}: {error}){'' if is_conversion else cure}."
            ) from error


class _Mapping:
    """The memory-mapped file of an array, whose pages are released after use."""

    def __init__(self, root: np.memmap[Any, Any]) -> None:
        self.root = root

    @classmethod
    def of(cls, array: object) -> _Mapping | None:
        """Return the mapping of an array, or ``None`` without one or if it is private (mode "c").

        Changes in a private mapping would be lost with the released pages.
        """
        root = mapped_root(array)
        return cls(root) if root is not None and root.mode != "c" else None

    @staticmethod
    def spread(array: Array, region: Region) -> int:
        """Return the ratio of the mapped bytes of a region to the bytes of its samples, rounded up.

        The system also maps the bytes between the rows of a region.
        """
        shape = region_shape(region)
        nbytes = math.prod(shape) * array.dtype.itemsize
        strides = np.asarray(array).strides
        span = sum((n - 1) * abs(step) for n, step in zip(shape, strides, strict=True))
        return min(_MOST_SPREAD, max(1, -(-span // max(1, nbytes))))

    def check(self) -> None:
        """Refuse to access pages beyond the end of a shortened file."""
        check_length(self.root)

    def release(self) -> None:
        """Release the pages read so far; the system caches them while it has free memory."""
        mapped = mapping_of(self.root)
        if hasattr(mmap, "MADV_DONTNEED") and mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)


def write_block(
    file: BinaryIO, offset: int, strides: Sequence[int], block: Block, dtype: np.dtype[Any]
) -> memoryview:
    """Write a block to a file at the offsets of its samples, and return the bytes of all samples.

    Parameters
    ----------
    file : binary file
        Open for writing, with its final length.
    offset : int
        Offset of index 0 of all axes, in bytes.
    strides : sequence of int
        Distance between neighbors along each axis in the file, in bytes.
    block : Block
        Pixels to write.
    dtype : data type
        Type of the samples in the file.
    """
    pixels = np.ascontiguousarray(block.pixels, dtype=dtype)
    first = offset + sum(i * step for i, step in zip(block.start, strides, strict=True))
    offsets, run = _contiguous_runs(first, strides, pixels.shape, dtype.itemsize)
    data = as_bytes(pixels)
    for k, start in enumerate(offsets):
        file.seek(start)
        file.write(data[k * run : (k + 1) * run])
    return data


def read_block(
    file: BinaryIO,
    offset: int,
    strides: Sequence[int],
    shape: Sequence[int],
    dtype: np.dtype[Any],
) -> memoryview:
    """Return the bytes of the samples of a block in a file, as returned by `write_block`.

    Parameters
    ----------
    file : binary file
        Open for reading.
    offset : int
        Offset of the first sample of the block, in bytes.
    strides : sequence of int
        Distance between neighbors along each axis in the file, in bytes.
    shape : sequence of int
        Length of the block along each axis.
    dtype : data type
        Type of the samples in the file.

    Raises
    ------
    ValueError
        The file ends before the last sample.
    """
    offsets, run = _contiguous_runs(offset, strides, shape, dtype.itemsize)
    data = bytearray(run * len(offsets))
    view = memoryview(data)
    for k, start in enumerate(offsets):
        file.seek(start)
        if file.readinto(view[k * run : (k + 1) * run]) < run:  # type: ignore[attr-defined]
            raise ValueError(f"no {run} bytes at byte {start}")
    return view


def _contiguous_runs(
    first: int, strides: Sequence[int], shape: Sequence[int], itemsize: int
) -> tuple[list[int], int]:
    """Return the offsets of contiguous runs of samples in C order, and the bytes of each run.

    The last axes that are contiguous in the file make one run.
    """
    run, axes = itemsize, len(shape)
    while axes and (shape[axes - 1] == 1 or strides[axes - 1] == run):
        axes -= 1
        run *= shape[axes]

    offsets = np.full((1,) * axes, first, np.int64)
    for axis in range(axes):
        steps = np.arange(shape[axis]) * strides[axis]
        offsets = offsets + steps.reshape([-1 if k == axis else 1 for k in range(axes)])
    return offsets.ravel().tolist(), run


def as_bytes(pixels: NDArray[Any]) -> memoryview:
    """Return the bytes of an array in C order, without a copy if it is contiguous."""
    return memoryview(np.ascontiguousarray(pixels).reshape(-1).view(np.uint8).data)


def c_strides(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Return the strides of an array in C order, in bytes.

    >>> c_strides((3, 4, 5), 2)
    (40, 10, 2)
    """
    return tuple(itemsize * math.prod(shape[k + 1 :]) for k in range(len(shape)))
