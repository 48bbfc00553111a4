"""One TIFF file -> its images, as OME-XML describes them."""

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

from napari_ferry.codecs.tiff.images.levels import Stack, with_levels_below
from napari_ferry.codecs.tiff.images.ome_files import OmeFiles, described_by
from napari_ferry.codecs.tiff.images.page_runs import ASSUMED_STACK, merge_metadata, split_by_name
from napari_ferry.codecs.tiff.names import PartName
from napari_ferry.codecs.tiff.pages.arrays import pages_array
from napari_ferry.codecs.tiff.pages.header import Header, read_header
from napari_ferry.codecs.tiff.pages.page_frames import frame_axes, map_stack, moved, with_pixels
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Image
from napari_ferry.image.record import ASSUMED, KEY, Description
from napari_ferry.ome_xml import OmeImage, parse_ome_xml

_PART_UUID = re.compile(r'FileName="([^"]+)">(urn:uuid:[^<"]+)<')


def ome_parts(header: Header) -> dict[str, str]:
    """Return the UUIDs of the files of a series that we wrote, by name; empty for other files."""
    text = header.description
    if "<OME" not in text[:4096] or KEY not in text[:4096]:
        return {}
    return {html.unescape(name): uuid for name, uuid in _PART_UUID.findall(text)}


def part_paths(header: Header) -> dict[str, Path]:
    """Return where the files of a series that we wrote stand, by the names they were given.

    Of a series that was renamed as a whole, all files are called as this one is.
    """
    parts = ome_parts(header)
    own = next((n for n, u in parts.items() if _is_of(u, header)), header.path.name)
    given, found = PartName.of(Path(own)), PartName.of(header.path)
    places = {name: header.path.with_name(Path(name).name) for name in parts}
    if given and found and given.number == found.number and given.series != found.series:
        numbers = {name: PartName.of(Path(name)) for name in parts}
        places |= {
            name: found.beside(header.path, other.number)
            for name, other in numbers.items()
            if other and not places[name].is_file()
        }
    return places | {own: header.path} if parts else {}


def _is_of(uuid: str, header: Header) -> bool:
    return f'UUID="{uuid}"' in header.description[:4096]


def check_parts(header: Header) -> None:
    """Refuse a series of ours of which another file is missing or stale."""
    parts, places = ome_parts(header), part_paths(header)
    for index, (name, uuid) in enumerate(parts.items()):
        if _is_of(uuid, header) or Path(name).name != name:
            continue
        beside = places[name]
        if not beside.is_file():
            raise UnreadableFileError(
                f"{beside.name} is missing: it is one of the {len(parts)} files of a series with "
                f"{header.path.name}; put it back beside the others."
            )
        if not _is_of(uuid, read_header(beside)):
            raise UnreadableFileError(
                f"{beside.name} is not part {index} of the same save as {header.path.name}: it is "
                "stale or was replaced; put the right file there, or save the whole again."
            )


def read_ome(header: Header) -> list[Image]:
    """Open the images that OME-XML describes; none where it does not fit the pages.

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
        found = parse_ome_xml(master.description)
    except UnreadableFileError as error:
        problem, found = error, []
    files = OmeFiles(master.path)
    for group in _group_steps(found):
        try:
            images.append(_read_ome_image(master, group, len(found) == 1, files))
        except UnreadableFileError as error:
            problem = error
    if problem:
        left = "some of its images are left out" if images else "its pages are opened as they are"
        warnings.warn(
            f"The OME-XML of {header.path.name} is left aside, {left}: {problem}",
            FerryWarning,
            stacklevel=2,
        )
    if images:
        files.warn(header.path)
    return images


def _group_steps(images: Sequence[OmeImage]) -> list[Sequence[OmeImage]]:
    """Group the images that are steps of one stack; most are alone.

    tifffile gives each array that a script writes an Image of its own, and a number for a name.
    """
    alike: dict[str, list[OmeImage]] = {}
    for i, image in enumerate(images):
        alike.setdefault(_step_key(image) if _is_step(image) else str(i), []).append(image)
    return [group for some in alike.values() for group in split_by_name(some, _name, _is_long)]


def _is_step(image: OmeImage) -> bool:
    """Whether an image can be part of a stack along time."""
    first = image.description.axes[0].name
    return image.creator.startswith("tifffile") and first == "t" and image.files == (None,)


def _step_key(image: OmeImage) -> str:
    """Return the key of steps of one stack: all but their names, lengths and times."""
    description = image.description
    said = (description.metadata or {}).get("ome", {})
    plane = said.get("FirstPlane")
    known = plane if isinstance(plane, Mapping) else {}
    place = {key: value for key, value in known.items() if key.startswith("Position")}
    step = replace(description, name="", shape=description.shape[1:], metadata=None)
    return repr((step, place, said.get("StageLabel")))


def _name(image: OmeImage) -> str:
    """Return the name of an image, unless that is the number that tifffile gives it."""
    return re.sub(r"^Image\d+$", "", image.description.name)


def _is_long(image: OmeImage) -> bool:
    return image.size_t * image.size_z > 1


def _join(images: Sequence[OmeImage]) -> tuple[Description, NDArray[np.int64]]:
    """Return the description of images that are steps of one stack, and where its planes are."""
    first, planes = images[0].description, [image.planes() for image in images]
    if len(images) == 1:
        return first, planes[0]
    names = {_name(image) for image in images}
    said = [(image.description.metadata or {}).get("ome", {}) for image in images]
    if len(names) > 1:
        said = [{**one, "Name": _name(image)} for one, image in zip(said, images, strict=True)]
    metadata = merge_metadata(said)
    return replace(
        first,
        shape=(sum(image.size_t for image in images), *first.shape[1:]),
        name=names.pop() if len(names) == 1 else "",
        metadata={"ome": metadata, ASSUMED: ASSUMED_STACK},
    ), np.concatenate(planes)


def _read_ome_image(
    header: Header, group: Sequence[OmeImage], is_only: bool, beside: OmeFiles
) -> Image:
    """Open one image, or the steps of a stack; files that are missing are noted."""
    image = group[0]
    description, planes = _join(group)
    lead = len(description.shape) - description.frame_ndim
    in_order = (planes[:, 1] == np.arange(len(planes))).all() and image.files == (None,)
    is_plain = is_only and in_order and not header.subifds
    flat = map_stack(header, len(planes)) if is_plain else None
    if flat is not None and flat[0].size == math.prod(description.shape[lead:]):
        return with_pixels(description, flat.reshape(description.shape))
    places = part_paths(header)
    names = [places[name].name if name in places else name for name in image.files]
    files = [beside.find(*named) for named in zip(names, image.uuids, strict=True)]
    source = next((file for file in files if file is not None), None)
    first = planes[planes[:, 1] >= 0]
    if source is None or not len(first):
        raise UnreadableFileError("none of the files that it names is there")
    page = int(first[0, 1]) if files[int(first[0, 0])] is source else 0
    if page >= len(source):
        raise UnreadableFileError(f"it names page {page} of {len(source)}")
    kind = source.kind(int(source.kinds[page]))
    _, move = frame_axes(kind)
    if moved(kind.shape, move) != description.shape[lead:]:
        raise UnreadableFileError(
            f"it says {description.shape[lead:]} where the pages are {kind.shape}"
        )
    stack = Stack(files, planes, description.shape[:lead], move)
    array = pages_array(*stack[:3], description.shape[lead:], kind.dtype, move=move)
    return with_levels_below(with_pixels(description, array), stack, kind)
