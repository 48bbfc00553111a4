"""Images of a TIFF file without a description of its pages."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.images.color_table import (
    read_in_color,
    with_inversion,
    with_other_color,
    with_palette,
)
from napari_ferry.codecs.tiff.images.extra_samples import with_extra_samples
from napari_ferry.codecs.tiff.images.levels import (
    CHAIN_FACTORS,
    ImagePages,
    is_level,
    page_table,
    subifd_levels,
    usable_subifds,
    with_levels,
    with_subifd_levels,
)
from napari_ferry.codecs.tiff.images.page_names import with_page_names
from napari_ferry.codecs.tiff.pages.page_frames import frame_axes, moved_shape, with_pixels
from napari_ferry.codecs.tiff.pages.page_kind import PageKind
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.codecs.tiff.pages.pixel_size import find_pixel_size, with_pixel_size
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import ASSUMED, ASSUMED_TIME, Description


class PageGroup(NamedTuple):
    """Pages of one kind, with their numbers as an array of int64, axis page."""

    kind: PageKind
    pages: NDArray[np.int64]


def read_plain(source: TiffPages) -> list[Image]:
    """Open the pages of a file, one image for each kind of page.

    Smaller versions of pages become levels of their image, wherever they are stored. Other
    SubIFDs are images of their own.

    Raises
    ------
    UnreadableFileError
        No page can be read.
    """
    pyramids = _group_levels(_group_pages(source))
    images = [_image(source, levels) for levels in pyramids]
    kinds = [levels[0].kind for levels in pyramids]
    return [*images, *read_subifd_images(source.path, kinds)]


def read_subifd_images(path: Path, kinds: Sequence[PageKind]) -> list[Image]:
    """Open the SubIFDs of pages, except smaller versions of the pages themselves."""
    existing = {k for kind in kinds for k, _ in enumerate(usable_subifds(path, kind))}
    levels = {k for kind in kinds for k, _ in subifd_levels(path, kind)}
    sources = [TiffPages(path, k) for k in sorted(existing - levels)]
    return [_image(source, [group]) for source in sources for group in _group_pages(source)]


def _group_pages(source: TiffPages) -> list[PageGroup]:
    """Group the pages of a file by appearance; their storage may differ.

    Unreadable pages are left out with a warning.
    """
    groups: dict[Hashable, tuple[PageKind, list[int]]] = {}
    problem = None
    for number in range(int(source.kinds.max(initial=-1)) + 1):
        try:
            kind = source.kind(number)
        except UnreadableFileError as error:
            problem = error
            continue
        groups.setdefault(kind.appearance, (kind, []))[1].append(number)

    if problem and not groups:
        raise problem
    if problem:
        warn(f"Some pages are left out: {problem}")
    return [
        PageGroup(kind, np.nonzero(np.isin(source.kinds, numbers))[0])
        for kind, numbers in groups.values()
    ]


def _group_levels(groups: Sequence[PageGroup]) -> list[list[PageGroup]]:
    """Group pages with their smaller versions, largest first."""
    pyramids: list[list[PageGroup]] = []
    for group in groups:
        larger = (
            levels
            for levels in pyramids
            if len(levels[-1].pages) == len(group.pages)
            and is_level(levels[-1].kind, group.kind, CHAIN_FACTORS)
        )
        levels = next(larger, None)
        if levels is None:
            pyramids.append([group])
        else:
            levels.append(group)
    return pyramids


def _image(source: TiffPages, levels: Sequence[PageGroup]) -> Image:
    """Return one image; its levels come from the chain, or else from SubIFDs."""
    kind, numbers = levels[0]
    if len(numbers) > 1 and kind.palette is not None and len(levels) == 1:
        in_color = read_in_color(source, numbers, kind)
        if in_color is not None:
            return in_color

    axes, move = frame_axes(kind)
    lead: tuple[int, ...] = (len(numbers),) if len(numbers) > 1 else ()
    frame = moved_shape(kind.shape, move)
    description = Description(
        shape=(*lead, *frame),
        axes=tuple(map(Axis, ("t", *axes) if lead else axes)),
        dtype=kind.dtype.name,
        metadata={ASSUMED: ASSUMED_TIME} if lead else {},
    )

    if lead:
        description = with_page_names(description, source, numbers)
        lead = description.shape[: len(description.shape) - len(frame)]
    pages = ImagePages(files=(source,), table=page_table(numbers), lead=lead, move=move)
    array = pages.to_array(frame, kind.dtype)
    image = with_palette(with_pixels(description, array), kind)
    size = kind.pixel_size
    if size is None and lead:  # the first page may be another picture of the microscope
        size = find_pixel_size(source.path, source.table.ifds[numbers].tolist())
    image = with_pixel_size(image, size)
    image = with_inversion(image, kind.photometric)
    image = with_other_color(image, kind.photometric, source.path)
    image = with_extra_samples(image, kind)
    if len(levels) > 1:
        return with_levels(image, pages, levels[1:])
    return with_subifd_levels(image, pages, kind) if source.subifd is None else image
