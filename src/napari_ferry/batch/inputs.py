"""Inputs of a batch: the data sets of files, folders, patterns, lists and addresses."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from napari_ferry.arguments import find_url, to_path
from napari_ferry.batch.data_sets import (
    DataSet,
    can_open,
    folder_data_set,
    group_files,
    is_data_set,
    is_plain_folder,
    list_folder,
)
from napari_ferry.batch.earlier_outputs import EarlierOutputs
from napari_ferry.batch.output_names import RECORD_NAME
from napari_ferry.errors import MissingFileError, UnreadableFileError
from napari_ferry.files.natural_order import natural_sorted
from napari_ferry.files.stored_size import stored_bytes

_SPECIAL = frozenset("*?[")

MADE_EARLIER = "made by an earlier conversion"
"""Reason to leave out an output of an earlier conversion."""

_NO_IMAGE = "not an image that can be opened"
_CLOSED = "a folder that cannot be read"
_DEEPER = "a folder: give recursive=True (--recursive on the command line) to search it"


@dataclass(frozen=True, kw_only=True)
class Input:
    """A data set to convert.

    Parameters
    ----------
    source : str or Path
        Absolute path, or address, to open.
    files : tuple of Path
        Every file or folder that it consists of; none of an address.
    folder : Path
        Folder of the data set within the one that was searched, relative to it.
    """

    source: str | Path
    files: tuple[Path, ...] = ()
    folder: Path = Path()

    def read_size(self) -> int:
        """Return the size of its files in bytes; 0 if they cannot be read, and for an address."""
        try:
            return stored_bytes(path for path in self.files if path.exists())
        except OSError:
            return 0


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A file or folder left out of a conversion.

    Parameters
    ----------
    path : Path
        The file or folder.
    reason : str
        Reason in a few words.
    """

    path: Path
    reason: str


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Found data sets, in order, and skipped files and folders."""

    found: tuple[Input, ...]
    skipped: tuple[Skipped, ...] = ()


def is_glob(text: str) -> bool:
    """Return True for a path with ``*``, ``?`` or ``[``, unless a file has exactly this name."""
    return not _SPECIAL.isdisjoint(text) and find_url(text) is None and not os.path.lexists(text)


def find_inputs(
    sources: Sequence[str | Path],
    *,
    recursive: bool = False,
    target: Path | None = None,
    is_output: Callable[[Path], bool] = lambda _: False,
) -> Inputs:
    """Find all data sets to convert, each once, in natural order; few files are opened.

    A file is one data set with all files that belong to it, such as those of a series. A folder is
    one data set if it is a store, or if its files are single frames; otherwise every data set in it
    is an input.

    Parameters
    ----------
    sources : sequence of str or Path
        Files, folders, addresses, or patterns with ``*``, ``?``, ``[...]`` and ``**``.
    recursive : bool
        True to search the folders in a folder, too.
    target : Path, optional
        Folder of the targets, left out where it is in a searched folder.
    is_output : callable
        ``is_output(path) -> bool``: True for a file or store that an earlier conversion made, which
        is skipped.

    Returns
    -------
    Inputs
        The data sets, and what was skipped; a file that does not exist is an input that fails.

    Raises
    ------
    MissingFileError
        Nothing matches a pattern.
    UnreadableFileError
        A folder cannot be read; one in a searched folder is skipped.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import imsave
    >>> for name in ("day 10.tif", "day 2.tif"):
    ...     _ = imsave(np.zeros((3, 8, 8), np.uint8), name)
    >>> [each.source.name for each in find_inputs(["*.tif"]).found]
    ['day 2.tif', 'day 10.tif']
    """
    found, skipped = list[Input](), list[Skipped]()
    for each in search_inputs(sources, recursive=recursive, target=target, is_output=is_output):
        if isinstance(each, Input):
            found.append(each)
        else:
            skipped.append(each)
    return Inputs(found=tuple(found), skipped=tuple(skipped))


def search_inputs(
    sources: Sequence[str | Path],
    *,
    recursive: bool,
    target: Path | None,
    is_output: Callable[[Path], bool],
) -> Iterator[Input | Skipped]:
    """Yield data sets to convert as they are found, and skipped files and folders.

    Parameters
    ----------
    sources, recursive, target, is_output
        As for `find_inputs`.

    Raises
    ------
    MissingFileError
        Nothing matches a pattern.
    UnreadableFileError
        A folder cannot be read; one in a searched folder is skipped.
    """
    search = _Search(
        recursive=recursive,
        target=None if target is None else Path(os.path.realpath(target)),
        is_output=is_output,
    )
    for source in sources:
        yield from search.search(source)


@dataclass(kw_only=True)
class _Search:
    """A search for data sets, and its findings."""

    recursive: bool
    target: Path | None
    is_output: Callable[[Path], bool]
    seen: set[Path | str] = field(default_factory=set)
    earlier: EarlierOutputs | None = None
    """Outputs that earlier conversions left in the folder that is searched now."""

    def search(self, source: str | Path) -> Iterator[Input | Skipped]:
        """Search a file, folder, pattern or address."""
        if (url := find_url(source)) is not None:
            if url not in self.seen:
                yield Input(source=url)
            self.seen.add(url)
            return
        path = to_path(source)
        if not is_glob(str(path)):
            yield from self._search_paths([_normalized(path)], None)
            return
        matches = natural_sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - ~ and drives
        if not matches:
            raise MissingFileError(f"No file matches {path}: check the pattern, and its folder.")
        yield from self._search_paths(map(_normalized, map(Path, matches)), None)

    def _search_paths(
        self, paths: Iterable[Path], within: Path | None
    ) -> Iterator[Input | Skipped]:
        """Search files and folders.

        Parameters
        ----------
        paths : iterable of Path
            The files and folders, absolute.
        within : Path or None
            Their folder, relative to the one that is searched; None if they were named.
        """
        for is_folder, group in groupby(paths, key=is_plain_folder):
            if is_folder:
                for path in group:
                    yield from self._search_folder(path, within)
            else:
                yield from self._search_files([*group], within)

    def _search_files(
        self, paths: Sequence[Path], within: Path | None
    ) -> Iterator[Input | Skipped]:
        """Search files and stores in one folder, each only when the ones before are used."""
        skipped: list[Skipped] = []

        def wanted() -> Iterator[Path]:
            """Yield the files to open, and collect the others."""
            for path in paths:
                reason = self._reason_to_skip(path, within)
                if not reason:
                    yield path
                elif path.name != RECORD_NAME:
                    skipped.append(Skipped(path=path, reason=reason))

        for data_set in group_files(wanted()):
            yield from skipped
            skipped.clear()
            yield from self._add(data_set, within)
        yield from skipped

    def _search_folder(self, folder: Path, within: Path | None) -> Iterator[Input | Skipped]:
        """Search a folder as one data set, or if wanted the data sets in it."""
        real = Path(os.path.realpath(folder))  # links may lead to the targets, or be circles
        if within is not None and real == self.target:
            return
        if within is None or self.earlier is None:
            self.earlier = EarlierOutputs(root=real)
        self.earlier.visit(folder)
        if self.is_output(folder) or self.earlier.is_repeated(folder):
            yield Skipped(path=folder, reason=MADE_EARLIER)
        elif is_data_set(folder):
            yield from self._add_folder(folder_data_set(folder), within, self.earlier)
        elif within is not None and not self.recursive:
            yield Skipped(path=folder, reason=_DEEPER)
        elif real not in self.seen:
            self.seen.add(real)
            inner = Path() if within is None else within / folder.name
            try:
                paths = list_folder(folder)
            except UnreadableFileError:
                if within is None:
                    raise
                yield Skipped(path=folder, reason=_CLOSED)  # such as lost+found
                return
            yield from self._search_paths(paths, inner)

    def _add_folder(
        self, data_set: DataSet, within: Path | None, earlier: EarlierOutputs
    ) -> Iterator[Input | Skipped]:
        """Add a folder that is one data set, unless it has only outputs of a conversion."""
        if earlier.are_repeated(data_set.files):
            yield Skipped(path=data_set.path, reason=MADE_EARLIER)
        else:
            yield from self._add(data_set, within)

    def _add(self, data_set: DataSet, within: Path | None) -> Iterator[Input]:
        """Add a data set unless it shares files with one found before."""
        files = {data_set.path, *data_set.files}
        if self.seen.isdisjoint(files):
            yield Input(source=data_set.path, files=data_set.files, folder=within or Path())
        self.seen |= files

    def _reason_to_skip(self, path: Path, within: Path | None) -> str:
        """Return the reason to skip a file; empty for a data set, and for a file that was named."""
        is_repeated = (
            within is not None and self.earlier is not None and self.earlier.is_repeated(path)
        )
        if path.name == RECORD_NAME or is_repeated or self.is_output(path):
            return MADE_EARLIER
        exists = os.path.exists(path)  # noqa: PTH110 - returns False for impossible names
        return "" if not exists or can_open(path) else _NO_IMAGE


def _normalized(path: Path) -> Path:
    """Return an absolute path without ``..``; links are not followed, as their names count."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - `Path.absolute` keeps ``..``
