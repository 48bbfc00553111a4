"""Description of an OME-TIFF set, in one of its files or in a companion file.

https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

from napari_ferry.codecs.tiff.images.ome_files import bare_uuid, files_by_uuid
from napari_ferry.codecs.tiff.names import (
    PLAIN_SUFFIXES,
    is_companion,
    is_file,
    short_name,
    sibling_path,
)
from napari_ferry.codecs.tiff.pages.header import Header, read_header
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.links import base_name, leads_outside, refuse_outside

_BINARY_ONLY = re.compile(r"<(?:\w+:)?BinaryOnly\b[^>]*>")
_METADATA_FILE = re.compile(r"\bMetadataFile\s*=\s*[\"']([^\"']+)[\"']")
_METADATA_UUID = re.compile(r"\sUUID\s*=\s*[\"']([^\"']+)[\"']")
_MAX_HEAD = 1 << 16
"""Characters at the start of a description searched for a reference to another one."""

_MAX_COMPANION = 1 << 30
"""Maximum size of a companion file in bytes."""

_MAX_DEPTH = 4
"""Number of folders above a file to search for its companion file."""


def described_by(header: Header) -> Header:
    """Return the header of the file with the description of a set.

    That file is a TIFF file of the set, or a companion of OME-XML alone.

    Raises
    ------
    UnreadableFileError
        The other file is missing from the folder, leads out of it, or is not a valid description.
    """
    pointer = _BINARY_ONLY.search(header.description, 0, _MAX_HEAD)
    match = _METADATA_FILE.search(pointer[0]) if pointer else None
    if pointer is None or match is None:
        return header

    name = html.unescape(match[1])
    path = sibling_path(header.path, name)
    if path is not None:
        refuse_outside(path, header.path)
    if path is None or not is_file(path):
        uuid = _METADATA_UUID.search(pointer[0])
        path = files_by_uuid(header.path).get(bare_uuid(uuid[1])) if uuid else None
        path = path or _companion_above(header.path, name)
    if path is None:
        raise UnreadableFileError(
            f"{short_name(name)}, which has the description of the set, is missing from its "
            "folder; put it back and open the file again"
        )

    if path.suffix.lower() in PLAIN_SUFFIXES:
        return read_header(path)
    return replace(header, path=path, description=companion_text(path), raw_dtype=None)


def companion_text(path: Path) -> str:
    """Read the OME-XML of a companion file.

    Raises
    ------
    UnreadableFileError
        The file is too large.
    """
    if path.stat().st_size > _MAX_COMPANION:
        raise UnreadableFileError(
            f"{short_name(path.name)} is too large for a description; put the right file into the "
            "folder and open the file again"
        )
    return path.read_text("utf-8-sig", "replace")


def _companion_above(path: Path, name: str) -> Path | None:
    """Return the companion file in a folder above, if it names the file; or None."""
    name = base_name(name)
    if not is_companion(Path(name)):
        return None
    for folder in path.parents[1 : 1 + _MAX_DEPTH]:
        companion = folder / name
        if is_file(companion) and not leads_outside(companion, path):
            text = html.unescape(companion_text(companion)).replace("\\", "/")
            return companion if f'"{path.relative_to(folder).as_posix()}"' in text else None
    return None
