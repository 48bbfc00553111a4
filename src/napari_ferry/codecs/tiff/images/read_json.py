"""Images of a TIFF file with JSON descriptions in tifffile's form."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, Frames
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.arrays.frames import IndexedFrames
from napari_ferry.codecs.tiff.images.color_table import with_palette
from napari_ferry.codecs.tiff.images.extra_samples import with_page_colors
from napari_ferry.codecs.tiff.images.levels import (
    ImagePages,
    page_table,
    with_subifd_levels,
)
from napari_ferry.codecs.tiff.images.page_names import with_page_names
from napari_ferry.codecs.tiff.images.page_runs import PageRun, PageStack, join_key, join_runs
from napari_ferry.codecs.tiff.images.planar_color import warn_shown_as_planes
from napari_ferry.codecs.tiff.images.read_plain import read_subifd_images
from napari_ferry.codecs.tiff.images.shaped_json import (
    axis_letters,
    leading_names,
    parse_record,
    shortened_record,
    warn_misfit,
    warn_unusable,
)
from napari_ferry.codecs.tiff.pages.arrays import PageReaders
from napari_ferry.codecs.tiff.pages.header import Header
from napari_ferry.codecs.tiff.pages.page_frames import (
    Page,
    frame_axes,
    moved_shape,
    open_even_stack,
    open_whole_file,
    with_pixels,
)
from napari_ferry.codecs.tiff.pages.page_kind import AxisMove, PageKind
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.codecs.tiff.pages.pixel_size import with_pixel_size
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import ASSUMED, ASSUMED_TIME, KEY, Description, parse_own_record

ASSUMED_AXES = "the axes are named by their order, because the file does not name them"


def read_json(header: Header, source: TiffPages) -> list[Image]:
    """Open the images of a file with JSON descriptions; none if the first one does not fit.

    Images that were written one by one and differ only in their order become one stack.

    Warns
    -----
    FerryWarning
        The description of a later page does not fit the pages of the file, or the first one
        describes planes that are tagged as a color.
    """
    record = parse_record(header.description)
    if record is None:
        warn_unusable(header)
        return []
    images = _read_images(header, record, source)
    if images and KEY not in record and not axis_letters(record):
        warn_shown_as_planes(header, images[0])
    return images


def _read_images(header: Header, record: Mapping[str, Any], source: TiffPages) -> list[Image]:
    flat = _open_only_image(header, record, source)
    if flat is not None:
        image = _whole_image(header, record, flat)
        return [with_palette(image, source.kind_of(0)) if header.has_palette else image]
    runs = list(_page_runs(header, source))
    images = [_stack_image(source, stack) for stack in join_runs(runs)]
    return [*images, *read_subifd_images(header.path, [run.kind for run in runs])]


def _whole_image(header: Header, record: Mapping[str, Any], flat: FileArray) -> Image:
    """Return the only image of a file from its pixels."""
    description, move = _describe(record, header)
    if move:
        n = flat.ndim - len(header.shape)
        flat = flat.moveaxis(*(k if k < 0 else k + n for k in move))
    return with_pixel_size(with_pixels(description, flat), header.pixel_size)


def _open_only_image(
    header: Header, record: Mapping[str, Any], source: TiffPages
) -> FileArray | None:
    """Open the pixels of the only image of a file, even if directories after them are cut off.

    tifffile marks a stack with a single directory as truncated.
    """
    if header.subifds:
        return None
    shape = tuple(record["shape"])
    flat = open_whole_file(header, shape)
    n, rest = divmod(math.prod(shape), math.prod(header.shape))
    if flat is not None or rest or n <= len(source):
        return flat
    flat = open_even_stack(header, n, is_single=bool(record.get("truncated")))
    return None if flat is None else flat.reshape(shape)


def _page_runs(header: Header, source: TiffPages) -> Iterator[PageRun]:
    """Yield the images of a file in order, each as the pages under its description.

    A page without a fitting description is a separate image; if that is the first page, nothing
    is yielded.
    """
    known: dict[tuple[str, int], PageRun] = {}
    following = 0
    for page, text in enumerate(source.descriptions()):
        if page < following:
            continue
        try:
            kind = source.kind_of(page)
        except UnreadableFileError as error:
            if not page:
                raise
            warn(f"A page is left out: {error}")
            continue

        # equal descriptions are parsed once, unless fewer pages are left than they describe
        key = text, int(source.kinds[page])
        if key not in known or page + len(known[key].pages) > len(source):
            record = parse_record(text)
            described = _described_run(record, kind, len(source) - page)
            if described is None and record:
                warn_misfit(header, page, record["shape"], len(source))
                shortened = _shortened_run(source, record, kind, page)
                if shortened:
                    yield replace(shortened, pages=shortened.pages + page)
                    return
            if described is None and not page:
                return
            known[key] = described or _undescribed_run(kind)
        run = known[key]
        following = page + len(run.pages)
        yield replace(run, pages=run.pages + page)


def _described_run(record: Mapping[str, Any] | None, kind: PageKind, count: int) -> PageRun | None:
    """Return the pages under a description, counted from 0, or ``None`` if it does not fit.

    Parameters
    ----------
    record : mapping, optional
        The description of the first page.
    kind : PageKind
        The kind of that page.
    count : int
        Number of pages of the file from that page on.
    """
    if record is None:
        return None
    shape = tuple(record["shape"])
    n, rest = divmod(math.prod(shape), math.prod(kind.shape))
    is_lead = any(math.prod(shape[:k]) == n for k in range(len(shape) + 1))
    if rest or not is_lead or n > count:
        return None

    description, move = _describe(record, kind)
    is_ours = KEY in record
    key = None if is_ours else join_key(description, kind)
    return PageRun(description=description, pages=np.arange(n), kind=kind, move=move, key=key)


def _shortened_run(
    source: TiffPages, record: Mapping[str, Any], kind: PageKind, page: int
) -> PageRun | None:
    """Return the complete steps among the last pages, or ``None`` unless these look alike."""
    left = len(source) - page
    if (source.kinds[page:] != source.kinds[page]).any():
        return None
    return _described_run(shortened_record(record, kind, left), kind, left)


def _undescribed_run(kind: PageKind) -> PageRun:
    """Return a single page without a description."""
    axes, move = frame_axes(kind)
    description = Description(
        shape=moved_shape(kind.shape, move), axes=tuple(map(Axis, axes)), dtype=kind.dtype.name
    )
    key = join_key(description, kind)
    return PageRun(description=description, pages=np.arange(1), kind=kind, move=move, key=key)


def _stack_image(source: TiffPages, stack: PageStack) -> Image:
    """Return the image of a stack; if all pages look alike, with the levels in their SubIFDs."""
    description, first = stack.description, stack.runs[0]
    if _is_uniform(stack):
        numbers = np.concatenate([run.pages for run in stack.runs])
        if len(stack.runs) > 1:
            description = with_page_names(description, source, numbers)
        pages = _image_pages(source, numbers, description.shape, first)
        array = _read_pages(pages, description.shape, first)
        image = with_palette(with_pixels(description, array), first.kind)
        image = with_page_colors(image, first.kind)
        return with_subifd_levels(with_pixel_size(image, first.kind.pixel_size), pages, first.kind)

    # one array for each sequence of runs with the same storage, joined frame by frame
    parts = [_part(source, list(runs)) for _, runs in groupby(stack.runs, key=_storage)]
    frame = description.frame_ndim
    counts = [math.prod(part.shape[:-frame]) for part in parts]
    read = PageReaders(
        tuple(IndexedFrames(part, part.ndim - frame) for part in parts), tuple(accumulate(counts))
    )
    array = Frames(read, description.shape, parts[0].dtype, len(description.shape) - frame)
    image = with_page_colors(with_pixels(description, array), first.kind)
    return with_pixel_size(image, first.kind.pixel_size)


def _is_uniform(stack: PageStack) -> bool:
    """Return True if all pages of a stack look alike and hold at most one step each."""
    first, *others = stack.runs
    is_step = math.prod(first.kind.shape) <= math.prod(stack.description.shape[1:])
    are_equal = all(_appearance(run) == _appearance(first) for run in others)
    return not others or (is_step and are_equal)


def _appearance(run: PageRun) -> tuple[Hashable, ...]:
    return run.kind.appearance, run.move


def _storage(run: PageRun) -> Hashable:
    return *_appearance(run), run.description.shape


def _part(source: TiffPages, runs: Sequence[PageRun]) -> Array:
    """Return the array of runs with the same storage: axis run, then the axes of one run."""
    numbers = np.concatenate([run.pages for run in runs])
    shape = (len(runs), *runs[0].description.shape)
    return _read_pages(_image_pages(source, numbers, shape, runs[0]), shape, runs[0])


def _image_pages(
    source: TiffPages, numbers: NDArray[np.int64], shape: Sequence[int], run: PageRun
) -> ImagePages:
    """Return the pages of an array; its leading axes count them."""
    lead = next(k for k in range(len(shape) + 1) if math.prod(shape[:k]) == len(numbers))
    return ImagePages(files=(source,), table=page_table(numbers), lead=shape[:lead], move=run.move)


def _read_pages(pages: ImagePages, shape: Sequence[int], run: PageRun) -> Array:
    return pages.to_array(shape[len(pages.lead) :], run.kind.dtype)


def _describe(record: Mapping[str, Any], page: Page) -> tuple[Description, AxisMove | None]:
    """Convert a JSON description; our own record takes precedence.

    Without names of the axes, the axes of a frame come from the page.

    Returns
    -------
    description : Description
        The image as it is opened.
    move : (int, int), optional
        How the stored axes of a page move for that.
    """
    shape, dtype = tuple(record["shape"]), page.dtype.name
    ours = parse_own_record(record[KEY], "the JSON description") if KEY in record else None
    if ours is not None and ours.shape == shape:
        return ours, None

    metadata = {k: v for k, v in record.items() if k not in ("shape", "axes", KEY)}
    letters = axis_letters(record)
    n = len(shape) - len(page.shape)
    tail, move = frame_axes(page)
    if letters:
        is_stored = letters[n:] == page.axes and shape[n:] == page.shape
        if not is_stored or set(tail) & set(letters[:n]):
            tail, move = letters[n:], None
        names: Sequence[str] = letters[:n] + tail
    else:
        # separate samples are frames, with a warning from `warn_shown_as_planes`
        is_planar = page.axes.startswith("s")
        if n < 0 or shape[n:] != page.shape or is_planar:
            n, tail, move = len(shape) - 2, "yx", None
        if n:
            metadata[ASSUMED] = ASSUMED_TIME if n == 1 else ASSUMED_AXES
        names = (*leading_names(n, tail), *tail)
    description = Description(
        shape=(*shape[:n], *moved_shape(shape[n:], move)),
        axes=tuple(map(Axis, names)),
        dtype=dtype,
        metadata=metadata,
    )
    return description, move
