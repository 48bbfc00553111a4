"""Pixels read block by block from any array, and laid into a file at their places.

A block is as much of the source as is read at once: a few frames of an array in memory, one chunk
of a chunked one. So memory does not grow with the image, and each chunk is computed once.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.frames import Frames, ReadFrame, ReadsInTurn
from napari_ferry.arrays.memmap import check_length, mapped_root, mapping_of
from napari_ferry.arrays.protocol import Array
from napari_ferry.arrays.regions import Region, region_shape, split_by_bytes
from napari_ferry.errors import ReopenError, SaveCancelledError, SaveError

BLOCK_BYTES = 8 << 20

_SAID_ALREADY = (SaveError, SaveCancelledError, ReopenError)
"""Errors that say all there is to say, and what to do."""

_T = TypeVar("_T")


class Block(NamedTuple):
    """A piece of an array: where it begins, and its pixels."""

    start: tuple[int, ...]
    pixels: NDArray[Any]


class BlockReader:
    """The pixels of one region of an array, read block by block.

    Parameters
    ----------
    array : array
        Where they come from; read in whole chunks if it has chunks.
    region : Region
        Which of them.
    count : callable, optional
        Called with the bytes of each block once it has been used; may raise to stop.
    check : callable, optional
        Called before each frame of `Frames`, which may be slow; may raise to stop.
    """

    def __init__(
        self,
        array: Array,
        region: Region,
        count: Callable[[NDArray[Any]], None] | None = None,
        check: Callable[[], None] | None = None,
    ) -> None:
        self.array = array
        self.turn: AbstractContextManager[None] = nullcontext()
        if isinstance(array, Frames) and isinstance(array.read, ReadsInTurn):
            self.turn = array.read.turn
        if check and isinstance(array, Frames):
            checked = _Checked(array.frame, check)
            self.array = Frames(checked, array.shape, array.dtype, array.lead)
        self.region = region
        self.count = count

    def __iter__(self) -> Iterator[Block]:
        mapping = _Mapping.of(self.array)
        for cut in split_by_bytes(self.array, self.region, BLOCK_BYTES):
            with _Reading(cut), self.turn:
                if mapping:
                    mapping.check()
                pixels = np.asarray(self.array[cut])
                if pixels.shape != region_shape(cut):
                    raise ValueError(f"it gave {pixels.shape}, expected {region_shape(cut)}")
            yield Block(
                tuple(c.start - b.start for c, b in zip(cut, self.region, strict=True)), pixels
            )
            if self.count:
                self.count(pixels)
            if mapping:
                del pixels
                mapping.release()

    def read_whole(self, use: Callable[[NDArray[Any]], _T]) -> _T:
        """Return what is made of all pixels of the region, read at once where they can be."""
        shape = region_shape(self.region)
        found, results = np.empty(0), []
        for start, pixels in self:
            if pixels.shape == shape:
                results.append(use(pixels))
                continue
            found = found if found.shape == shape else np.empty(shape, pixels.dtype)
            found[tuple(slice(a, a + n) for a, n in zip(start, pixels.shape, strict=True))] = pixels
        return results[0] if results else use(found)


@dataclass(frozen=True)
class _Checked:
    """Reads frames, and asks before each whether to go on."""

    read: ReadFrame
    check: Callable[[], None]

    def __call__(self, i: int) -> NDArray[Any]:
        self.check()
        return self.read(i)


class _Reading:
    """Turns whatever a source raises into one sentence that names the place.

    The source is foreign code (a dask task, a zarr store) and may raise anything.
    """

    def __init__(self, cut: Region) -> None:
        self.cut = cut

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, _SAID_ALREADY):
            place = ", ".join(f"{side.start}:{side.stop}" for side in self.cut)
            raise SaveError(
                f"The pixels [{place}] could not be read from their source "
                f"({type(error).__name__}: {error}): check that it is still there and whole."
            ) from error


class _Mapping:
    """The memory-mapped file behind an array, kept from filling memory while it is streamed."""

    def __init__(self, root: np.memmap[Any, Any]) -> None:
        self.root = root

    @classmethod
    def of(cls, array: object) -> _Mapping | None:
        """Return the mapping behind an array, ``None`` where there is none or it may be private.

        Dropped pages of a private mapping are lost with what was written into them.
        """
        root = mapped_root(array)
        return cls(root) if root is not None and root.mode != "c" else None

    def check(self) -> None:
        """Refuse to touch pages behind the end of a file that has become shorter."""
        check_length(self.root)

    def release(self) -> None:
        """Give the pages read so far back to the system, which keeps them while there is room."""
        mapped = mapping_of(self.root)
        if hasattr(mmap, "MADV_DONTNEED") and mapped is not None:
            mapped.madvise(mmap.MADV_DONTNEED)


def write_block(
    file: BinaryIO, offset: int, strides: Sequence[int], block: Block, dtype: np.dtype[Any]
) -> None:
    """Write a block to its places in a file.

    Parameters
    ----------
    file : binary file
        Open for writing, already as long as it will be.
    offset : int
        Byte at which index 0 of all axes lies.
    strides : sequence of int
        Bytes from one index to the next along each axis, in the file.
    block : Block
        Pixels and where they begin.
    dtype : data type
        How samples are stored.
    """
    pixels = np.ascontiguousarray(block.pixels, dtype=dtype)
    run, axes = dtype.itemsize, pixels.ndim
    while axes and (pixels.shape[axes - 1] == 1 or strides[axes - 1] == run):
        axes -= 1
        run *= pixels.shape[axes]
    first = offset + sum(i * step for i, step in zip(block.start, strides, strict=True))
    places = np.full((1,) * axes, first, np.int64)
    for axis in range(axes):
        steps = np.arange(pixels.shape[axis]) * strides[axis]
        places = places + steps.reshape([-1 if k == axis else 1 for k in range(axes)])
    data = as_bytes(pixels)
    for k, place in enumerate(places.ravel().tolist()):
        file.seek(place)
        file.write(data[k * run : (k + 1) * run])


def as_bytes(pixels: NDArray[Any]) -> memoryview:
    """Return the bytes of an array in C order, without a copy where it lies so."""
    return memoryview(np.ascontiguousarray(pixels).reshape(-1).view(np.uint8).data)


def c_strides(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Return the strides, in bytes, of an array of that shape in C order.

    >>> c_strides((3, 4, 5), 2)
    (40, 10, 2)
    """
    return tuple(itemsize * math.prod(shape[k + 1 :]) for k in range(len(shape)))
