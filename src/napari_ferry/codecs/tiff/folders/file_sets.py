"""Sets of files with references to each other, as in OME-TIFF and Micro-Manager."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from napari_ferry.arrays import Frames
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.codecs.tiff.images.companion import read_companion
from napari_ferry.codecs.tiff.images.read import read_images
from napari_ferry.codecs.tiff.names import is_companion
from napari_ferry.codecs.tiff.pages.arrays import PageReader
from napari_ferry.codecs.tiff.pages.header import read_header
from napari_ferry.codecs.tiff.pages.tiles import Tiles
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.file_list import names_of
from napari_ferry.files.natural_order import natural_sorted
from napari_ferry.image import Image

_NAMES_FILES = re.compile(r"<(\w+:)?(UUID FileName|BinaryOnly)\b")
"""Elements of OME-XML that name other files."""

_STACK_MARK = "_MMStack"
"""Part of the names of files of Micro-Manager, each of which has one or more positions."""


def are_sets(paths: Sequence[Path], first: Sequence[Image]) -> bool:
    """Return True if the first file's images are in several files, or each position has a file.

    Parameters
    ----------
    paths : sequence of Path
        The files.
    first : sequence of Image
        The images of the first one.
    """
    return len(files_of(first)) > 1 or all(_STACK_MARK in name for name in names_of(paths))


def read_sets(paths: Sequence[Path], first: Sequence[Image]) -> list[Image]:
    """Open the sets of some files, each set once; see `are_sets`.

    Raises
    ------
    UnreadableFileError
        A file does not belong to a set.
    """
    images: list[Image] = [*first]
    seen = {paths[0].absolute(), *files_of(first)}
    for path in (path.absolute() for path in paths):
        if path in seen:
            continue
        opened = read_images(path)
        files = files_of(opened)
        if len(files) < 2 and _STACK_MARK not in path.name:
            raise UnreadableFileError(
                f"{path.name} does not belong to an OME-TIFF set, unlike {paths[0].name}: open it "
                "by itself, or open only the files of a set."
            )

        images += opened
        seen |= {path, *files}
    return images


def files_of(images: Sequence[Image]) -> set[Path]:
    """Return the absolute paths of the files with the pixels of some images, if known."""
    arrays = [image.array for image in images]
    readers = [array.read for array in arrays if isinstance(array, Frames)]
    sources = [reader.files for reader in readers if isinstance(reader, PageReader)]
    sources += [array.files for array in arrays if isinstance(array, Tiles)]
    paths = {file.path.absolute() for files in sources for file in files if file is not None}
    return paths | {Path(array.file.path) for array in arrays if isinstance(array, FileArray)}


def set_files(path: Path) -> list[Path]:
    """Return all files of a set, given one or its companion; any other file alone."""
    if is_companion(path):
        return [*natural_sorted(files_of(read_companion(path))), path]
    if _STACK_MARK not in path.name and not _NAMES_FILES.search(read_header(path).description):
        return [path]
    return natural_sorted({path.absolute(), *files_of(read_images(path))})
