"""Data sets in a folder, each listed once: files, series, stores and whole folders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_ferry.arguments import reading
from napari_ferry.errors import FerryError, collecting_warnings
from napari_ferry.files.natural_order import natural_sorted
from napari_ferry.io.protocol import hooks_of
from napari_ferry.io.search import find_source_codec, known_suffix

_LAST_NUMBER = re.compile(r"\d+(?=\D*$)")


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set.

    Parameters
    ----------
    path : Path
        The file or folder to open.
    files : tuple of Path
        All its files or folders.
    """

    path: Path
    files: tuple[Path, ...]


def list_folder(folder: Path) -> list[Path]:
    """Return the files and folders in a folder, in natural order, without hidden ones.

    Raises
    ------
    UnreadableFileError
        The folder cannot be read.
    """
    with reading(folder):
        return natural_sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def has_known_suffix(path: Path) -> bool:
    """Return True if a format opens files or stores with the suffix of a name."""
    return bool(known_suffix(path.name, to_open=True))


def is_data_set(folder: Path) -> bool:
    """Return True for a folder that is one data set: a store, or the files of a single stack."""
    try:
        with collecting_warnings([]), reading(folder):
            hooks = hooks_of(find_source_codec(folder))
            return not hooks.FOLDER_PRIORITY or hooks.is_data_set(folder)
    except FerryError:
        return False


def folder_data_set(folder: Path) -> DataSet:
    """Return the data set of a folder accepted by `is_data_set`."""
    files = [path for path in list_folder(folder) if path.is_file()]
    return DataSet(path=folder, files=tuple(files) or (folder,))


def group_files(paths: Iterable[Path]) -> Iterator[DataSet]:
    """Yield the data sets of files and stores, each once, in order of the first file.

    Of files whose names differ in their last number alone, only the first one is looked into,
    unless it belongs to a larger data set.

    Parameters
    ----------
    paths : iterable of Path
        The files and stores, absolute.
    """
    seen: set[Path] = set()
    families: set[str] = set()
    """Names of files that are data sets of their own, without the last number."""
    for path in paths:
        if path in seen:
            continue
        family = _LAST_NUMBER.sub("#", str(path))
        files = (path,) if family in families else find_members(path)
        if files == (path,):
            families.add(family)
        if seen.isdisjoint(files):
            yield DataSet(path=files[0], files=files)
        seen.update(files)


def list_data_sets(folder: Path) -> list[Path]:
    """Return what to open for each data set with a known suffix in a folder, in natural order.

    Raises
    ------
    UnreadableFileError
        The folder cannot be read.
    """
    found = group_files(filter(has_known_suffix, list_folder(folder.absolute())))
    return [folder / data_set.path.name for data_set in found]


def find_members(path: Path) -> tuple[Path, ...]:
    """Return every file of the data set of a file, first the one with the pixels.

    A damaged file, which is reported when it is opened, is alone.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - returns False for impossible names
        return (path,)
    try:
        with collecting_warnings([]), reading(path):
            return tuple(hooks_of(find_source_codec(path)).members(path))
    except FerryError:
        return (path,)


def is_plain_folder(path: Path) -> bool:
    """Return True for a folder without the suffix of a store."""
    is_folder = os.path.isdir(path)  # noqa: PTH112 - returns False for impossible names
    return is_folder and not has_known_suffix(path)


def can_open(path: Path) -> bool:
    """Return True for a file of a known format, by its name or by a claim."""
    try:
        with reading(path):
            find_source_codec(path)
    except FerryError:
        return False
    return True
