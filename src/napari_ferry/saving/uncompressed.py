"""Writes that lay pixels, uncompressed, into a file that has its full length already."""

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
"""Pixels that one write lays down."""


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
    """Plan the writes that lay a region of an array uncompressed into a pre-sized file.

    No chunk of the source is read for two of them.

    Parameters
    ----------
    path : Path
        The file.
    array : array
        The source; of a `Stack`, each part is read by itself.
    region : Region
        The region of the source.
    lead : int
        Leading axes, along which a `Stack` may be taken apart.
    strides : sequence of int
        Bytes in the file from one index to the next, along each axis of the source.
    dtype : data type
        How samples are stored.
    offset : int
        Where the region' first sample lies, in bytes from the beginning of the pixels.
    locate : callable, optional
        Finds where the pixels begin in the partial file; they begin at 0 when absent.
    """
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
    for piece in split_by_bytes(array, region, _WRITE_BYTES):
        start = [p.start - b.start for p, b in zip(piece, region, strict=True)]
        at = offset + sum(i * step for i, step in zip(start, strides, strict=True))
        put = partial(_put_pixels, offset=at, strides=tuple(strides), dtype=dtype, locate=locate)
        writes.append(Write(path, array, piece, put))
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
    """Lay pixels into a pre-sized file."""
    offset += locate(path) if locate else 0
    with path.open("r+b") as file:
        for block in pixels:
            write_block(file, offset, strides, block, dtype)
