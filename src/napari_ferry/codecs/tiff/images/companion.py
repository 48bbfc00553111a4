"""Companion files: OME-XML of a set of TIFF files, ``cells.companion.ome``.

https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html
"""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path

from napari_ferry.codecs.tiff.images.read_ome import read_ome
from napari_ferry.codecs.tiff.images.set_description import companion_text
from napari_ferry.codecs.tiff.names import COMPANION_SUFFIX, is_file, path_within, tiff_files
from napari_ferry.codecs.tiff.pages.header import Header, read_header
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Image

_FILE_NAME = re.compile(r"\bFileName\s*=\s*[\"']([^\"']+)[\"']")


def read_companion(path: Path) -> list[Image]:
    """Open the images described by a companion file.

    Raises
    ------
    UnreadableFileError
        The file describes no images, or none of its TIFF files exists.
    """
    images = read_ome(companion_header(path))
    if not images:
        raise UnreadableFileError(
            f"{path.name} describes no image that can be opened: open its TIFF files themselves."
        )
    stem = path.name[: -len(COMPANION_SUFFIX)]
    return [image if image.name else replace(image, name=stem) for image in images]


def companion_header(path: Path) -> Header:
    """Return the header of the first existing file of a set, with the description of the set.

    Raises
    ------
    UnreadableFileError
        The companion file cannot be read, or none of its TIFF files exists.
    """
    text = companion_text(path)
    names = dict.fromkeys(html.unescape(name) for name in _FILE_NAME.findall(text))
    files = (path_within(path, name) for name in names)
    first = next((file for file in files if file is not None and is_file(file)), None)
    # renamed files are found by their UUIDs
    first = first or next(iter(tiff_files(path.parent)), None)
    if first is None:
        raise UnreadableFileError(
            f"{path.name} names {len(names)} TIFF files, and none of them is in its folder: put "
            "them back, at the same place relative to it."
        )
    return replace(read_header(first), path=path, description=text, raw_dtype=None)
