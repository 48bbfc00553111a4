"""Images of a TIFF file with OME-XML."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.images.extra_samples import with_page_colors
from napari_ferry.codecs.tiff.images.levels import ImagePages, with_subifd_levels
from napari_ferry.codecs.tiff.images.ome_files import OmeFiles
from napari_ferry.codecs.tiff.images.ome_mismatch import (
    PageCount,
    type_difference,
    warn_different,
    warn_shortened,
    warn_surplus,
)
from napari_ferry.codecs.tiff.images.page_runs import ASSUMED_STACK, merge_metadata, split_by_name
from napari_ferry.codecs.tiff.images.part_files import part_paths
from napari_ferry.codecs.tiff.images.set_description import described_by
from napari_ferry.codecs.tiff.pages.header import Header
from napari_ferry.codecs.tiff.pages.page_frames import (
    ends_after,
    frame_axes,
    moved_shape,
    open_even_stack,
    sample_count,
    with_pixels,
    with_sample_channels,
)
from napari_ferry.codecs.tiff.pages.page_kind import PageKind
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.image import Image
from napari_ferry.image.record import ASSUMED, Description
from napari_ferry.ome_xml import OmeImage, PlaneFit, fit_planes, parse_ome_xml, use_each_page


def read_ome(header: Header) -> list[Image]:
    """Open the images of OME-XML; none if it does not fit the pages.

    Warns
    -----
    FerryWarning
        The description is damaged or does not fit, at least for some images; files are missing.
    """
    images: list[Image] = []
    problem = None
    master = header
    try:
        master = described_by(header)
        described = parse_ome_xml(master.description, page_samples=sample_count(header))
        if len(described) == 1 and (image := _open_even(master, described[0])):
            return [image]
    except UnreadableFileError as error:
        problem, described = error, []

    files = OmeFiles(master.path, {name for image in described for name in image.files})
    fits, problems = _fit_images(master, described, files)
    differences: set[str] = set()
    for steps in _group_steps([fit.image for fit in fits]):
        try:
            images.append(_read_ome_image(master, steps, files, differences))
        except UnreadableFileError as error:
            problems.append(error)

    problem = problems[-1] if problems else problem
    if problem:
        result = (
            "can be used only in part, and some of its images are left out"
            if images
            else "cannot be used, and the pages are opened as they are"
        )
        warn(f"The OME-XML of {header.path.name} {result}: {problem}")
    if images:
        files.warn(header.path)
        warn_shortened(header.path, [fit for fit in fits if fit.existing < fit.described])
        warn_different(header.path, differences)
        if not problem:
            count = _count_set_pages(master, fits, files)
            omitted = sum(fit.omitted for fit in fits)
            warn_surplus(header.path, count._replace(existing=count.existing - omitted))
    return images


def _open_even(header: Header, image: OmeImage) -> Image | None:
    """Open the only image of a file if its pages are in order and evenly spaced.

    This is the usual case: it does not read the other directories. None for other files.
    """
    description = image.description
    n_planes = image.size_c * image.size_z * image.size_t
    is_plain = image.files == (None,) and not header.subifds
    is_plain &= with_sample_channels(description, header) is description
    is_plain &= not type_difference(description.dtype, header.dtype)
    if not is_plain or n_planes * header.nbytes > header.stamp.nbytes:
        return None

    flat = open_even_stack(header, n_planes) if image.is_in_order() else None
    frame = description.shape[-description.frame_ndim :]
    if flat is None or flat.shape[1:] != frame or not ends_after(header, n_planes):
        return None
    return with_pixels(description, flat.reshape(description.shape))


def _fit_images(
    header: Header, described: Sequence[OmeImage], files: OmeFiles
) -> tuple[list[PlaneFit], list[UnreadableFileError]]:
    """Shorten images to their existing planes; return the errors of images without any, too."""
    fits: list[PlaneFit] = []
    problems: list[UnreadableFileError] = []
    for image in described:
        found = _find_files(header, image, files)
        count_pages = partial(files.count_pages, found, _page_bytes(image.description))
        try:
            fits.append(fit_planes(image, count_pages))
        except UnreadableFileError as error:
            problems.append(error)
    return fits, problems


def _count_set_pages(master: Header, fits: Sequence[PlaneFit], files: OmeFiles) -> PageCount:
    """Count the pages of the files of all images, and the pages used by images."""
    if files.names == {None}:  # the usual case is that each page of a single file is a plane
        own = _find_files(master, fits[0].image, files)[0]
        if own is not None and use_each_page([fit.image for fit in fits], len(own)):
            return PageCount(used=len(own), existing=len(own))

    found: dict[Path, TiffPages] = {}
    used: dict[Path, list[NDArray[np.int64]]] = {}
    for fit in fits:
        planes = fit.image.planes()
        planes = planes[np.argsort(planes[:, 0], kind="stable")]
        of_files = _find_files(master, fit.image, files)
        starts = np.searchsorted(planes[:, 0], range(len(of_files) + 1))
        for file, start, stop in zip(of_files, starts[:-1], starts[1:], strict=True):
            if file is not None:
                found.setdefault(file.path, file)
                used.setdefault(file.path, []).append(planes[start:stop, 1])

    n_used = {path: len(np.unique(np.concatenate(pages))) for path, pages in used.items()}
    least = min(_page_bytes(fit.image.description) for fit in fits)
    counts = [files.count_all(file, least, n_used[path]) for path, file in found.items()]
    uncounted = [n_used[path] for path, n in zip(found, counts, strict=True) if n is None]
    return PageCount(
        used=sum(n_used.values()),
        existing=sum(n for n in counts if n is not None) + sum(uncounted),
        files=len(found),
        uncounted=len(uncounted),
    )


def _page_bytes(description: Description) -> int:
    """Return the bytes of the pixels of one page."""
    frame = description.shape[-description.frame_ndim :]
    return math.prod(frame) * np.dtype(description.dtype).itemsize


def _group_steps(images: Sequence[OmeImage]) -> list[Sequence[OmeImage]]:
    """Group the steps of stacks; most groups have one image.

    tifffile writes each array of a script as an Image of its own, and a number as its name.
    """
    by_key: dict[str, list[OmeImage]] = {}
    for i, image in enumerate(images):
        by_key.setdefault(_step_key(image) if _is_step(image) else str(i), []).append(image)
    return [group for steps in by_key.values() for group in split_by_name(steps, _name, _is_long)]


def _is_step(image: OmeImage) -> bool:
    """Return True if an image can be part of a stack along time."""
    first = image.description.axes[0].name
    return image.creator.startswith("tifffile") and first == "t" and image.files == (None,)


def _step_key(image: OmeImage) -> str:
    """Return the key of the steps of one stack: everything but names, lengths and times."""
    description = image.description
    ome = (description.metadata or {}).get("ome", {})
    first_plane = ome.get("FirstPlane")
    plane = first_plane if isinstance(first_plane, Mapping) else {}
    stage = {key: value for key, value in plane.items() if key.startswith("Position")}
    step = replace(description, name="", shape=description.shape[1:], metadata=None)
    return repr((step, stage, ome.get("StageLabel")))


def _name(image: OmeImage) -> str:
    """Return the name of an image, except for tifffile's numbers."""
    return re.sub(r"^Image\d+$", "", image.description.name)


def _is_long(image: OmeImage) -> bool:
    return image.size_t * image.size_z > 1


def _join(images: Sequence[OmeImage]) -> tuple[Description, NDArray[np.int64]]:
    """Join the steps of one stack.

    Returns
    -------
    description : Description
        The stack.
    planes : array of int64, axes plane, (file, page)
        Its planes; see `OmeImage.planes`.
    """
    first, planes = images[0].description, [image.planes() for image in images]
    if len(images) == 1:
        return first, planes[0]

    names = {_name(image) for image in images}
    each = [(image.description.metadata or {}).get("ome", {}) for image in images]
    if len(names) > 1:
        each = [{**ome, "Name": _name(image)} for ome, image in zip(each, images, strict=True)]
    description = replace(
        first,
        shape=(sum(image.size_t for image in images), *first.shape[1:]),
        name=names.pop() if len(names) == 1 else "",
        metadata={"ome": merge_metadata(each), ASSUMED: ASSUMED_STACK},
    )
    return description, np.concatenate(planes)


def _read_ome_image(
    header: Header, steps: Sequence[OmeImage], set_files: OmeFiles, differences: set[str]
) -> Image:
    """Open one image, or the steps of a stack.

    Missing files are noted in `set_files`, and planes of another size in `differences`.
    """
    description, planes = _join(steps)
    files = _find_files(header, steps[0], set_files)
    kind = _first_kind(files, planes)

    description = with_sample_channels(description, kind)
    names, move = frame_axes(kind)
    lead = len(description.shape) - len(names)
    frame, found = description.shape[lead:], moved_shape(kind.shape, move)
    if "".join(axis.name for axis in description.axes[lead:]) != names or any(
        n != m for name, n, m in zip(names, frame, found, strict=True) if name not in "yx"
    ):
        raise UnreadableFileError(
            f"it describes pages of shape {frame}, but they have shape {kind.shape}"
        )
    if found != frame:
        y = names.index("y")
        sides = [f"{shape[y]} x {shape[y + 1]}" for shape in (frame, found)]
        differences.add(f"planes of {sides[0]} pixels, but they have {sides[1]}")
        frame = found
        description = replace(description, shape=(*description.shape[:lead], *found))
    differences |= type_difference(description.dtype, kind.dtype)
    pages = ImagePages(files=files, table=planes, lead=description.shape[:lead], move=move)
    array = pages.to_array(frame, kind.dtype)
    image = with_page_colors(with_pixels(description, array), kind)
    return with_subifd_levels(image, pages, kind)


def _find_files(header: Header, image: OmeImage, set_files: OmeFiles) -> list[TiffPages | None]:
    """Return the files of an image, or ``None`` for a missing one."""
    paths = part_paths(header)
    names = [paths[name].name if name in paths else name for name in image.files]
    n_planes = image.size_c * image.size_z * image.size_t
    return set_files.find_all(names, image.uuids, n_planes)


def _first_kind(files: Sequence[TiffPages | None], planes: NDArray[np.int64]) -> PageKind:
    """Return the kind of the first existing page of an image.

    Raises
    ------
    UnreadableFileError
        No page exists.
    """
    source = next((file for file in files if file is not None), None)
    existing = planes[planes[:, 1] >= 0]
    if source is None or not len(existing):
        raise UnreadableFileError("none of the files that it names exists")
    page = int(existing[0, 1]) if files[int(existing[0, 0])] is source else 0
    if page >= len(source):
        raise UnreadableFileError(f"it refers to page {page} of a file with {len(source)}")
    return source.kind(int(source.kinds[page]))
