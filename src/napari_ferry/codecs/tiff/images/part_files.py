"""Files of one of our own series, as its OME-XML names them."""

from __future__ import annotations

import html
import re
from pathlib import Path

from napari_ferry.codecs.tiff.names import PartName, is_file, sibling_path
from napari_ferry.codecs.tiff.pages.header import Header, read_header
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.links import refuse_outside
from napari_ferry.image.record import KEY
from napari_ferry.saving import interrupted_save

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
    paths = {name: path for name in parts if (path := sibling_path(header.path, name))}
    is_same_part = original and current and original.number == current.number
    if original and current and is_same_part and original.series != current.series:
        numbers = {name: PartName.of(Path(name)) for name in parts}
        paths |= {
            name: current.sibling(header.path, other.number)
            for name, other in numbers.items()
            if other and name in paths and not is_file(paths[name])
        }
    return paths | {own: header.path} if parts else {}


def _has_uuid(header: Header, uuid: str) -> bool:
    return f'UUID="{uuid}"' in header.description[:HEAD_CHARACTERS]


def check_parts(header: Header) -> None:
    """Check the other files of one of our series.

    Raises
    ------
    UnreadableFileError
        A file is missing, is a link to another folder, or is from another save.
    """
    parts, paths = ome_parts(header), part_paths(header)
    for index, (name, uuid) in enumerate(parts.items()):
        path = paths.get(name)
        if _has_uuid(header, uuid) or path is None:
            continue

        refuse_outside(path, header.path)
        if not is_file(path):
            raise UnreadableFileError(
                interrupted_save(path)
                or f"{path.name} is missing: it is one of the {len(parts)} files of a series with "
                f"{header.path.name}; put it back into the same folder."
            )
        if not _has_uuid(read_header(path), uuid):
            raise UnreadableFileError(
                f"{path.name} is not part {index} of the same save as {header.path.name}: it is "
                "outdated or was replaced; restore the original file, or save the whole series "
                "again."
            )
