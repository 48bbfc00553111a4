"""What a page of a TIFF file is as a frame, and where a stack of them lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, Frames
from napari_ferry.codecs.tiff.pages.arrays import AsBool, map_frames, pages_array
from napari_ferry.codecs.tiff.pages.header import Header, next_page
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.codecs.tiff.pages.tiles import Tiles
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Image
from napari_ferry.image.record import Description

_OUR_WRITERS = ("napari-ferry", "tifffile")
"""Software that lays the pixels of a stack down in one piece, in order."""


class Page(Protocol):
    """What `Header` and `PageKind` both say of a page."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def axes(self) -> str: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def is_color(self) -> bool: ...


def frame_axes(page: Page) -> tuple[str, tuple[int, int] | None]:
    """Return the axes of a page as they are opened, and how its stored axes move for that.

    Samples of a color come last, as ``s``; other samples are channels and come first.
    """
    first, last = page.axes.startswith("s"), page.axes.endswith("s")
    inner = page.axes.strip("s")
    if not first and not last:
        return inner, None
    if page.is_color and page.shape[0 if first else -1] in (3, 4):
        return inner + "s", (0, -1) if first else None
    return "c" + inner, (-1, 0) if last else None


def moved(shape: Sequence[int], move: tuple[int, int] | None) -> tuple[int, ...]:
    """Return the shape of a page after an axis moved."""
    return np.moveaxis(np.empty(shape, "V0"), *move).shape if move else tuple(shape)


def map_stack(header: Header, n: int, *, is_imagej: bool = False) -> NDArray[Any] | None:
    """Map `n` frames that follow each other, without looking at their pages.

    That is safe where ImageJ or a writer that is known laid down a stack: all its pixels stand
    before the second directory.
    """
    end = header.start + n * header.nbytes
    known = is_imagej or header.software.startswith(_OUR_WRITERS)
    is_raw = header.raw_dtype is not None and header.start > 0
    if header.raw_dtype is None or not is_raw or not known or end > header.stamp.nbytes:
        return None
    if n > 1 and (0 < header.next_page < end or (header.next_page == 0 and not is_imagej)):
        return None
    return map_frames(header.path, header.start, header.nbytes, n, header.shape, header.raw_dtype)


def map_whole_file(header: Header, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """Map the one array of a file that holds nothing else, without looking at all its pages.

    Directories of a stack are of one length and follow each other, so that the last one is found
    by counting; it must be the end of the chain.
    """
    n, rest = divmod(math.prod(shape), math.prod(header.shape))
    flat = map_stack(header, n) if n and not rest else None
    if flat is None:
        return None
    last = header.next_page
    if n > 2:
        third = next_page(header.path, last)
        last += (third - last) * (n - 2)
    is_end = (last == 0) if n == 1 else last > 0 and next_page(header.path, last) == 0
    return flat.reshape(shape) if is_end else None


def array_by_page(
    header: Header,
    pages: NDArray[np.int64],
    shape: Sequence[int],
    lead: int,
    move: tuple[int, int] | None,
) -> Array:
    """Return the array of a stack whose pages are looked up in the file."""
    source = TiffPages(header.path)
    if pages.max() >= len(source):
        raise UnreadableFileError(
            f"{header.path} is cut off: it has {len(source)} of {pages.max() + 1} pages; get a "
            "whole copy."
        )
    table = np.stack([np.zeros_like(pages), pages], -1)
    return pages_array([source], table, shape[:lead], shape[lead:], header.dtype, move=move)


def with_pixels(description: Description, *levels: Array) -> Image:
    """Join a description with its pixels; truth values were stored as 0 and 1."""
    if description.dtype == "bool":
        levels = tuple(map(as_bool, levels))
    return description.to_image(*levels)


def as_bool(array: Array) -> Array:
    """Return truth values that were stored as 0 and 1; other arrays as they are."""
    if array.dtype != np.uint8:
        return array
    if isinstance(array, Frames):
        return Frames(AsBool(array.read), array.shape, bool, array.lead)
    if isinstance(array, Tiles):
        return array.astype(bool)
    return array.view(bool) if isinstance(array, np.ndarray) else array
