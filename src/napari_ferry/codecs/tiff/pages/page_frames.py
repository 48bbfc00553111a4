"""Frames made of the pages of a TIFF file, and arrays of stacks of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, Frames
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.codecs.tiff.pages.arrays import BoolReader, open_frames, pages_array
from napari_ferry.codecs.tiff.pages.header import Header, next_page
from napari_ferry.codecs.tiff.pages.lost_directories import CONTIGUOUS_WRITERS
from napari_ferry.codecs.tiff.pages.page_kind import AxisMove
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.codecs.tiff.pages.tiles import Tiles
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import Description


class Page(Protocol):
    """Properties of a page, common to `Header` and `PageKind`."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a page."""

    @property
    def axes(self) -> str:
        """Axes of a page, one letter each."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the samples."""

    @property
    def is_color(self) -> bool:
        """True if the samples of a pixel are a color."""


class FrameAxes(NamedTuple):
    """Axes of a frame, and their origin in the page.

    Parameters
    ----------
    names : str
        One lower-case letter for each axis of the frame.
    move : AxisMove or None
        Move of the sample axis; None if the frame has the order of the page.
    """

    names: str
    move: AxisMove | None


def frame_axes(page: Page) -> FrameAxes:
    """Return the axes of a frame made of a page.

    Samples of a color become the last axis, ``s``; other samples are channels and become the first
    axis, ``c``.
    """
    first, last = page.axes.startswith("s"), page.axes.endswith("s")
    inner = page.axes.strip("s")
    if not first and not last:
        return FrameAxes(inner, None)
    if page.is_color and page.shape[0 if first else -1] in (3, 4):
        return FrameAxes(inner + "s", AxisMove(0, -1) if first else None)
    return FrameAxes("c" + inner, AxisMove(-1, 0) if last else None)


def with_sample_channels(description: Description, page: Page) -> Description:
    """Turn the samples of a description into channels if its page has no color."""
    sizes = description.sizes
    if description.axes[-1].name != "s" or not frame_axes(page).names.startswith("c"):
        return description
    if sizes.get("c", 1) > 1:
        return description  # does not fit the page, and is refused

    lead = [axis for axis in description.axes[:-3] if axis.name != "c"]
    axes = (*lead, Axis("c"), *description.axes[-3:-1])
    shape = tuple(sizes["s"] if axis.name == "c" else sizes[axis.name] for axis in axes)
    return replace(description, shape=shape, axes=axes, channels=())


def moved_shape(shape: Sequence[int], move: AxisMove | None) -> tuple[int, ...]:
    """Return the shape of a page after the move of an axis."""
    return np.moveaxis(np.empty(shape, "V0"), *move).shape if move else tuple(shape)


def sample_count(page: Page) -> int:
    """Return the number of samples per pixel of a page, of a color or of channels."""
    return page.shape[page.axes.index("s")] if "s" in page.axes else 1


def open_even_stack(header: Header, n: int, *, is_single: bool = False) -> FileArray | None:
    """Open `n` consecutive frames from the first page on, without reading the other directories.

    This is correct for stacks of ImageJ and of known writers, which store all pixels before the
    second directory. None for other files.

    Parameters
    ----------
    header : Header
        The first page.
    n : int
        Number of frames.
    is_single : bool
        True if the first directory may be the only one, as in stacks of ImageJ.
    """
    end = header.start + n * header.nbytes
    is_known = is_single or header.software.startswith(CONTIGUOUS_WRITERS)
    is_raw = header.raw_dtype is not None and header.start > 0
    if header.raw_dtype is None or not is_raw or not is_known or end > header.stamp.nbytes:
        return None

    # the next directory must follow the pixels; a single directory must be known as such
    if n > 1 and (0 < header.next_page < end or (header.next_page == 0 and not is_single)):
        return None
    return open_frames(header.path, header.start, header.nbytes, n, header.shape, header.raw_dtype)


def open_whole_file(header: Header, shape: tuple[int, ...]) -> FileArray | None:
    """Open the only array of a file, without reading all its directories.

    None for other files; see `ends_after`.
    """
    n, rest = divmod(math.prod(shape), math.prod(header.shape))
    flat = open_even_stack(header, n) if n and not rest else None
    if flat is None:
        return None

    return flat.reshape(shape) if ends_after(header, n) else None


def ends_after(header: Header, n: int) -> bool:
    """Return True if page `n` is the last one, assuming adjacent directories.

    The directories of a stack mostly have one length, so the offset of the last one is computed.
    """
    second, third = header.next_page, header.third_page
    if n == 1:
        return second == 0
    if n == 2 or not second:
        return second > 0 and third == 0
    last = second + (third - second) * (n - 2)
    return last > 0 and next_page(header.path, last, header.stamp) == 0


def array_by_page(
    header: Header,
    pages: NDArray[np.int64],
    shape: Sequence[int],
    lead: int,
    move: AxisMove | None,
) -> Array:
    """Make the array of a stack from the directories of its pages.

    Parameters
    ----------
    header : Header
        The first page of the file.
    pages : array of int64, axis frame
        Number of the page of each frame.
    shape : sequence of int
        Shape of the array.
    lead : int
        Number of leading axes, before the axes of a frame.
    move : AxisMove or None
        Move of an axis of each page.

    Raises
    ------
    UnreadableFileError
        The file has too few pages.
    """
    source = TiffPages(header.path)
    if pages.max() >= len(source):
        raise UnreadableFileError(
            f"{header.path.name} is cut off: it has {len(source)} of {pages.max() + 1} pages; get "
            "a complete copy of the file."
        )
    table = np.stack([np.zeros_like(pages), pages], -1)
    return pages_array([source], table, shape[:lead], shape[lead:], header.dtype, move=move)


def with_pixels(description: Description, *levels: Array) -> Image:
    """Join a description with its pixels; pixels of bool are stored as 0 and 1."""
    if description.dtype == "bool":
        levels = tuple(map(as_bool, levels))
    return description.to_image(*levels)


def as_bool(array: Array) -> Array:
    """Convert pixels of 0 and 1 to bool; other arrays are returned unchanged."""
    if array.dtype != np.uint8:
        return array
    if isinstance(array, Frames):
        return Frames(BoolReader(array.read), array.shape, bool, array.lead)
    if isinstance(array, Tiles):
        return array.astype(bool)
    return array.view(bool) if isinstance(array, np.ndarray | FileArray) else array
