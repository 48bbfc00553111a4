"""Levels of a pyramid: smaller versions of pages, in SubIFDs or later in the chain.

SubIFDs: TIFF Technical Note 1 (Adobe PageMaker 6.0 TIFF Technical Notes, 1995).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array
from napari_ferry.codecs.tiff.pages.arrays import pages_array
from napari_ferry.codecs.tiff.pages.page_frames import as_bool, moved_shape
from napari_ferry.codecs.tiff.pages.page_kind import AxisMove, PageKind, read_page_kind
from napari_ferry.codecs.tiff.pages.pages import Pages, TiffPages
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.image import Image

if TYPE_CHECKING:
    from pathlib import Path

CHAIN_FACTORS = (2, 3, 4)
"""Factors between a page and the next smaller level in the chain, as in tifffile."""

_MAX_SUBIFDS = 64
"""Maximum number of pages below a page: a pyramid has fewer, a damaged file has any number."""

_MAX_CHECKED = 1000
"""Number of pages above which only the first file of an image is checked for its levels."""


@dataclass(frozen=True, kw_only=True)
class ImagePages:
    """Pages of one image, one for each frame.

    Parameters
    ----------
    files : sequence of Pages or None
        The files; ``None`` for a missing one.
    table : array of int64, axes frame, (file, page)
        Index of the file and of the page of each frame; negative for a missing page.
    lead : sequence of int
        Lengths of the leading axes, before the axes of a page.
    move : (int, int), optional
        How the stored axes of a page move; see `frame_axes`.
    """

    files: Sequence[Pages | None]
    table: NDArray[np.int64]
    lead: Sequence[int]
    move: AxisMove | None

    def to_array(self, frame: Sequence[int], dtype: np.dtype[Any]) -> Array:
        """Return the array of all pages; `frame` is the shape of one, after the move."""
        return pages_array(self.files, self.table, self.lead, frame, dtype, move=self.move)


def with_subifd_levels(image: Image, pages: ImagePages, kind: PageKind) -> Image:
    """Add the levels in the SubIFDs of an image's pages.

    Parameters
    ----------
    image : Image
        The image with its full resolution only.
    pages : ImagePages
        Its pages, in the chains of the files.
    kind : PageKind
        Kind of its first page.
    """
    path = next(file.path for file in pages.files if file is not None)
    levels: list[Array] = []
    rejected: list[PageKind] = []
    for index, small in subifd_levels(path, kind):
        files = [file and TiffPages(file.path, index) for file in pages.files]
        if _is_complete(files, pages.table, small):
            array = replace(pages, files=files).to_array(
                moved_shape(small.shape, pages.move), small.dtype
            )
            levels.append(as_bool(array) if image.dtype == bool else array)
        else:
            rejected.append(small)

    if rejected:
        _warn_rejected(path, rejected)
    return replace(image, levels=(*image.levels, *levels)) if levels else image


def with_levels(
    image: Image, full: ImagePages, levels: Sequence[tuple[PageKind, NDArray[np.int64]]]
) -> Image:
    """Add levels from the chain, each given as the kind and the numbers of its pages."""
    arrays = [
        replace(full, table=page_table(pages)).to_array(
            moved_shape(kind.shape, full.move), kind.dtype
        )
        for kind, pages in levels
    ]
    return replace(image, levels=(*image.levels, *arrays))


def page_table(pages: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the page table of a single file; see `ImagePages`."""
    return np.stack([np.zeros_like(pages), pages], -1)


def usable_subifds(path: Path, kind: PageKind) -> tuple[int, ...]:
    """Return the offsets of the SubIFDs of a page; warn if there are impossibly many."""
    if len(kind.subifds) <= _MAX_SUBIFDS:
        return kind.subifds
    warn(
        f"A page of {path.name} lists {len(kind.subifds)} SubIFDs, of which the first "
        f"{_MAX_SUBIFDS} are read: the file is damaged, or the others must be opened with the "
        "program that wrote it."
    )
    return kind.subifds[:_MAX_SUBIFDS]


def subifd_levels(path: Path, kind: PageKind) -> list[tuple[int, PageKind]]:
    """Return index and kind of each SubIFD with a smaller version of a page."""
    levels: list[tuple[int, PageKind]] = []
    last = kind
    for index, ifd in enumerate(usable_subifds(path, kind)):
        try:
            small = read_page_kind(path, ifd)
        except UnreadableFileError as error:
            warn(f"A smaller image is left out: {error}")
            continue
        if is_level(last, small):
            levels.append((index, small))
            last = small
    return levels


def _is_complete(files: Sequence[Pages | None], table: NDArray[np.int64], small: PageKind) -> bool:
    """Return True if the SubIFDs of all pages agree in shape, axes and dtype."""
    existing = table[(table >= 0).all(1)]
    if len(existing) > _MAX_CHECKED:
        existing = existing[existing[:, 0] == existing[0, 0]]
    try:
        kinds = [
            file.kind(kind)
            for index in np.unique(existing[:, 0]).tolist()
            if (file := files[index]) is not None
            for kind in _kind_numbers(file, existing[existing[:, 0] == index, 1])
        ]
    except UnreadableFileError:  # a page without this SubIFD, or with a damaged one
        return False
    expected = (small.shape, small.axes, small.dtype)
    return all((kind.shape, kind.axes, kind.dtype) == expected for kind in kinds)


def _kind_numbers(file: Pages, pages: NDArray[np.int64]) -> list[int]:
    """Return the numbers of the kinds of pages, without pages beyond the end of a file."""
    numbers: list[int] = np.unique(file.kinds[pages[pages < len(file)]]).tolist()
    return numbers


def _warn_rejected(path: Path, rejected: Sequence[PageKind]) -> None:
    """Warn of all rejected levels in one sentence."""
    shapes = " and ".join(str(kind.shape) for kind in rejected)
    warn(
        f"Levels {shapes} of {path.name} are left out, because some pages lack them or have them "
        "in another shape or type: get a complete copy of the file, or save the image again with "
        "its pyramid."
    )


def is_level(full: PageKind, small: PageKind, factors: Sequence[int] = ()) -> bool:
    """Return True if pages are a smaller version of others, with y and x shrunk by one factor.

    Parameters
    ----------
    full, small : PageKind
        The larger pages and the smaller ones.
    factors : sequence of int
        Allowed factors; any factor if empty.
    """
    if (full.axes, full.dtype, full.is_color) != (small.axes, small.dtype, small.is_color):
        return False
    sizes = [*zip(full.axes, full.shape, small.shape, strict=True)]
    sides = [(n, m) for axis, n, m in sizes if axis in "yx"]
    others = [n == m for axis, n, m in sizes if axis not in "yx"]
    if not all(others) or any(m > n for n, m in sides) or full.shape == small.shape:
        return False

    # a rounded side differs by up to one pixel, and in large images by a thousandth
    large = max(sides)
    steps: Sequence[float] = factors or (large[0] / large[1],)
    return any(all(abs(n / step - m) < 1 + n / step / 1000 for n, m in sides) for step in steps)
