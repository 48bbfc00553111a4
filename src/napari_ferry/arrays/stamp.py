"""Stamps of files, for the detection of changes after opening."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from napari_ferry.arguments import cure_of
from napari_ferry.arrays.growth import is_growing
from napari_ferry.errors import FerryError, UnreadableFileError


class Stamp(NamedTuple):
    """Size, modification time and identity of a file, for the detection of changes.

    Parameters
    ----------
    nbytes : int
        Size of the file.
    modified_ns : int
        Time of its last change, in nanoseconds since 1970.
    may_grow : bool
        True if another program is still appending to the file.
    identity : tuple of int
        Numbers of its device and of the file on it, which another file of this name does not have.
    """

    nbytes: int
    modified_ns: int
    may_grow: bool = False
    identity: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, file: int | str | Path) -> Stamp:
        """Read the stamp of an open file (a descriptor) or of a path."""
        return cls.from_status(os.stat(file))  # noqa: PTH116 - also of an open file

    @classmethod
    def from_status(cls, status: os.stat_result) -> Stamp:
        """Return the stamp of a file with a status."""
        identity = status.st_dev, status.st_ino
        return cls(status.st_size, status.st_mtime_ns, is_growing(), identity)

    def matches(self, now: os.stat_result) -> bool:
        """Return True if a later status has the same content, or more of it in a growing file."""
        if self.may_grow:
            return now.st_size >= self.nbytes and (now.st_dev, now.st_ino) == self.identity
        return now.st_size == self.nbytes and now.st_mtime_ns == self.modified_ns


def read_stamps(paths: Iterable[str]) -> list[Stamp]:
    """Read the stamps of many files; `Stamp.of` takes a third more time for each."""
    may_grow = is_growing()
    return [
        Stamp(status.st_size, status.st_mtime_ns, may_grow, (status.st_dev, status.st_ino))
        for status in map(os.stat, paths)
    ]


def open_unchanged(path: str | Path, stamp: Stamp, *, buffering: int = -1) -> BinaryIO:
    """Open a file for reading, unless it changed since its stamp was read.

    Parameters
    ----------
    path : str or Path
        The file.
    stamp : Stamp
        The stamp that the file must have.
    buffering : int
        As for `open`; 0 if everything is read in a single call.

    Raises
    ------
    UnreadableFileError
        The file no longer exists, or was replaced.
    """
    try:
        file: BinaryIO = open(path, "rb", buffering)  # noqa: PTH123, SIM115 - thousands of files
    except OSError as error:
        raise unreadable(path, error) from error
    if not stamp.matches(os.fstat(file.fileno())):
        file.close()
        raise changed(path)
    return file


def check_unchanged(path: Path, stamp: Stamp) -> None:
    """Refuse a file replaced, changed or removed since its stamp was read.

    Raises
    ------
    UnreadableFileError
        The file has another stamp, or does not exist any more.
    """
    try:
        is_unchanged = stamp.matches(path.stat())
    except OSError as error:
        raise unreadable(path, error) from error
    if not is_unchanged:
        raise changed(path)


@contextmanager
def refusing_changes(*paths: Path) -> Iterator[None]:
    """Return a context for opening files of one data set; changes in the meantime are errors.

    Raises
    ------
    UnreadableFileError
        A file was replaced, changed, created or removed in this time.
    """
    found = map(_status_or_none, paths)
    before = [None if status is None else Stamp.from_status(status) for status in found]
    try:
        yield
    except FerryError as error:
        _check_all_unchanged(paths, before, error)
        raise
    _check_all_unchanged(paths, before)


def _check_all_unchanged(
    paths: Sequence[Path], before: Sequence[Stamp | None], cause: FerryError | None = None
) -> None:
    for path, stamp in zip(paths, before, strict=True):
        now = _status_or_none(path)
        is_same = stamp.matches(now) if now and stamp else not (now or stamp)
        if not is_same:
            raise changed(path) from cause


def _status_or_none(path: Path) -> os.stat_result | None:
    """Return the status of a file, or ``None`` if it does not exist or cannot be accessed."""
    try:
        return path.stat()
    except OSError:
        return None


def unreadable(path: str | Path, error: OSError) -> UnreadableFileError:
    """Return the error for a file that can no longer be read."""
    cure = cure_of(error, "put it back, or open it again")
    return UnreadableFileError(
        f"{Path(path).name} can no longer be read ({error.strerror or error}): {cure}."
    )


def changed(path: str | Path) -> UnreadableFileError:
    """Return the error for a file changed since it was opened."""
    return UnreadableFileError(f"{Path(path).name} has changed since it was opened: open it again.")
