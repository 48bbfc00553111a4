"""Files of an OME-TIFF set, in the folder of the file with its description.

Files in folders below it are used only if a companion file names them. A renamed file is found by
its UUID.

https://docs.openmicroscopy.org/ome-model/6.3.1/ome-tiff/specification.html
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache
from pathlib import Path

from napari_ferry.arrays.stamp import Stamp
from napari_ferry.codecs.tiff.names import (
    PLAIN_SUFFIXES,
    is_companion,
    is_file,
    path_within,
    short_name,
    sibling_path,
    tiff_files,
)
from napari_ferry.codecs.tiff.pages.describe import description_head
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.files.links import base_name, leads_outside
from napari_ferry.files.short_texts import list_few

_OWN_UUID = re.compile(r"<(?:\w+:)?OME\b[^>]*?\sUUID\s*=\s*[\"']([^\"']+)[\"']")

_UUID_HEAD = 4096
"""Bytes at the start of a description searched for the UUID of its file."""

_MAX_COUNTED = 256
"""Number of files above which the pages of further ones are not counted."""

_LEAST_IFD_BYTES = 18
"""Bytes of the smallest directory of a page."""

_MAX_CACHED_UUIDS = 1 << 14


class OmeFiles:
    """Files of a set, with a note of the missing ones.

    Parameters
    ----------
    path : Path
        The file that describes the set; the others are in the same folder.
    names : set of str or None
        Names of all its files; ``None`` for that file.
    """

    def __init__(self, path: Path, names: AbstractSet[str | None]) -> None:
        self.path = path
        self.names = names
        self._missing: set[str] = set()
        self._foreign: set[str] = set()
        self._outside: set[str] = set()
        self._former_name = ""
        self._counted = 0
        self._cached: dict[tuple[str | None, str | None], TiffPages | None] = {}

    def find(self, name: str | None, uuid: str | None) -> TiffPages | None:
        """Return the pages of a file, or note it as missing and return ``None``.

        Parameters
        ----------
        name : str or None
            Its name; ``None`` for the file that describes the set.
        uuid : str or None
            Its expected UUID, if known.
        """
        if (name, uuid) not in self._cached:
            self._cached[name, uuid] = self._find(name, uuid)
        return self._cached[name, uuid]

    def _find(self, name: str | None, uuid: str | None) -> TiffPages | None:
        if name is None:
            return TiffPages(self.path)
        locate = path_within if is_companion(self.path) else sibling_path
        path = locate(self.path, name)
        is_outside = path is not None and leads_outside(path, self.path)
        exists = path is not None and not is_outside and is_file(path)
        if path is not None and exists and not _has_other_uuid(path, uuid):
            return TiffPages(path)

        renamed = self._by_uuid.get(bare_uuid(uuid)) if uuid else None
        if renamed or base_name(name) == self.path.name:
            return TiffPages(renamed or self.path)
        unusable = self._outside if is_outside else self._foreign if exists else self._missing
        unusable.add(name)
        return None

    def find_all(
        self, names: Sequence[str | None], uuids: Sequence[str | None], n_planes: int
    ) -> list[TiffPages | None]:
        """Return the pages of all files of an image, or ``None`` for missing ones.

        If the only file of the set is missing, it is this file under a former name, provided that
        it has as many pages as the image has planes.
        """
        found = [self.find(name, uuid) for name, uuid in zip(names, uuids, strict=True)]
        is_tiff = self.path.suffix.lower() in PLAIN_SUFFIXES
        if found == [None] and self._missing == self.names and is_tiff:
            own = TiffPages(self.path)
            if len(own) == n_planes:
                self._former_name = self._missing.pop()
                self._cached[names[0], uuids[0]] = own
                return [own]
        return found

    def count_pages(
        self, files: Sequence[TiffPages | None], nbytes: int, index: int, needed: int
    ) -> int | None:
        """Return the number of pages of a file, or None for a missing or damaged one.

        Files that are large enough for uncompressed pages are not read, nor all of many files:
        a page that does not exist is reported when it is read.

        Parameters
        ----------
        files : sequence of TiffPages or None
            Files of an image.
        nbytes : int
            Bytes of the pixels of one page.
        index : int
            Index of the file.
        needed : int
            Number of pages that the description assigns to it.
        """
        file = files[index]
        if file is None:
            return None
        if file.path != self.path:
            if needed * nbytes <= file.stamp.nbytes:
                return needed
            if self._counted >= _MAX_COUNTED:
                return min(needed, file.stamp.nbytes // _LEAST_IFD_BYTES)
            self._counted += 1
        try:
            return len(file)
        except UnreadableFileError:  # reported when it is read
            return None

    def count_all(self, file: TiffPages, nbytes: int, used: int) -> int | None:
        """Return the number of all pages of a file, or None for one of many files.

        A file without room for more uncompressed pages is not read.

        Parameters
        ----------
        file : TiffPages
            A file of the set.
        nbytes : int
            Bytes of the pixels of one page.
        used : int
            Number of its pages that belong to images.
        """
        if file.path != self.path and not file.is_indexed:
            if (used + 1) * nbytes > file.stamp.nbytes:
                return used
            if self._counted >= _MAX_COUNTED:
                return None
            self._counted += 1
        try:
            return len(file)
        except UnreadableFileError:  # reported when it is read
            return used

    @cached_property
    def _by_uuid(self) -> dict[str, Path]:
        """Files in the folder by UUID; files of the set may have been renamed."""
        return files_by_uuid(self.path)

    def warn(self, opened: Path) -> None:
        """Warn of all missing files, and of files from another set, in one sentence."""
        if self._former_name:
            warn(
                f"The OME-XML of {opened.name} names {short_name(self._former_name)!r} as the file "
                "of its pages, which is missing from the folder: its own pages are shown."
            )

        unusable = self._missing | self._foreign | self._outside
        if not unusable:
            return

        problems = [
            _list_files(self._missing, "missing from the folder"),
            _list_files(self._foreign, "from another set, by UUID"),
            _list_files(self._outside, "linked from another folder"),
        ]
        is_single = len(unusable) == 1
        warn(
            f"{opened.name} is part of a set, of which {' and '.join(filter(None, problems))}: "
            f"{'its' if is_single else 'their'} frames are shown as zero; put the right "
            f"{'file' if is_single else 'files'} into the folder and open {opened.name} again."
        )


def _list_files(names: Collection[str], predicate: str) -> str:
    """Return a clause with the names of some files; empty for no files."""
    if not names:
        return ""
    listed = list_few([*map(short_name, sorted(names))])
    return f"{listed} {'is' if len(names) == 1 else 'are'} {predicate}"


def _has_other_uuid(path: Path, uuid: str | None) -> bool:
    """Return True if a file has a UUID other than the expected one."""
    own = _uuid_of(path) if uuid else None
    return bool(uuid and own and bare_uuid(own) != bare_uuid(uuid))


def files_by_uuid(opened: Path) -> dict[str, Path]:
    """Return the TIFF files in the folder of a file by their UUIDs; of copies, the first."""
    files: dict[str, Path] = {}
    try:
        paths = [path for path in tiff_files(opened.parent) if not leads_outside(path, opened)]
    except OSError:  # files in a folder can be readable although the folder cannot be listed
        return files
    for path in paths:
        uuid = _uuid_of(path)
        if uuid:
            files.setdefault(bare_uuid(uuid), path)
    return files


def _uuid_of(path: Path) -> str | None:
    """Return the UUID in a file's own description; ``None`` if it has none or is unreadable."""
    try:
        return _read_uuid(path, Stamp.of(path))
    except (*TIFFFILE_ERRORS, OSError, UnreadableFileError):  # reported when the file is read
        return None


@lru_cache(_MAX_CACHED_UUIDS)
def _read_uuid(path: Path, _stamp: Stamp) -> str | None:
    """Read the UUID of a file; cached as long as the file's stamp does not change."""
    match = _OWN_UUID.search(description_head(path, _UUID_HEAD))
    return html.unescape(match[1]) if match else None


def bare_uuid(uuid: str) -> str:
    """Return a UUID without its prefix, in lower case."""
    return uuid.strip().lower().removeprefix("urn:uuid:")
