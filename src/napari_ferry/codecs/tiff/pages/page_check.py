"""Checks of the numbers of a TIFF page, before memory is allocated for its pixels.

TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from napari_ferry.arguments import is_count
from napari_ferry.codecs.tiff.pages.damage import DamageError
from napari_ferry.errors import UnreadableFileError

if TYPE_CHECKING:
    import tifffile

_MAX_GROWTH = {1: 4.0, 5: 4096.0, 8: 1032.0, 32773: 64.0, 32946: 1032.0, 50013: 1032.0}
"""Maximum bytes of pixels per stored byte, by Compression: none, LZW, deflate, PackBits, deflate.

Uncompressed color may be subsampled. Other compressions have no limit, or a very high one.
"""

_SPARSE_GROWTH = 1 << 20
"""Bytes of pixels per byte of the file, above which a sparse page is damaged.

Such a page lists omitted tiles, at 8 bytes or more each.
"""

_SMALL_SEGMENT = 1 << 20
_LARGE_SEGMENT = 1 << 27
_HUGE_SEGMENT = 1 << 30


def check_page(page: tifffile.TiffPage) -> None:
    """Refuse an unreadable page before memory is allocated for it."""
    import tifffile

    # a damaged type of a tag makes sizes that are negative, or not whole
    if page.dtype is None or not page.shape or not all(is_count(n, 1) for n in page.shape):
        raise DamageError("it has no pixels, or pixels of an unknown type")
    if 0 in segment_shape(page):
        raise DamageError("it has strips or tiles without pixels")
    _check_growth(page)
    if page.compression == 1:
        return

    try:
        _ = tifffile.TIFF.DECOMPRESSORS[page.compression]
    except KeyError as error:
        name = getattr(page.compression, "name", page.compression)
        raise UnreadableFileError(
            f"{page.parent.filehandle.name} is compressed with {name}, which is not supported: "
            "save it uncompressed or with deflate in the program that wrote it."
        ) from error


def check_decoder(page: tifffile.TiffPage) -> None:
    """Refuse a page in a form unknown to tifffile, regardless of its strips or tiles."""
    try:
        page.decode(None, 0)
    except (ValueError, NotImplementedError) as error:
        compression = getattr(page.compression, "name", page.compression)
        raise UnreadableFileError(
            f"{page.parent.filehandle.name} has pixels that are not supported (compression "
            f"{compression}, predictor {int(page.predictor)}, {page.bitspersample} bits): save it "
            "uncompressed or with deflate in the program that wrote it."
        ) from error


def _check_growth(page: tifffile.TiffPage) -> None:
    """Refuse a page of more pixels than the file can contain."""
    nbytes, counts = page.nbytes, page.databytecounts
    is_sparse = not (all(counts) and all(page.dataoffsets))
    growth = _SPARSE_GROWTH if is_sparse else min(max_growth(page), _SPARSE_GROWTH)
    stored = page.parent.filehandle.size
    if nbytes > growth * stored:
        raise DamageError(f"pages of {nbytes} bytes in {stored} bytes")
    if not is_sparse and page.compression == 1:
        return

    n = math.prod(segment_grid(page.shaped, segment_shape(page)))
    if len(counts) < n:
        raise DamageError(f"{len(counts)} of {n} strips or tiles")
    stored = min(stored, max(counts, default=0))
    check_segment(_segment_bytes(page), stored, max_growth(page))


def max_growth(page: tifffile.TiffPage) -> float:
    """Return the maximum number of bytes of pixels from one byte of a page."""
    unpacked = np.dtype(page.dtype).itemsize * 8 / max(1, page.bitspersample)
    return _MAX_GROWTH.get(int(page.compression), math.inf) * max(1.0, unpacked)


def check_segment(nbytes: int, stored: int, most: float = math.inf) -> None:
    """Refuse a strip or tile of implausible decoded size, before it fills the memory.

    No image of a gigabyte shrinks to 1/200, and none of an eighth of that to 1/1032, which is the
    limit of deflate.

    Parameters
    ----------
    nbytes, stored : int
        Decoded and stored size, in bytes.
    most : float
        Maximum number of bytes of pixels from one stored byte.

    Raises
    ------
    DamageError
        The decoded size is implausible.
    """
    if nbytes <= _SMALL_SEGMENT:
        return
    growth = nbytes / max(1, stored)
    # a strip or tile that is left out is filled
    small = (_SMALL_SEGMENT, most if stored else math.inf)
    limits = ((_HUGE_SEGMENT, 200.0), (_LARGE_SEGMENT, 1032.0), small)
    if any(nbytes > size and growth > limit for size, limit in limits):
        raise DamageError(f"{stored} bytes that would become {nbytes}")


def segment_shape(page: tifffile.TiffPage) -> tuple[int, int, int]:
    """Return depth, length and width of one strip or tile."""
    if page.is_tiled:
        return int(page.tiledepth), int(page.tilelength), int(page.tilewidth)
    # a file may specify strips of up to 2**32 - 1 rows
    return 1, max(1, min(int(page.rowsperstrip), page.shaped[2])), page.shaped[3]


def segment_grid(shaped: Sequence[int], segment: Sequence[int]) -> tuple[int, int, int, int]:
    """Return the number of strips or tiles along separate samples, depth, length and width."""
    d, y, x = (-(-int(n) // step) for n, step in zip(shaped[1:4], segment, strict=True))
    return int(shaped[0]), d, y, x


def _segment_bytes(page: tifffile.TiffPage) -> int:
    return math.prod(segment_shape(page)) * page.shaped[4] * np.dtype(page.dtype).itemsize
