"""Reading and decoding of pages, strips and tiles of an open TIFF file.

TIFF 6.0 (Adobe, 1992) and BigTIFF. The kind of a page contains the decoder of tifffile.
"""

from __future__ import annotations

import math
import os
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.pages.damage import DamageError
from napari_ferry.codecs.tiff.pages.page_check import check_segment
from napari_ferry.codecs.tiff.pages.page_kind import PageKind, Segments
from napari_ferry.codecs.tiff.pages.template import read_into
from napari_ferry.codecs.tiff.pages.tifffile_log import silent_within

_MAX_OFFSET = 1 << 43
"""Larger than any file of a common file system; systems refuse to seek there."""


def read_page(
    file: BinaryIO, kind: PageKind, segments: Segments, out: NDArray[Any] | None = None
) -> NDArray[Any]:
    """Read and decode all strips or tiles of one page.

    Parameters
    ----------
    file : binary file
        Open for reading.
    kind : PageKind
        The kind of the page.
    segments : Segments
        Its strips or tiles.
    out : array, optional
        Target of the pixels: in C order, of the shape and native type of the page.

    Returns
    -------
    array
        `out`, or a new array, with the axes and dtype of the kind.

    Raises
    ------
    DamageError
        The page is cut off; another of the `TIFFFILE_ERRORS` if it is damaged.
    """
    is_raw = kind.raw_dtype is not None and is_contiguous(segments)
    if not is_raw:
        check_segments(kind, segments)
    if out is None:
        out = np.empty(kind.shape, kind.dtype)
    if is_raw:
        read_into(file, int(segments.offsets[0]), out)
        return out if kind.raw_dtype == kind.dtype else out.byteswap(inplace=True)

    out[...] = kind.fill  # strips may be left out, or shorter than they should be
    shaped = out.reshape(kind.shaped)
    with silent_within():
        counts = segments.counts.tolist()
        for i, offset in enumerate(segments.offsets.tolist()):
            data = read_segment(file, kind, offset, counts[i])
            segment, (s, d, y, x, _), shape = kind.decode(data, i, **kind.tables)
            if segment is not None:
                target = shaped[s, d : d + shape[0], y : y + shape[1], x : x + shape[2]]
                target[...] = segment[tuple(slice(n) for n in target.shape)]
    return out


def check_segments(kind: PageKind, segments: Segments) -> None:
    """Refuse a page without the offsets and sizes of all its strips or tiles.

    Raises
    ------
    DamageError
        Some are missing, or too small for the pixels that they should contain.
    """
    offsets, counts = segments
    n = math.prod(kind.grid)
    if len(offsets) < n or len(counts) < n:
        raise DamageError(f"{len(offsets)} offsets and {len(counts)} sizes of {n} strips or tiles")
    check_segment(kind.segment_bytes, max(counts.tolist()), kind.max_growth)


def is_contiguous(segments: Segments) -> bool:
    """Return True if every strip exists and directly follows the one before it."""
    offsets, counts = segments
    in_file = len(offsets) and 0 < offsets[0] < _MAX_OFFSET
    return bool(in_file and (offsets[1:] == offsets[:-1] + counts[:-1]).all())


def read_segment(file: BinaryIO, kind: PageKind, offset: int, count: int) -> bytes | None:
    """Read the bytes of a strip or tile, or None if the file leaves it out.

    Raises
    ------
    DamageError
        The strip or tile is cut off, or would fill the memory.
    """
    if not offset or not count:
        return None
    if not (0 < offset < _MAX_OFFSET and 0 < count < _MAX_OFFSET):
        raise DamageError(f"a strip or tile at byte {offset}, of {count} bytes")
    check_segment(kind.segment_bytes, count, kind.max_growth)
    if offset + count > os.fstat(file.fileno()).st_size:  # or memory for all of it is allocated
        raise DamageError("it ends before its last pixel")
    file.seek(offset)
    data = file.read(count)
    if len(data) < count:
        raise DamageError("it ends before its last pixel")
    return data
