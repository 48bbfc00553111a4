"""Names of TIFF files: parts of a series, and files of positions."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple, Self

from napari_ferry.files.file_list import FileList
from napari_ferry.files.natural_order import natural_sorted

PLAIN_SUFFIXES = (".tif", ".tiff")
"""Suffixes of every TIFF file; suffixes of OME-TIFF end in them."""

COMPANION_SUFFIX = ".companion.ome"
"""Suffix of a file of OME-XML that describes a set of TIFF files."""

PART = "ferry_part"
"""Key of the metadata that identify a file as a part of a size-capped series."""

_PART_NAME = re.compile(
    r"(?P<stem>.+)_(?P<number>\d{5,})(?P<suffix>(\.ome)?\.tiff?)", re.IGNORECASE
)
PART_NUMBER = re.compile(r"_\d{5}")
"""Beginning of the number in the name of a part, for a quick search for parts."""

_OME_STEM = ".ome"

_POSITION = re.compile(r"(?:\d+-)?Pos[_-]?\d[\w-]*|TimePoint_\d+", re.IGNORECASE)
"""Name of a folder of Micro-Manager or ImageXpress with one position or time."""

_MAX_NAME = 100
"""Characters of a name above which messages cut it off."""


class PartName(NamedTuple):
    """Name of one part of a size-capped series, ``<stem>_00000.tif``.

    Parameters
    ----------
    stem : str
        Common name of all parts.
    number : int
        Number of the part, from 0.
    suffix : str
        ``.tif`` or ``.ome.tif``, in the spelling of the file.
    """

    stem: str
    number: int
    suffix: str

    @classmethod
    def of(cls, path: Path) -> Self | None:
        """Parse the name of a file, or None if it is not the name of a part."""
        match = _PART_NAME.fullmatch(path.name)
        return cls(match["stem"], int(match["number"]), match["suffix"]) if match else None

    @property
    def series(self) -> tuple[str, str]:
        """Stem and lower-case suffix, equal for all parts of a series."""
        return self.stem, self.suffix.lower()

    def sibling(self, path: Path, number: int) -> Path:
        """Return the path of another part of the series, in the folder of `path`."""
        return path.with_name(f"{self.stem}_{number:05d}{self.suffix}")


def tiff_files(folder: Path) -> FileList:
    """Return the TIFF files of a folder in natural order, without hidden files."""
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in entries
            if entry.name.lower().endswith(PLAIN_SUFFIXES)
            and not entry.name.startswith(".")
            and entry.is_file()
        ]
    return FileList(folder, natural_sorted(names))


def companion_files(folder: Path) -> list[Path]:
    """Return the companion files of a folder in natural order, without hidden files."""
    names = [
        name
        for name in os.listdir(folder)  # noqa: PTH208 - a tenth of the time
        if name.lower().endswith(COMPANION_SUFFIX) and not name.startswith(".")
    ]
    return [folder / name for name in natural_sorted(names)]


def sibling_path(path: Path, name: str) -> Path | None:
    """Return the path of another file in the same folder, or None for an impossible name.

    Parameters
    ----------
    path : Path
        A file.
    name : str
        A name from a description, which must not lead to another folder.
    """
    is_plain = name not in ("", ".", "..") and not set(name) & set("/\\\0")
    return path.with_name(name) if is_plain else None


def is_file(path: Path) -> bool:
    """Return True if a file exists; names of any length and content are allowed."""
    return os.path.isfile(path)  # noqa: PTH113 - `Path.is_file` raises on a long name


def folders_of_files(folder: Path) -> list[Path]:
    """Return the folders of single positions or times in a folder, in natural order."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if _POSITION.fullmatch(entry.name)]
    folders = (folder / name for name in natural_sorted(names))
    return [each for each in folders if each.is_dir() and not each.is_symlink()]


def path_within(path: Path, name: str) -> Path | None:
    """Return the path of a file in the folder of another one or below it, or None otherwise.

    Parameters
    ----------
    path : Path
        A file.
    name : str
        A name from a description, relative to its folder, with the separators of any system.
    """
    folder, parts = path.parent, name.replace("\\", "/").split("/")
    if len(parts) == 1:
        return sibling_path(path, name)
    if {"", ".", ".."} & {*parts} or set(name) & {"\0", ":"}:
        return None
    other = folder.joinpath(*parts)
    target = Path(os.path.realpath(other))  # `Path.resolve` raises on a long name
    return other if target.is_relative_to(os.path.realpath(folder)) else None


def is_companion(path: Path) -> bool:
    """Return True for the name of a companion file."""
    return path.name.lower().endswith(COMPANION_SUFFIX)


def short_name(name: str) -> str:
    """Return a name from a description for a message; a long one is cut off."""
    return name if len(name) <= _MAX_NAME else f"{name[:60]}..."


def stem_of(path: Path) -> str:
    """Return the name of a file without its suffix; ``.ome.tif`` counts as one suffix.

    >>> stem_of(Path("a.b.ome.tiff"))
    'a.b'
    """
    return path.stem[: -len(_OME_STEM)] if path.stem.lower().endswith(_OME_STEM) else path.stem
