"""Common properties of TIFF pages of one kind, as tifffile describes one of them.

TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.pages.damage import reason_of
from napari_ferry.codecs.tiff.pages.describe import describe_page
from napari_ferry.codecs.tiff.pages.fax import checked_decoder
from napari_ferry.codecs.tiff.pages.image_end import with_end_check
from napari_ferry.codecs.tiff.pages.page_check import (
    check_decoder,
    check_page,
    max_growth,
    segment_grid,
    segment_shape,
)
from napari_ferry.codecs.tiff.pages.pixel_size import PixelSize, read_pixel_size
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
"""Errors raised by tifffile and imagecodecs on damaged files."""

COLOR = (2, 6)
"""Photometric interpretations whose samples are a color in RGB, once decoded."""

OTHER_COLOR = {5: "CMYK", 8: "CIELAB", 9: "ICCLAB", 10: "ITULAB"}
"""Photometric interpretations whose samples are colors other than RGB, and are not converted."""

WHITE_IS_ZERO = 0
"""Photometric interpretation of samples with light pixels at low values."""

_UNSPECIFIED = 0
"""Value of the tag ExtraSamples for a sample other than transparency."""

PALETTE = 3
"""Photometric interpretation whose samples are indices of a color table."""


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
    """Move of one axis of a page, in the terms of `numpy.moveaxis`.

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
        True if the samples are a color, not channels.
    is_reduced : bool
        True if the page is marked as a smaller version of another page.
    raw_dtype : data type or None
        Type of the pixels in the file; None unless they are stored uncompressed in one block.
    fill : number
        Value of the pixels that the file leaves out.
    max_growth : float
        Maximum number of bytes of pixels from one stored byte.
    photometric : int
        The photometric interpretation.
    palette : array of uint16, axes (rgb, index), or None
        The color table, for pages whose pixels are indices of colors.
    pixel_size : PixelSize or None
        Size of the pixels of the first page of the kind, if it is known.
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
    max_growth: float
    photometric: int
    palette: NDArray[np.uint16] | None
    pixel_size: PixelSize | None
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
        look = self.is_color, self.is_reduced, has_palette, self.photometric == WHITE_IS_ZERO
        return self.shape, self.axes, self.dtype, *look

    @cached_property
    def segment_bytes(self) -> int:
        """Bytes of the pixels of one strip or tile."""
        return math.prod(self.segment) * self.shaped[4] * self.dtype.itemsize

    @cached_property
    def grid(self) -> tuple[int, int, int, int]:
        """Number of strips or tiles along separate samples, depth, length and width."""
        return segment_grid(self.shaped, self.segment)


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
        f"{path.name} is damaged or of an unsupported kind{reason_of(error)}: get a complete copy "
        "of the file, or save it as plain TIFF with the program that wrote it."
    )


def has_color(page: tifffile.TiffPage) -> bool:
    """Return True if the samples of a page are a color.

    A fourth sample of unspecified meaning is not transparency, but for example near infrared.
    """
    is_unspecified = page.samplesperpixel == 4 and page.extrasamples[:1] == (_UNSPECIFIED,)
    return page.photometric in COLOR and not is_unspecified


def convert_page(page: tifffile.TiffPage) -> PageKind:
    """Convert tifffile's description of a page.

    Raises
    ------
    DamageError
        The page has no pixels, or impossible sizes.
    UnreadableFileError
        The compression, or another property, is not supported.
    """
    check_page(page)
    check_decoder(page)

    raw = page.is_final and page.bitspersample % 8 == 0 and min(page.dataoffsets) > 0
    palette = page.colormap if page.photometric == PALETTE else None
    dtype = np.dtype(page.dtype)

    return PageKind(
        shape=tuple(int(n) for n in page.shape),
        axes=page.axes.lower(),
        dtype=dtype.newbyteorder("="),
        shaped=tuple(int(n) for n in page.shaped),
        segment=segment_shape(page),
        is_color=has_color(page),
        is_reduced=bool(page.is_reduced),
        raw_dtype=dtype.newbyteorder(page.parent.byteorder) if raw else None,
        fill=page.nodata,
        max_growth=max_growth(page),
        photometric=int(page.photometric),
        palette=palette if palette is not None and palette.shape[0] == 3 and palette.size else None,
        pixel_size=read_pixel_size(page),
        subifds=tuple(page.subifds or ()),
        decode=with_end_check(page, checked_decoder(page)),
        tables={"jpegtables": page.jpegtables, "jpegheader": page.jpegheader},
    )
