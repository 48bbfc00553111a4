"""Pages of TIFF files, and their strips or tiles, read from an open file and decoded.

TIFF 6.0 (Adobe, 1992) and BigTIFF. tifffile's decoder comes with the kind of a page.
"""

from __future__ import annotations

import math
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.pages.page_kind import PageKind, check_segment
from napari_ferry.codecs.tiff.pages.template import read_into

_MAX_OFFSET = 1 << 43
"""No file of a usual file system is longer; systems refuse to go there."""


def read_page(
    file: BinaryIO,
    kind: PageKind,
    offsets: NDArray[np.int64],
    counts: NDArray[np.int64],
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Read and decode all strips or tiles of one page, axes as its kind says.

    Parameters
    ----------
    file : binary file
        Open for reading.
    kind : PageKind
        What the page is.
    offsets, counts : array of int64, axis segment
        Where its strips or tiles lie, and their bytes.
    out : array, optional
        Where its pixels go: in C order, of its shape and native type.

    Raises
    ------
    ValueError
        It is cut off, or one of the `TIFFFILE_ERRORS`.
    """
    is_raw = kind.raw_dtype is not None and is_one_piece(offsets, counts)
    if not is_raw:
        check_segments(kind, offsets, counts)
    if out is None:
        out = np.empty(kind.shape, kind.dtype)
    if is_raw:
        read_into(file, int(offsets[0]), out)
        return out if kind.raw_dtype == kind.dtype else out.byteswap(inplace=True)
    out[...] = kind.fill  # strips may be left out, or shorter than they should be
    shaped = out.reshape(kind.shaped)
    for i in range(len(offsets)):
        data = read_segment(file, kind, int(offsets[i]), int(counts[i]))
        segment, (s, d, y, x, _), shape = kind.decode(data, i, **kind.tables)
        if segment is not None:
            place = shaped[s, d : d + shape[0], y : y + shape[1], x : x + shape[2]]
            place[...] = segment[tuple(slice(n) for n in place.shape)]
    return out


def check_segments(kind: PageKind, offsets: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
    """Refuse a page that does not say where all of its strips or tiles are.

    Raises
    ------
    ValueError
        Some are missing, or so small that they cannot be what they are said to be.
    """
    n = math.prod(kind.grid)
    if len(offsets) < n or len(counts) < n:
        raise ValueError(f"{len(offsets)} offsets and {len(counts)} sizes of {n} strips or tiles")
    check_segment(kind.segment_bytes, int(counts.max()))


def is_one_piece(offsets: NDArray[np.int64], counts: NDArray[np.int64]) -> bool:
    """Whether strips lie one behind the other, and all are there."""
    in_file = len(offsets) and 0 < offsets[0] < _MAX_OFFSET
    return bool(in_file and (offsets[1:] == offsets[:-1] + counts[:-1]).all())


def read_segment(file: BinaryIO, kind: PageKind, offset: int, count: int) -> bytes | None:
    """Read the bytes of a strip or tile, ``None`` for one that the file leaves out.

    Raises
    ------
    ValueError
        It is cut off, or would fill the memory.
    """
    if not offset or not count:
        return None
    if not (0 < offset < _MAX_OFFSET and 0 < count < _MAX_OFFSET):
        raise ValueError(f"a strip or tile at byte {offset}, of {count} bytes")
    check_segment(kind.segment_bytes, count)
    file.seek(offset)
    data = file.read(count)
    if len(data) < count:
        raise ValueError("it ends before its last pixel")
    return data
