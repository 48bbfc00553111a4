"""Writes of uncompressed pixels to a file of known length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.arrays import Array, BlockReader, Region
from napari_ferry.arrays.blocks import write_block
from napari_ferry.arrays.regions import split_by_bytes
from napari_ferry.arrays.stack import Stack
from napari_ferry.saving.write import Write

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

    writes = []
    for part in split_by_bytes(array, region, _WRITE_BYTES):
        start = [p.start - r.start for p, r in zip(part, region, strict=True)]
        first = offset + sum(i * step for i, step in zip(start, strides, strict=True))
        put = partial(_put_pixels, offset=first, strides=tuple(strides), dtype=dtype, locate=locate)
        writes.append(Write(path=path, array=array, region=part, put=put))
    return writes


def _put_pixels(
    path: Path,
    pixels: BlockReader,
    *,
    offset: int,
    strides: tuple[int, ...],
    dtype: np.dtype[Any],
    locate: Callable[[Path], int] | None,
) -> None:
    """Write pixels to a file of known length."""
    offset += locate(path) if locate else 0
    with path.open("r+b") as file:
        for block in pixels:
            write_block(file, offset, strides, block, dtype)
