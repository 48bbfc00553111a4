"""Writes of uncompressed pixels to a file of known length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from napari_ferry.arrays import Array, BlockReader, Region
from napari_ferry.arrays.array_layout import ArrayLayout
from napari_ferry.arrays.blocks import BLOCK_BYTES, read_block, write_block
from napari_ferry.arrays.regions import region_bytes, region_shape, split_by_bytes
from napari_ferry.arrays.stack import Stack
from napari_ferry.saving.write import Write, write_bytes

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
) -> list[Write]:
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
    # the parts of a stack may have chunks of their own
    if isinstance(array, Stack) and array.axis < lead:
        a, writes = array.axis, []
        inner, steps = (*region[:a], *region[a + 1 :]), (*strides[:a], *strides[a + 1 :])
        for k in range(region[a].start, region[a].stop):
            writes += pixel_writes(
                path,
                array.parts[k],
                inner,
                lead=lead - 1,
                strides=steps,
                dtype=dtype,
                offset=offset + (k - region[a].start) * strides[a],
                locate=locate,
            )
        return writes

    writes, layout = [], ArrayLayout(array)
    most = write_bytes(_WRITE_BYTES, region_bytes(array, region))
    for part in split_by_bytes(array, region, most):
        start = [p.start - r.start for p, r in zip(part, region, strict=True)]
        first = offset + sum(i * step for i, step in zip(start, strides, strict=True))
        place = _Place(first, tuple(strides), dtype, locate)
        stored = partial(place.digest, layout=layout, region=part)
        writes.append(
            Write(
                path=path,
                array=array,
                region=part,
                put=place.put,
                stored=stored,
                stores_pixels=layout.dtype == dtype,
            )
        )
    return writes


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
