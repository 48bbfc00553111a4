"""Images of one TIFF file: ImageJ hyperstack, OME-TIFF, tifffile's JSON, or plain pages."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.arrays import Array
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.arrays.growth import warn_incomplete
from napari_ferry.codecs.tiff.images.extra_samples import with_page_colors
from napari_ferry.codecs.tiff.images.micromanager import read_micromanager
from napari_ferry.codecs.tiff.images.part_files import HEAD_CHARACTERS, check_parts, ome_parts
from napari_ferry.codecs.tiff.images.planar_color import warn_shown_as_color
from napari_ferry.codecs.tiff.images.read_json import read_json
from napari_ferry.codecs.tiff.images.read_ome import read_ome
from napari_ferry.codecs.tiff.images.read_plain import read_plain
from napari_ferry.codecs.tiff.images.scanimage import read_scanimage
from napari_ferry.codecs.tiff.images.vendor import read_vendor
from napari_ferry.codecs.tiff.names import stem_of
from napari_ferry.codecs.tiff.pages.header import Header, read_header
from napari_ferry.codecs.tiff.pages.page_frames import (
    array_by_page,
    ends_after,
    frame_axes,
    moved_shape,
    open_even_stack,
    with_pixels,
)
from napari_ferry.codecs.tiff.pages.page_kind import AxisMove
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.codecs.tiff.pages.pixel_size import with_pixel_size
from napari_ferry.errors import warn
from napari_ferry.files.short_texts import count_things
from napari_ferry.image import Image
from napari_ferry.image.axes import complete_steps
from napari_ferry.image.record import KEY, Description
from napari_ferry.imagej import (
    COUNT_KEYS,
    PlaneSizes,
    has_consistent_counts,
    order_labels,
    parse_imagej,
    parse_sizes,
    single_axis,
    with_values,
)

_OME_ROOT = re.compile(r"<(?:[\w.-]+:)?OME\b")


def read_images(path: Path) -> list[Image]:
    """Open every image of one file; no pixels are read.

    Raises
    ------
    UnreadableFileError
        The file is not a TIFF file, or it is damaged.
    """
    header = read_header(path)
    is_part = bool(ome_parts(header))
    if is_part:
        check_parts(header)

    if header.cut_metadata:
        warn_incomplete(
            f"{path.name} is cut off within {' and '.join(header.cut_metadata)}: axes, pixel sizes "
            "or names may be missing; get a complete copy of the file.",
        )
    if header.orientation != 1:
        warn(
            f"{path.name} is marked as turned or mirrored (Orientation {header.orientation}): its "
            "pixels are shown as they are stored; turn the layer if another program shows it so."
        )
    source = TiffPages(path)
    images: list[Image] = []
    if header.nbytes:  # a first page without pixels is damaged, and left out
        images = _read_described(header, source)
    if not images and header.nbytes and header.flavor:
        images = read_vendor(header)
    if len(images) == 1:  # readers of several images know the first page of each
        images = [with_page_colors(images[0], header)]
    if not images:
        images = read_plain(source)
        warn_shown_as_color(header)

    stem = re.sub(r"_\d{5,}$", "", stem_of(path)) if is_part else stem_of(path)
    return [image if image.name else replace(image, name=stem) for image in images]


def _read_described(header: Header, source: TiffPages) -> list[Image]:
    """Open the images of a file by its description; none without a usable one."""
    if header.description.startswith('{"'):
        return read_json(header, source)
    images: list[Image] = []
    if header.flavor == "lsm":
        images = read_vendor(header)
    if header.flavor == "micromanager":
        images = read_micromanager(header)
    if header.flavor == "scanimage":
        images = read_scanimage(header)

    # OME-XML and ImageJ describe files of microscopes, too
    if not images and _OME_ROOT.search(header.description, 0, HEAD_CHARACTERS):
        images = read_ome(header)
    # ImageJ has no samples that are channels
    has_channels = frame_axes(header).names.startswith("c")
    if not images and header.imagej is not None and not has_channels:
        image = _read_imagej(header, header.imagej)
        images = [with_values(image, header.imagej, header.path.name)]
    # of several images, the first page need not be the first one's
    return [with_pixel_size(images[0], header.pixel_size)] if len(images) == 1 else images


def writer_of(header: Header) -> str:
    """Return the name of the program in a file's metadata; empty if unknown."""
    if KEY in header.description or KEY in str((header.imagej or {}).get("Info")):
        return KEY
    if header.imagej is not None and "ImageJ" in header.imagej:
        return header.software or f"ImageJ {header.imagej['ImageJ']}"
    creator = re.search(r'Creator="([^"]*)"', header.description[:HEAD_CHARACTERS])
    return creator[1] if creator else header.software


def _read_imagej(header: Header, metadata: Mapping[str, Any]) -> Image:
    """Open an ImageJ hyperstack, whose planes are in the order t z c unless it names another."""
    axes, move = frame_axes(header)
    y, x, *samples = moved_shape(header.shape, move)
    is_counted = header.next_page == 0 or has_consistent_counts(metadata)
    declared = parse_sizes(metadata, None if is_counted else len(TiffPages(header.path)))
    planes, flat = _fit_planes(header, metadata, declared, move)
    description = parse_imagej(
        metadata,
        header.resolution,
        (y, x),
        header.dtype.name,
        samples[0] if samples else 1,
        planes,
    )
    lead = len(description.shape) - len(axes)
    is_foreign = f"{KEY}:" not in str(metadata.get("Info"))
    if is_foreign:
        description = _in_usual_order(description, lead)

    # axes as they are stored, and their order in the image
    names = [axis.name for axis in description.axes[:lead]]
    sizes = dict(zip(names, description.shape, strict=False))
    stored = [name for name in _stored_order(metadata) if name in sizes]
    order = [stored.index(name) for name in names]
    count, shape = math.prod(sizes.values()), [sizes[name] for name in stored]
    pages = np.arange(count).reshape(shape).transpose(order).ravel()
    if is_foreign:
        description = order_labels(description, pages)

    if flat is not None:
        whole = flat.reshape(*shape, *flat.shape[1:])
        array: Array = whole.transpose(*order, *range(lead, whole.ndim))
    else:
        array = array_by_page(header, pages, description.shape, lead, move)
    return with_pixels(description, array)


def _fit_planes(
    header: Header, metadata: Mapping[str, Any], declared: PlaneSizes, move: AxisMove | None
) -> tuple[PlaneSizes, FileArray | None]:
    """Fit the declared sizes of an ImageJ file to its planes.

    Returns
    -------
    sizes : PlaneSizes
        Lengths of the axes for planes in the file.
    flat : FileArray, optional
        These planes, axes (plane, y, x) or (plane, y, x, s); ``None`` if they do not follow each
        other.
    """

    def open_even(count: int) -> FileArray | None:
        """Open `count` evenly spaced planes; ``None`` if this is not possible."""
        return None if move else open_even_stack(header, count, is_single=True)

    count = math.prod(declared.lengths.values())
    flat = open_even(count)
    existing = _count_planes(header, count, flat is not None, can_share=move is None)
    if existing == count:
        return declared, flat
    sizes = _fit_sizes(header, metadata, declared, existing)
    return sizes, open_even(math.prod(sizes.lengths.values()))


def _count_planes(header: Header, count: int, is_even: bool, *, can_share: bool) -> int:
    """Return the number of planes of an ImageJ file, given the number in its header.

    Parameters
    ----------
    header : Header
        The first page.
    count : int
        Number of planes in the ImageJ header.
    is_even : bool
        True if so many planes follow each other.
    can_share : bool
        True if planes without a directory of their own can be read.
    """
    if is_even and (header.next_page == 0 or ends_after(header, count)):
        return count
    # a file with a single directory has all planes in one block, and so has a file whose other
    # directories follow all planes, beyond the end where it is cut off
    is_cut = _is_cut(header) and header.next_page >= header.start + count * header.nbytes
    is_block = can_share and header.raw_dtype is not None and (header.next_page == 0 or is_cut)
    in_block = (header.stamp.nbytes - header.start) // header.nbytes if is_block else 0
    if is_block and is_cut:
        return max(1, min(count, in_block))

    pages = len(TiffPages(header.path))
    return max(pages, count if is_even else min(count, in_block))


def _is_cut(header: Header) -> bool:
    """Return True if the second directory is beyond the end of the file."""
    return header.next_page >= header.stamp.nbytes


def _fit_sizes(
    header: Header, metadata: Mapping[str, Any], declared: PlaneSizes, existing: int
) -> PlaneSizes:
    """Return the lengths of the axes for the existing planes, if other than the declared ones.

    Parameters
    ----------
    header : Header
        The first page.
    metadata : mapping
        The ImageJ header.
    declared : PlaneSizes
        Lengths of the axes in that header.
    existing : int
        Number of planes in the file.

    Warns
    -----
    FerryWarning
        The file has fewer or more planes than the header declares.
    """
    names = [name for name in _stored_order(metadata) if name in declared.lengths]
    lengths = [declared.lengths[name] for name in names]
    count = math.prod(lengths)
    is_stack = existing > count and sum(n > 1 for n in lengths) < 2 and _are_alike(header.path)
    consequence = f"the first {count} are shown, and the others left out"
    if existing < count:
        lengths = [*complete_steps(lengths, existing)]
        consequence = "only complete steps of these are shown"
        consequence += "; get a complete copy of the file if it should have more"
    elif is_stack:
        lengths = [existing if length > 1 else 1 for length in lengths]
        consequence = "all of them are shown"

    name = header.path.name
    is_cut = existing < count and _is_cut(header)
    subject = f"{name} is cut off: its ImageJ header" if is_cut else f"The ImageJ header of {name}"
    planes, pages = count_things(count, "plane"), count_things(existing, "page")
    warn_incomplete(f"{subject} declares {planes}, but the file has {pages}: {consequence}.")
    if is_stack and count == 1:
        return single_axis(metadata, existing)
    fitted = dict(zip(names, lengths, strict=True))
    # an axis that the header does not name exists only for several planes
    kept = [n for n in declared.lengths if fitted[n] > 1 or COUNT_KEYS[n] in metadata]
    is_time_assumed = declared.is_time_assumed and "t" in kept
    return PlaneSizes({name: fitted[name] for name in kept}, is_time_assumed)


def _are_alike(path: Path) -> bool:
    """Return True if all pages of a file can be frames of one stack."""
    source = TiffPages(path)
    kinds = [source.kind(number) for number in np.unique(source.kinds).tolist()]
    return len({kind.appearance for kind in kinds}) == 1


def _stored_order(metadata: Mapping[str, Any]) -> str:
    """Return the stored axes of planes, slowest first; early versions of ImageJ name an order."""
    order = str(metadata.get("order", "")).lower().partition("(")[0][-3:]
    return order[::-1] if sorted(order) == sorted("tzc") else "tzc"


def _in_usual_order(description: Description, lead: int) -> Description:
    """Reorder leading axes to t c z, if the file describes only their stored order."""
    names = [axis.name for axis in description.axes[:lead]]
    order = [*sorted(range(lead), key=lambda k: "tcz".index(names[k]))]
    order += range(lead, len(description.shape))
    return replace(
        description,
        shape=tuple(description.shape[k] for k in order),
        axes=tuple(description.axes[k] for k in order),
    )
