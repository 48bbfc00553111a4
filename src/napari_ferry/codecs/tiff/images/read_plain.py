"""One TIFF file whose pages nothing describes -> its images."""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.images.color_table import read_in_color, with_palette
from napari_ferry.codecs.tiff.images.levels import (
    CHAIN_FACTORS,
    Stack,
    is_level,
    levels_below,
    page_table,
    with_levels,
    with_levels_below,
)
from napari_ferry.codecs.tiff.pages.arrays import pages_array
from napari_ferry.codecs.tiff.pages.page_frames import frame_axes, moved, with_pixels
from napari_ferry.codecs.tiff.pages.page_kind import PageKind
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import ASSUMED, Description
from napari_ferry.imagej import ASSUMED_TIME

Alike = tuple[PageKind, NDArray[np.int64]]
"""What pages are, and which of a file they are."""


def read_plain(source: TiffPages) -> list[Image]:
    """Open pages that nothing describes: those of one kind are one image.

    Smaller versions of pages become levels of their image, wherever they stand; other pages below
    pages are images of their own.

    Raises
    ------
    UnreadableFileError
        No page can be read.
    """
    groups = _pyramids(_alike(source))
    images = [_image(source, group) for group in groups]
    kinds = [kind for (kind, _), *_ in groups]
    return [*images, *read_below(source.path, kinds)]


def read_below(path: Path, kinds: Sequence[PageKind]) -> list[Image]:
    """Open the pages below pages of some kinds that are not smaller versions of them."""
    named = {k for kind in kinds for k in range(len(kind.subifds))}
    levels = {k for kind in kinds for k, _ in levels_below(path, kind)}
    sources = [TiffPages(path, k) for k in sorted(named - levels)]
    return [_image(source, [alike]) for source in sources for alike in _alike(source)]


def _alike(source: TiffPages) -> list[Alike]:
    """Group the pages of a file that look alike, however each of them is stored.

    Pages that cannot be read are left out with a warning.
    """
    found: dict[Hashable, tuple[PageKind, list[int]]] = {}
    problem = None
    for number in range(int(source.kinds.max(initial=-1)) + 1):
        try:
            kind = source.kind(number)
        except UnreadableFileError as error:
            problem = error
            continue
        found.setdefault(kind.appearance, (kind, []))[1].append(number)
    if problem and not found:
        raise problem
    if problem:
        warnings.warn(f"Some pages are left out: {problem}", FerryWarning, stacklevel=2)
    return [
        (kind, np.nonzero(np.isin(source.kinds, numbers))[0]) for kind, numbers in found.values()
    ]


def _pyramids(pages: Sequence[Alike]) -> list[list[Alike]]:
    """Put the kinds of pages together that are smaller versions of each other, largest first."""
    groups: list[list[Alike]] = []
    for kind, where in pages:
        above = (
            group
            for group in groups
            if len(group[-1][1]) == len(where) and is_level(group[-1][0], kind, CHAIN_FACTORS)
        )
        group = next(above, None)
        if group is None:
            groups.append([(kind, where)])
        else:
            group.append((kind, where))
    return groups


def _image(source: TiffPages, group: Sequence[Alike]) -> Image:
    """Return one image; its levels come from the chain, or else from below its pages."""
    kind, pages = group[0]
    if len(pages) > 1 and kind.palette is not None and len(group) == 1:
        in_color = read_in_color(source, pages, kind)
        if in_color is not None:
            return in_color
    axes, move = frame_axes(kind)
    lead = (len(pages),) if len(pages) > 1 else ()
    names = ("t", *axes) if lead else tuple(axes)
    frame = moved(kind.shape, move)
    metadata = {ASSUMED: ASSUMED_TIME} if lead else {}
    description = Description(
        shape=(*lead, *frame),
        axes=tuple(map(Axis, names)),
        dtype=kind.dtype.name,
        metadata=metadata,
    )
    stack = Stack((source,), page_table(pages), lead, move)
    array = pages_array([source], stack.table, lead, frame, kind.dtype, move=move)
    image = with_palette(with_pixels(description, array), kind)
    if len(group) > 1:
        return with_levels(image, stack, group[1:])
    return with_levels_below(image, stack, kind) if source.below is None else image
