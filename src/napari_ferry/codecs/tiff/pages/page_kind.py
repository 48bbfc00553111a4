"""What TIFF pages of one kind have in common, as tifffile describes one of them.

TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.pages.describe import describe_page
from napari_ferry.errors import UnreadableFileError

if TYPE_CHECKING:
    import tifffile

TIFFFILE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
"""What tifffile and imagecodecs raise on damaged files."""

COLOR = (2, 5, 6, 8, 9, 10)

PALETTE = 3
_SPARSE_GROWTH = 1 << 24
"""A page of more bytes than this, for each byte of the file, is a bomb; sparse ones have less."""
_LARGE_SEGMENT = 1 << 28
_HUGE_SEGMENT = 1 << 30


@dataclass(frozen=True)
class PageKind:
    """What pages of one kind have in common.

    Parameters
    ----------
    shape, axes, dtype
        Of one page, as it is stored; axes as lower-case letters.
    shaped : tuple of int
        tifffile's five dimensions: separate samples, depth, length, width, samples.
    segment : tuple of int
        Depth, length and width of one strip or tile, in pixels.
    is_color : bool
        Whether its samples are those of a color, not channels.
    is_reduced : bool
        Whether it says that it is a smaller version of another page.
    raw_dtype : data type or None
        How the pixels lie in the file when they lie there as they are, in one piece.
    fill : number
        What pixels are that the file leaves out.
    palette : array of uint16, axes (rgb, index), or None
        The colors that its pixels are the numbers of.
    subifds : tuple of int
        Where the directories of the pages below the first page of the kind begin.
    decode : callable
        tifffile's decoder of one strip or tile.
    tables : dict
        What JPEG decoders need besides.
    """

    shape: tuple[int, ...]
    axes: str
    dtype: np.dtype[Any]
    shaped: tuple[int, ...]
    segment: tuple[int, int, int]
    is_color: bool
    is_reduced: bool
    raw_dtype: np.dtype[Any] | None
    fill: float
    palette: NDArray[np.uint16] | None
    subifds: tuple[int, ...]
    decode: Callable[..., Any] = field(repr=False)
    tables: dict[str, bytes | None] = field(repr=False)

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels of one page."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def appearance(self) -> tuple[Hashable, ...]:
        """What pages have in common that can be frames of one stack, however each is stored."""
        has_palette = self.palette is not None
        return self.shape, self.axes, self.dtype, self.is_color, self.is_reduced, has_palette

    @property
    def segment_bytes(self) -> int:
        """Bytes of the pixels of one strip or tile."""
        return math.prod(self.segment) * self.shaped[4] * self.dtype.itemsize

    @property
    def grid(self) -> tuple[int, int, int, int]:
        """How many strips or tiles there are along separate samples, depth, length and width."""
        inner = zip(self.shaped[1:4], self.segment, strict=True)
        d, y, x = (math.ceil(n / step) for n, step in inner)
        return self.shaped[0], d, y, x


def page_kind(path: Path, ifd: int) -> PageKind:
    """Let tifffile describe the page whose directory is at an offset.

    Raises
    ------
    UnreadableFileError
        There is no page, it is damaged, or it is compressed in a way that is not known.
    """
    try:
        with describe_page(path, ifd) as page:
            return kind_of(page)
    except TIFFFILE_ERRORS as error:
        raise UnreadableFileError(
            f"{path} is damaged or of a kind that is not known ({error}): get a whole copy, or "
            "save it as plain TIFF with the program that wrote it."
        ) from error


def page_segments(path: Path, ifd: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Let tifffile find the strips of a page that does not say as usual where they are.

    Old JPEG has tags of its own for that, and some programs leave out the number of bytes.
    """
    with describe_page(path, ifd) as page:
        return np.array(page.dataoffsets, np.int64), np.array(page.databytecounts, np.int64)


def kind_of(page: tifffile.TiffPage) -> PageKind:
    """Take over what tifffile says of a page.

    Raises
    ------
    ValueError
        No pixels, impossible sizes.
    UnreadableFileError
        A compression that is not known.
    """
    _check_page(page)
    raw = page.is_final and page.bitspersample % 8 == 0 and min(page.dataoffsets) > 0
    shaped = tuple(int(n) for n in page.shaped)
    palette = page.colormap if page.photometric == PALETTE else None
    dtype = np.dtype(page.dtype)
    return PageKind(
        tuple(int(n) for n in page.shape),
        page.axes.lower(),
        dtype.newbyteorder("="),
        shaped,
        _segment(page),
        page.photometric in COLOR,
        bool(page.is_reduced),
        dtype.newbyteorder(page.parent.byteorder) if raw else None,
        page.nodata,
        None if palette is None or palette.shape[0] != 3 else palette,
        tuple(page.subifds or ()),
        page.decode,
        {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader},
    )


def _check_page(page: tifffile.TiffPage) -> None:
    """Refuse a page that cannot be read, before anything is allocated for it."""
    import tifffile

    if page.dtype is None or 0 in page.shape or not page.shape:
        raise ValueError(f"shape {page.shape}, type {page.dtype}")
    if 0 in _segment(page):
        raise ValueError(f"strips or tiles of {_segment(page)}")
    if page.nbytes > _SPARSE_GROWTH * page.parent.filehandle.size:
        raise ValueError(f"pages of {page.nbytes} bytes in {page.parent.filehandle.size}")
    if page.compression == 1:
        return
    check_segment(_segment_bytes(page), max(page.databytecounts, default=0))
    try:
        _ = tifffile.TIFF.DECOMPRESSORS[page.compression]
    except KeyError as error:
        name = getattr(page.compression, "name", page.compression)
        raise UnreadableFileError(
            f"{page.parent.filehandle.path} is compressed with {name}, which is not known here: "
            "save it uncompressed or with deflate in the program that wrote it."
        ) from error


def check_segment(nbytes: int, stored: int) -> None:
    """Refuse a strip or tile that would fill the memory with next to nothing.

    Deflate makes at most 1,032 bytes of one; no image of a gigabyte shrinks to a 200th.

    Raises
    ------
    ValueError
        It would.
    """
    growth = nbytes / stored if stored else 0
    if (nbytes > _LARGE_SEGMENT and growth > 1032) or (nbytes > _HUGE_SEGMENT and growth > 200):
        raise ValueError(f"{stored} bytes that become {nbytes}")


def _segment(page: tifffile.TiffPage) -> tuple[int, int, int]:
    """Return depth, length and width of one strip or tile."""
    if page.is_tiled:
        return int(page.tiledepth), int(page.tilelength), int(page.tilewidth)
    # nothing stops a file from announcing strips of 2**32 - 1 rows
    return 1, max(1, min(int(page.rowsperstrip), page.shaped[2])), page.shaped[3]


def _segment_bytes(page: tifffile.TiffPage) -> int:
    return math.prod(_segment(page)) * page.shaped[4] * np.dtype(page.dtype).itemsize
