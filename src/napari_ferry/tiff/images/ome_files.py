"""The files of an OME-TIFF set: beside the one that was opened, and nowhere else.

https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html
"""

from __future__ import annotations

import html
import re
import warnings
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.tiff.pages.header import Header, read_header
from napari_ferry.tiff.pages.pages import TiffPages

_METADATA_FILE = re.compile(r"<(?:\w+:)?BinaryOnly\b[^>]*?\bMetadataFile\s*=\s*[\"']([^\"']+)[\"']")
_MAX_HEAD = 1 << 16
"""Characters in which a description says that it is only a pointer to another one."""

_MAX_COMPANION = 1 << 30
_NAMED = 3


def described_by(header: Header) -> Header:
    """Return the header whose description is that of the set, where a file names another for it.

    That other file is a TIFF of the set, or OME-XML alone.

    Raises
    ------
    UnreadableFileError
        It is not beside the file, or is none.
    """
    match = _METADATA_FILE.search(header.description, 0, _MAX_HEAD)
    if match is None:
        return header
    name = html.unescape(match[1])
    beside = header.path.with_name(name) if Path(name).name == name else None
    if beside is None or not beside.is_file():
        raise UnreadableFileError(
            f"the description of its set is in {name}, which is not beside it: put it back, and "
            "open again for the whole set"
        )
    if beside.suffix.lower() in (".tif", ".tiff"):
        return read_header(beside)
    if beside.stat().st_size > _MAX_COMPANION:
        raise UnreadableFileError(f"{name} is too large for a description: put the right one there")
    text = beside.read_text("utf-8", "replace")
    return replace(header, path=beside, description=text, raw_dtype=None)


def ome_file(path: Path, name: str | None) -> TiffPages | None:
    """Return a file of a set, ``None`` when it is not beside `path`."""
    if name is None or name == path.name:
        return TiffPages(path)
    beside = path.with_name(Path(name.replace("\\", "/")).name)
    return TiffPages(beside) if beside.name == name and beside.is_file() else None


def warn_missing(path: Path, names: Collection[str]) -> None:
    """Say which files of a set are missing, all in one sentence."""
    if not names:
        return
    first = ", ".join(sorted(names)[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    is_one = len(names) == 1
    warnings.warn(
        f"{path.name} is one of several files, of which {first}{more} {'is' if is_one else 'are'} "
        f"not beside it: {'its' if is_one else 'their'} frames are shown as zero; put "
        f"{'it' if is_one else 'them'} back and open again.",
        FerryWarning,
        stacklevel=3,
    )
