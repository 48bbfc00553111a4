"""The levels of a pyramid: smaller versions of pages, below them or behind them in the chain."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array
from napari_ferry.codecs.tiff.pages.arrays import pages_array
from napari_ferry.codecs.tiff.pages.page_frames import as_bool, moved
from napari_ferry.codecs.tiff.pages.page_kind import PageKind, page_kind
from napari_ferry.codecs.tiff.pages.pages import Pages, TiffPages
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Image

if TYPE_CHECKING:
    from pathlib import Path

CHAIN_FACTORS = (2, 3, 4)
"""How much smaller the next level may be that stands in the chain, as tifffile has it."""

_LOOKED_AT = 1000
"""Pages of an image above which only its first file is asked whether levels are whole."""


class Stack(NamedTuple):
    """Which pages make up an image; as for `pages_array`."""

    files: Sequence[Pages | None]
    table: NDArray[np.int64]
    lead: Sequence[int]
    move: tuple[int, int] | None


def with_levels_below(image: Image, stack: Stack, kind: PageKind) -> Image:
    """Add the levels that stand below the pages of an image.

    Parameters
    ----------
    image : Image
        Its full resolution.
    stack : Stack
        Its pages, in the files' chains.
    kind : PageKind
        What its first page is.
    """
    path = next(file.path for file in stack.files if file is not None)
    levels: list[Array] = []
    odd: list[PageKind] = []
    for k, small in levels_below(path, kind):
        below = [file and TiffPages(file.path, k) for file in stack.files]
        if _is_whole(below, stack.table, small):
            levels.append(_level(image, stack, below, small))
        else:
            odd.append(small)
    if odd:
        _warn_odd(path, odd)
    return replace(image, levels=(*image.levels, *levels)) if levels else image


def with_levels(
    image: Image, stack: Stack, kinds: Sequence[tuple[PageKind, NDArray[np.int64]]]
) -> Image:
    """Add the levels that stand in the chain: for each, what its pages are, and which."""
    (source,) = stack.files
    levels = []
    for kind, pages in kinds:
        table = page_table(pages)
        frame = moved(kind.shape, stack.move)
        levels.append(pages_array([source], table, stack.lead, frame, kind.dtype, move=stack.move))
    return replace(image, levels=(*image.levels, *levels))


def page_table(pages: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return pages of one file as a table; see `pages_array`."""
    return np.stack([np.zeros_like(pages), pages], -1)


def levels_below(path: Path, kind: PageKind) -> list[tuple[int, PageKind]]:
    """Return which pages below a page are smaller versions of it, and what they are."""
    found: list[tuple[int, PageKind]] = []
    last = kind
    for k, ifd in enumerate(kind.subifds):
        try:
            small = page_kind(path, ifd)
        except UnreadableFileError as error:
            warnings.warn(f"A smaller image is left out: {error}", FerryWarning, stacklevel=3)
            continue
        if is_level(last, small):
            found.append((k, small))
            last = small
    return found


def _is_whole(below: Sequence[Pages | None], table: NDArray[np.int64], small: PageKind) -> bool:
    """Whether the pages below all pages of an image are alike; of many files, one is looked at."""
    named = table[(table >= 0).all(1)]
    if len(named) > _LOOKED_AT:
        named = named[named[:, 0] == named[0, 0]]
    try:
        kinds = [
            file.kind(kind)
            for n in np.unique(named[:, 0]).tolist()
            if (file := below[n]) is not None
            for kind in _kinds_of(file, named[named[:, 0] == n, 1])
        ]
    except UnreadableFileError:  # it has no such page, or not a sound one
        return False
    expected = (small.shape, small.axes, small.dtype)
    return all((kind.shape, kind.axes, kind.dtype) == expected for kind in kinds)


def _kinds_of(file: Pages, pages: NDArray[np.int64]) -> list[int]:
    """Return the kinds of pages, of those that are there."""
    found: list[int] = np.unique(file.kinds[pages[pages < len(file)]]).tolist()
    return found


def _warn_odd(path: Path, odd: Sequence[PageKind]) -> None:
    """Say which levels are left out, all in one sentence."""
    shapes = " and ".join(str(kind.shape) for kind in odd)
    warnings.warn(
        f"{path.name} has smaller versions {shapes} of some of its pages only, or of other shape "
        "or type: they are left out; get a whole copy, or save the image again for all of them.",
        FerryWarning,
        stacklevel=3,
    )


def _level(image: Image, stack: Stack, files: Sequence[Pages | None], small: PageKind) -> Array:
    """Return one level, from the pages below each page."""
    frame = moved(small.shape, stack.move)
    array = pages_array(files, stack.table, stack.lead, frame, small.dtype, move=stack.move)
    return as_bool(array) if image.dtype == bool else array


def is_level(full: PageKind, small: PageKind, factors: Sequence[int] = ()) -> bool:
    """Whether pages are a smaller version of others: alike but for y and x, which shrink alike.

    Parameters
    ----------
    full, small : PageKind
        The larger pages and the smaller.
    factors : sequence of int
        How much smaller they may be; by anything when empty.
    """
    if (full.axes, full.dtype, full.is_color) != (small.axes, small.dtype, small.is_color):
        return False
    sizes = [
        (n, m)
        for axis, n, m in zip(full.axes, full.shape, small.shape, strict=True)
        if axis in "yx"
    ]
    others = [n == m for a, n, m in zip(full.axes, full.shape, small.shape, strict=True)
              if a not in "yx"]  # fmt: skip
    if not all(others) or any(m > n for n, m in sizes) or full.shape == small.shape:
        return False
    large = max(sizes)
    steps: Sequence[float] = factors or (large[0] / large[1],)
    return any(all(abs(n / step - m) < 1 + n / step / 1000 for n, m in sizes) for step in steps)
