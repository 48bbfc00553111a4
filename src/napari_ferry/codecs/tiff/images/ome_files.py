"""The files of an OME-TIFF set: beside the one that was opened, and nowhere else.

A file that was renamed is found by its UUID.

https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html
"""

from __future__ import annotations

import html
import re
import warnings
from collections.abc import Collection
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path

from napari_ferry.codecs.tiff.names import tiff_files
from napari_ferry.codecs.tiff.pages.describe import description_head
from napari_ferry.codecs.tiff.pages.header import Header, read_header
from napari_ferry.codecs.tiff.pages.ifd_chain import Stamp
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.errors import FerryWarning, UnreadableFileError

_BINARY_ONLY = re.compile(r"<(?:\w+:)?BinaryOnly\b[^>]*>")
_METADATA_FILE = re.compile(r"\bMetadataFile\s*=\s*[\"']([^\"']+)[\"']")
_METADATA_UUID = re.compile(r"\sUUID\s*=\s*[\"']([^\"']+)[\"']")
_OWN_UUID = re.compile(r"<(?:\w+:)?OME\b[^>]*?\sUUID\s*=\s*[\"']([^\"']+)[\"']")
_UUID_HEAD = 4096
"""Bytes of a description in which the UUID of its file stands."""

_MAX_HEAD = 1 << 16
"""Characters in which a description says that it is only a pointer to another one."""

_MAX_COMPANION = 1 << 30
_NAMED = 3

_MOST_UUIDS = 1 << 14
"""Files whose UUIDs are remembered."""


def described_by(header: Header) -> Header:
    """Return the header whose description is that of the set, where a file names another for it.

    That other file is a TIFF of the set, or OME-XML alone.

    Raises
    ------
    UnreadableFileError
        It is not beside the file, or is none.
    """
    pointer = _BINARY_ONLY.search(header.description, 0, _MAX_HEAD)
    match = _METADATA_FILE.search(pointer[0]) if pointer else None
    if pointer is None or match is None:
        return header
    name = html.unescape(match[1])
    beside = header.path.with_name(name) if Path(name).name == name else None
    if beside is None or not beside.is_file():
        uuid = _METADATA_UUID.search(pointer[0])
        beside = _files_by_uuid(header.path.parent).get(_bare(uuid[1])) if uuid else None
    if beside is None:
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


class OmeFiles:
    """The files of a set, and which of them are not there.

    Parameters
    ----------
    path : Path
        The file that describes the set; others stand beside it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._missing: set[str] = set()
        self._wrong: set[str] = set()
        self._known: dict[tuple[str | None, str | None], TiffPages | None] = {}

    def find(self, name: str | None, uuid: str | None) -> TiffPages | None:
        """Return a file, ``None`` when it is not there, which is noted.

        Parameters
        ----------
        name : str or None
            What it is called; ``None`` for the file that describes the set.
        uuid : str or None
            What it has to say that it is, where it says so.
        """
        if (name, uuid) not in self._known:
            self._known[name, uuid] = self._look(name, uuid)
        return self._known[name, uuid]

    def _look(self, name: str | None, uuid: str | None) -> TiffPages | None:
        if name is None:
            return TiffPages(self.path)
        beside = self.path.with_name(Path(name.replace("\\", "/")).name)
        is_there = beside.name == name and beside.is_file()
        if is_there and not _is_another(beside, uuid):
            return TiffPages(beside)
        renamed = self._by_uuid.get(_bare(uuid)) if uuid else None
        if renamed or beside == self.path:
            return TiffPages(renamed or self.path)
        (self._wrong if is_there else self._missing).add(name)
        return None

    @cached_property
    def _by_uuid(self) -> dict[str, Path]:
        """The files in the folder by their UUIDs: those of the set may have been renamed."""
        return _files_by_uuid(self.path.parent)

    def warn(self, opened: Path) -> None:
        """Say which files of the set are missing or others, all in one sentence."""
        if not self._missing and not self._wrong:
            return
        said = [
            _said(self._missing, "not beside it"),
            _said(self._wrong, "of another set by UUID"),
        ]
        is_one = len(self._missing) + len(self._wrong) == 1
        warnings.warn(
            f"{opened.name} is one of several files, of which {' and '.join(filter(None, said))}: "
            f"{'its' if is_one else 'their'} frames are shown as zero; put the right "
            f"{'one' if is_one else 'ones'} there and open again.",
            FerryWarning,
            stacklevel=3,
        )


def _said(names: Collection[str], what: str) -> str:
    """Return what is so of files, naming the first of them; empty for none."""
    if not names:
        return ""
    first = ", ".join(sorted(names)[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{first}{more} {'is' if len(names) == 1 else 'are'} {what}"


def _is_another(path: Path, uuid: str | None) -> bool:
    """Whether a file says that it is not the one with this UUID."""
    said = _uuid_of(path) if uuid else None
    return bool(uuid and said and _bare(said) != _bare(uuid))


def _files_by_uuid(folder: Path) -> dict[str, Path]:
    """Return the TIFF files of a folder that give themselves a UUID; of copies, the first."""
    found: dict[str, Path] = {}
    try:
        paths = tiff_files(folder)
    except OSError:  # a folder whose files can be opened need not be one that can be listed
        return found
    for path in paths:
        uuid = _uuid_of(path)
        if uuid:
            found.setdefault(_bare(uuid), path)
    return found


def _uuid_of(path: Path) -> str | None:
    """Return the UUID that a file gives itself; ``None`` where it does not, or cannot be read."""
    try:
        return _read_uuid(path, Stamp.of(path))
    except (*TIFFFILE_ERRORS, OSError, UnreadableFileError):  # it says so itself when it is read
        return None


@lru_cache(_MOST_UUIDS)
def _read_uuid(path: Path, _stamp: Stamp) -> str | None:
    """Read the UUID of a file, which is remembered for as long as the file has this stamp."""
    match = _OWN_UUID.search(description_head(path, _UUID_HEAD))
    return html.unescape(match[1]) if match else None


def _bare(uuid: str) -> str:
    return uuid.strip().lower().removeprefix("urn:uuid:")
