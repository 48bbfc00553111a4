"""Images of a TIFF file with OME-XML."""

from __future__ import annotations

import html
import math
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.images.levels import ImagePages, with_subifd_levels
from napari_ferry.codecs.tiff.images.ome_files import OmeFiles, described_by
from napari_ferry.codecs.tiff.images.page_runs import ASSUMED_STACK, merge_metadata, split_by_name
from napari_ferry.codecs.tiff.names import PartName
from napari_ferry.codecs.tiff.pages.header import Header, read_header
from napari_ferry.codecs.tiff.pages.page_frames import (
    frame_axes,
    moved_shape,
    open_even_stack,
    with_pixels,
)
from napari_ferry.codecs.tiff.pages.page_kind import PageKind
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Image
from napari_ferry.image.record import ASSUMED, KEY, Description
from napari_ferry.ome_xml import OmeImage, parse_ome_xml

HEAD_CHARACTERS = 4096
"""Characters at the start of a description searched for its root element and our key."""

_PART_UUID = re.compile(r'FileName="([^"]+)">(urn:uuid:[^<"]+)<')


def ome_parts(header: Header) -> dict[str, str]:
    """Return the UUIDs of the files of one of our series by name; empty for other files."""
    head = header.description[:HEAD_CHARACTERS]
    if "<OME" not in head or KEY not in head:
        return {}
    return {html.unescape(name): uuid for name, uuid in _PART_UUID.findall(header.description)}


def part_paths(header: Header) -> dict[str, Path]:
    """Return the paths of the files of one of our series by their original names.

    If a series was renamed as a whole, its other files have the new name of this one.
    """
    parts = ome_parts(header)
    own = next((name for name, uuid in parts.items() if _has_uuid(header, uuid)), header.path.name)
    original, current = PartName.of(Path(own)), PartName.of(header.path)
    paths = {name: header.path.with_name(Path(name).name) for name in parts}
    is_same_part = original and current and original.number == current.number
    if original and current and is_same_part and original.series != current.series:
        numbers = {name: PartName.of(Path(name)) for name in parts}
        paths |= {
            name: current.sibling(header.path, other.number)
            for name, other in numbers.items()
            if other and not paths[name].is_file()
        }
    return paths | {own: header.path} if parts else {}


def _has_uuid(header: Header, uuid: str) -> bool:
    return f'UUID="{uuid}"' in header.description[:HEAD_CHARACTERS]


def check_parts(header: Header) -> None:
    """Check the other files of one of our series.

    Raises
    ------
    UnreadableFileError
        A file is missing, or it is from another save.
    """
    parts, paths = ome_parts(header), part_paths(header)
    for index, (name, uuid) in enumerate(parts.items()):
        if _has_uuid(header, uuid) or Path(name).name != name:
            continue

        path = paths[name]
        if not path.is_file():
            raise UnreadableFileError(
                f"{path.name} is missing: it is one of the {len(parts)} files of a series with "
                f"{header.path.name}; put it back into the same folder."
            )
        if not _has_uuid(read_header(path), uuid):
            raise UnreadableFileError(
                f"{path.name} is not part {index} of the same save as {header.path.name}: it is "
                "outdated or was replaced; restore the original file, or save the whole series "
                "again."
            )


def read_ome(header: Header) -> list[Image]:
    """Open the images of OME-XML; none if it does not fit the pages.

    Warns
    -----
    FerryWarning
        The description, or that of some images, is damaged or does not fit; files are missing.
    """
    images: list[Image] = []
    problem = None
    master = header
    try:
        master = described_by(header)
        described = parse_ome_xml(master.description)
    except UnreadableFileError as error:
        problem, described = error, []

    files = OmeFiles(master.path)
    for steps in _group_steps(described):
        try:
            images.append(_read_ome_image(master, steps, len(described) == 1, files))
        except UnreadableFileError as error:
            problem = error

    if problem:
        result = (
            "can be used only in part, and some of its images are left out"
            if images
            else "cannot be used, and the pages are opened as they are"
        )
        warnings.warn(
            f"The OME-XML of {header.path.name} {result}: {problem}",
            FerryWarning,
            stacklevel=2,
        )
    if images:
        files.warn(header.path)
    return images


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
    header: Header, steps: Sequence[OmeImage], is_only: bool, set_files: OmeFiles
) -> Image:
    """Open one image, or the steps of a stack; missing files are noted in `set_files`."""
    image = steps[0]
    description, planes = _join(steps)
    lead = len(description.shape) - description.frame_ndim
    frame = description.shape[lead:]

    # the usual case: all pages in order in one file, opened without reading each page
    in_order = (planes[:, 1] == np.arange(len(planes))).all() and image.files == (None,)
    is_plain = is_only and in_order and not header.subifds
    flat = open_even_stack(header, len(planes)) if is_plain else None
    if flat is not None and math.prod(flat.shape[1:]) == math.prod(frame):
        return with_pixels(description, flat.reshape(description.shape))

    files = _find_files(header, image, set_files)
    kind = _first_kind(files, planes)
    _, move = frame_axes(kind)
    if moved_shape(kind.shape, move) != frame:
        raise UnreadableFileError(
            f"it describes pages of shape {frame}, but they have shape {kind.shape}"
        )
    pages = ImagePages(files=files, table=planes, lead=description.shape[:lead], move=move)
    array = pages.to_array(frame, kind.dtype)
    return with_subifd_levels(with_pixels(description, array), pages, kind)


def _find_files(header: Header, image: OmeImage, set_files: OmeFiles) -> list[TiffPages | None]:
    """Return the files of an image, or ``None`` for a missing one."""
    paths = part_paths(header)
    names = [paths[name].name if name in paths else name for name in image.files]
    return [set_files.find(name, uuid) for name, uuid in zip(names, image.uuids, strict=True)]


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
