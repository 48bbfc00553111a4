"""One TIFF file -> its images, as OME-XML describes them."""

from __future__ import annotations

import html
import math
import re
import warnings
from pathlib import Path

import numpy as np

from napari_ferry.description import KEY
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Image
from napari_ferry.ome_xml import OmeImage, parse_ome_xml
from napari_ferry.tiff.frames import frame_axes, map_stack, moved, with_pixels
from napari_ferry.tiff.header import Header, read_header
from napari_ferry.tiff.pages import TiffPages
from napari_ferry.tiff.series import pages_array

_PART_UUID = re.compile(r'FileName="([^"]+)">(urn:uuid:[^<"]+)<')


def ome_parts(header: Header) -> dict[str, str]:
    """Return the UUIDs of the files of a series that we wrote, by name; empty for other files."""
    text = header.description
    if KEY not in text or "<OME" not in text[:4096]:
        return {}
    return {html.unescape(name): uuid for name, uuid in _PART_UUID.findall(text)}


def check_parts(header: Header) -> None:
    """Refuse a series of ours of which another file is missing or stale."""
    parts = ome_parts(header)
    for index, (name, uuid) in enumerate(parts.items()):
        if f'UUID="{uuid}"' in header.description[:4096] or Path(name).name != name:
            continue
        beside = header.path.with_name(name)
        if not beside.is_file():
            raise UnreadableFileError(
                f"{name} is missing: it is one of the {len(parts)} files of a series with "
                f"{header.path.name}; put it back beside the others."
            )
        if f'UUID="{uuid}"' not in read_header(beside).description[:4096]:
            raise UnreadableFileError(
                f"{name} is not part {index} of the same save as {header.path.name}: it is stale "
                "or was replaced; put the right file there, or save the whole again."
            )


def read_ome(header: Header) -> list[Image]:
    """Open the images that OME-XML describes; none where it does not fit the pages."""
    try:
        found = parse_ome_xml(header.description)
        return [_read_ome_image(header, image, len(found) == 1) for image in found]
    except UnreadableFileError as error:
        warnings.warn(
            f"The OME-XML of {header.path.name} is left aside, its pages are opened as they are: "
            f"{error}",
            FerryWarning,
            stacklevel=2,
        )
        return []


def _read_ome_image(header: Header, image: OmeImage, is_only: bool) -> Image:
    description, planes = image.description, image.planes()
    lead = len(description.shape) - (3 if image.samples > 1 else 2)
    in_order = (planes[:, 1] == np.arange(len(planes))).all() and image.files == (None,)
    flat = map_stack(header, len(planes)) if is_only and in_order else None
    if flat is not None and flat[0].size == math.prod(description.shape[lead:]):
        return with_pixels(description, flat.reshape(description.shape))
    files = [_ome_file(header.path, name) for name in image.files]
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
    array = pages_array(
        files,
        planes,
        description.shape[:lead],
        description.shape[lead:],
        kind.dtype,
        move=move,
    )
    return with_pixels(description, array)


def _ome_file(path: Path, name: str | None) -> TiffPages | None:
    """Find a file of an OME set: beside the one that was opened, and nowhere else."""
    if name is None or name == path.name:
        return TiffPages(path)
    beside = path.with_name(Path(name.replace("\\", "/")).name)
    if beside.name == name and beside.is_file():
        return TiffPages(beside)
    warnings.warn(
        f"{path.name} is one of several files, of which {name} is not beside it: its frames are "
        "shown as zero; put it back and open again.",
        FerryWarning,
        stacklevel=2,
    )
    return None
