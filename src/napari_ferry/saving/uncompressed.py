"""Writes of uncompressed pixels to a file of known length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from napari_ferry.arrays import Array, BlockReader, Region
from napari_ferry.arrays.array_layout import ArrayLayout
from napari_ferry.arrays.blocks import BLOCK_BYTES, read_block, write_block
from napari_ferry.arrays.region_grid import RegionGrid
from napari_ferry.arrays.regions import array_bytes, region_bytes, region_shape, split_by_bytes
from napari_ferry.arrays.stack import Stack
from napari_ferry.saving.write import Write, write_bytes
from napari_ferry.saving.write_groups import WriteGroup, Writes

_WRITE_BYTES = 256 << 20
"""Bytes of pixels in one write."""


def pixel_writes(
    path: Path,
    array: Array,
    region: Region,
    *,
    lead: int,
    strides: Sequence[int],
    dtype: np.dtype[Any],
    offset: int = 0,
    locate: Callable[[Path], int] | None = None,
) -> Writes:
    """Return writes of a region of an array to a file of known length, uncompressed.

    No two writes read the same chunk of the source.

    Parameters
    ----------
    path : Path
        Path of the file.
    array : array
        Source; the parts of a `Stack` are read separately.
    region : Region
        Region of the source.
    lead : int
        Number of leading axes, along which a `Stack` may be divided.
    strides : sequence of int
        Distance between neighbors along each axis of the source in the file, in bytes.
    dtype : data type
        Type of the samples in the file.
    offset : int
        Offset of the first sample of the region from the start of the pixels, in bytes.
    locate : callable, optional
        Returns the offset of the pixels in the partial file; 0 by default.
    """
    place = _Place(offset, tuple(strides), dtype, locate)
    # a large save has large writes, also if it is divided into many files
    most = write_bytes(_WRITE_BYTES, array_bytes(array))
    return Writes(_groups(path, array, region, lead, place, most))


def _groups(
    path: Path, array: Array, region: Region, lead: int, place: _Place, most: int
) -> Iterator[WriteGroup]:
    """Yield the writes of at most some bytes of an array, and of each part of a `Stack`."""
    # the parts of a stack may have chunks of their own
    if isinstance(array, Stack) and array.axis < lead:
        axis = array.axis
        inner = (*region[:axis], *region[axis + 1 :])
        for k in range(region[axis].start, region[axis].stop):
            part = place.without_axis(axis, k - region[axis].start)
            yield from _groups(path, array.parts[k], inner, lead - 1, part, most)
        return

    grid = split_by_bytes(array, region, most)
    if len(grid):
        yield WriteGroup(
            path=path,
            count=len(grid),
            make=partial(_make_write, array=array, region=region, grid=grid, place=place),
            nbytes=region_bytes(array, region),
            key=f"{place.offset} {place.strides} {place.dtype.str} {grid}",
            arrays=(array,),
        )


def _make_write(
    path: Path, index: int, *, array: Array, region: Region, grid: RegionGrid, place: _Place
) -> Write:
    """Return the write of one region of a grid."""
    part = grid[index]
    own = place.move([p.start - r.start for p, r in zip(part, region, strict=True)])
    layout = ArrayLayout(array)
    return Write(
        path=path,
        array=array,
        region=part,
        put=own.put,
        stored=partial(own.digest, layout=layout, region=part),
        stores_pixels=layout.dtype == own.dtype,
    )


@dataclass(frozen=True)
class _Place:
    """The place of a region of pixels in a file of known length.

    Parameters
    ----------
    offset : int
        Offset of the first sample, in bytes.
    strides : tuple of int
        Distance between neighbors along each axis, in bytes.
    dtype : data type
        Type of the samples in the file.
    locate : callable, optional
        Returns an offset to add, given the file.
    """

    offset: int
    strides: tuple[int, ...]
    dtype: np.dtype[Any]
    locate: Callable[[Path], int] | None

    def move(self, index: Sequence[int]) -> _Place:
        """Return the place of a part, given the index of its first sample."""
        steps = sum(i * step for i, step in zip(index, self.strides, strict=True))
        return replace(self, offset=self.offset + steps)

    def without_axis(self, axis: int, index: int) -> _Place:
        """Return the place of the part at an index of one axis, without this axis."""
        strides = (*self.strides[:axis], *self.strides[axis + 1 :])
        return replace(self, offset=self.offset + index * self.strides[axis], strides=strides)

    def put(self, path: Path, pixels: BlockReader) -> str:
        """Write pixels, and return their digest in the order of writing."""
        hasher = xxhash.xxh3_64()
        start = self._start(path)
        with path.open("r+b") as file:
            for block in pixels:
                hasher.update(write_block(file, start, self.strides, block, self.dtype))
        return hasher.hexdigest()

    def digest(self, path: Path, *, layout: ArrayLayout, region: Region) -> str | None:
        """Return the digest of the pixels in a file, read in the order of writing.

        ``None`` if the file is too short, or does not contain the description to find them.
        """
        hasher = xxhash.xxh3_64()
        try:
            start = self._start(path)
            with path.open("rb") as file:
                for cut in split_by_bytes(layout, region, BLOCK_BYTES):
                    first = [c.start - r.start for c, r in zip(cut, region, strict=True)]
                    shape = region_shape(cut)
                    place = start + sum(i * n for i, n in zip(first, self.strides, strict=True))
                    hasher.update(read_block(file, place, self.strides, shape, self.dtype))
        except (OSError, ValueError, IndexError):
            return None
        return hasher.hexdigest()

    def _start(self, path: Path) -> int:
        return self.offset + (self.locate(path) if self.locate else 0)
