"""Common properties of TIFF pages of one kind, as tifffile describes one of them.

TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

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
"""Errors that tifffile and imagecodecs raise on damaged files."""

COLOR = (2, 5, 6, 8, 9, 10)
"""Photometric interpretations whose samples are those of a color."""

PALETTE = 3
"""Photometric interpretation whose samples are indices of a color table."""

_SPARSE_GROWTH = 1 << 24
"""Bytes of pixels per byte of the file, above which a page is a bomb; sparse pages have fewer."""

_LARGE_SEGMENT = 1 << 28
_HUGE_SEGMENT = 1 << 30


class Segments(NamedTuple):
    """Strips or tiles of one page.

    Parameters
    ----------
    offsets, counts : array of int64, axis segment
        Offset of each in the file, and its stored size, in bytes.
    """

    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, offsets: Sequence[int], counts: Sequence[int]) -> Segments:
        """Convert two sequences of numbers to arrays."""
        return cls(np.array(offsets, np.int64), np.array(counts, np.int64))


class AxisMove(NamedTuple):
    """Move of one axis of a page, as `numpy.moveaxis` takes it.

    Parameters
    ----------
    source, destination : int
        Index of the axis in the stored page, and in the frame.
    """

    source: int
    destination: int


@dataclass(frozen=True, kw_only=True)
class PageKind:
    """Common properties of the pages of one kind.

    Parameters
    ----------
    shape, axes, dtype
        Of one page, as it is stored; axes as lower-case letters.
    shaped : tuple of int
        The five dimensions of tifffile: separate samples, depth, length, width, samples.
    segment : tuple of int
        Depth, length and width of one strip or tile, in pixels.
    is_color : bool
        True if the samples are those of a color, not channels.
    is_reduced : bool
        True if the page is marked as a smaller version of another page.
    raw_dtype : data type or None
        Type of the pixels in the file; None unless they are stored uncompressed in one block.
    fill : number
        Value of the pixels that the file leaves out.
    palette : array of uint16, axes (rgb, index), or None
        The color table, for pages whose pixels are indices of colors.
    subifds : tuple of int
        Offsets of the directories of the pages below the first page of the kind.
    decode : callable
        tifffile's decoder of one strip or tile.
    tables : dict
        Further arguments of the decoder, which JPEG needs.
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
        """Properties shared by all pages of a stack, independent of their storage."""
        has_palette = self.palette is not None
        return self.shape, self.axes, self.dtype, self.is_color, self.is_reduced, has_palette

    @property
    def segment_bytes(self) -> int:
        """Bytes of the pixels of one strip or tile."""
        return math.prod(self.segment) * self.shaped[4] * self.dtype.itemsize

    @property
    def grid(self) -> tuple[int, int, int, int]:
        """Number of strips or tiles along separate samples, depth, length and width."""
        inner = zip(self.shaped[1:4], self.segment, strict=True)
        d, y, x = (math.ceil(n / step) for n, step in inner)
        return self.shaped[0], d, y, x


def read_page_kind(path: Path, ifd: int) -> PageKind:
    """Describe the page whose directory is at an offset.

    Raises
    ------
    UnreadableFileError
        The page does not exist, is damaged, or uses an unknown compression.
    """
    try:
        with describe_page(path, ifd) as page:
            return convert_page(page)
    except TIFFFILE_ERRORS as error:
        raise unreadable_tiff(path, error) from error


def read_page_segments(path: Path, ifd: int) -> Segments:
    """Find the strips of a page without the usual tags.

    tifffile searches for them: old JPEG has tags of its own, and some programs leave out the
    numbers of bytes.
    """
    with describe_page(path, ifd) as page:
        return Segments.of(page.dataoffsets, page.databytecounts)


def unreadable_tiff(path: Path, error: Exception) -> UnreadableFileError:
    """Return the error for a file unknown to tifffile."""
    return UnreadableFileError(
        f"{path} is damaged or of an unsupported kind ({error}): get a complete copy of the file, "
        "or save it as plain TIFF with the program that wrote it."
    )


def convert_page(page: tifffile.TiffPage) -> PageKind:
    """Convert tifffile's description of a page.

    Raises
    ------
    ValueError
        The page has no pixels, or impossible sizes.
    UnreadableFileError
        The compression is unknown.
    """
    _check_page(page)

    raw = page.is_final and page.bitspersample % 8 == 0 and min(page.dataoffsets) > 0
    palette = page.colormap if page.photometric == PALETTE else None
    dtype = np.dtype(page.dtype)

    return PageKind(
        shape=tuple(int(n) for n in page.shape),
        axes=page.axes.lower(),
        dtype=dtype.newbyteorder("="),
        shaped=tuple(int(n) for n in page.shaped),
        segment=_segment_shape(page),
        is_color=page.photometric in COLOR,
        is_reduced=bool(page.is_reduced),
        raw_dtype=dtype.newbyteorder(page.parent.byteorder) if raw else None,
        fill=page.nodata,
        palette=None if palette is None or palette.shape[0] != 3 else palette,
        subifds=tuple(page.subifds or ()),
        decode=page.decode,
        tables={"jpegtables": page.jpegtables, "jpegheader": page.jpegheader},
    )


def _check_page(page: tifffile.TiffPage) -> None:
    """Refuse an unreadable page before memory is allocated for it."""
    import tifffile

    if page.dtype is None or 0 in page.shape or not page.shape:
        raise ValueError(f"shape {page.shape}, type {page.dtype}")
    if 0 in _segment_shape(page):
        raise ValueError(f"strips or tiles of {_segment_shape(page)}")
    if page.nbytes > _SPARSE_GROWTH * page.parent.filehandle.size:
        raise ValueError(f"pages of {page.nbytes} bytes in {page.parent.filehandle.size} bytes")
    if page.compression == 1:
        return

    check_segment(_segment_bytes(page), max(page.databytecounts, default=0))
    try:
        _ = tifffile.TIFF.DECOMPRESSORS[page.compression]
    except KeyError as error:
        name = getattr(page.compression, "name", page.compression)
        raise UnreadableFileError(
            f"{page.parent.filehandle.path} is compressed with {name}, which is not supported: "
            "save it uncompressed or with deflate in the program that wrote it."
        ) from error


def check_segment(nbytes: int, stored: int) -> None:
    """Refuse a strip or tile of implausible decoded size, before it fills the memory.

    Deflate makes at most 1,032 bytes of one byte; no image of a gigabyte shrinks to 1/200.

    Parameters
    ----------
    nbytes, stored : int
        Decoded and stored size, in bytes.

    Raises
    ------
    ValueError
        The decoded size is implausible.
    """
    growth = nbytes / stored if stored else 0
    if (nbytes > _LARGE_SEGMENT and growth > 1032) or (nbytes > _HUGE_SEGMENT and growth > 200):
        raise ValueError(f"{stored} bytes that would become {nbytes}")


def _segment_shape(page: tifffile.TiffPage) -> tuple[int, int, int]:
    """Return depth, length and width of one strip or tile."""
    if page.is_tiled:
        return int(page.tiledepth), int(page.tilelength), int(page.tilewidth)
    # a file may specify strips of up to 2**32 - 1 rows
    return 1, max(1, min(int(page.rowsperstrip), page.shaped[2])), page.shaped[3]


def _segment_bytes(page: tifffile.TiffPage) -> int:
    return math.prod(_segment_shape(page)) * page.shaped[4] * np.dtype(page.dtype).itemsize
