"""Stamps of files, by which a file that changed since it was opened is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

from napari_ferry.arguments import cure_of
from napari_ferry.errors import UnreadableFileError


class Stamp(NamedTuple):
    """Size and modification time of a file, for the detection of changes."""

    nbytes: int
    modified_ns: int

    @classmethod
    def of(cls, file: int | str | Path) -> Stamp:
        """Read the stamp of an open file (a descriptor) or of a path."""
        status = os.stat(file)  # noqa: PTH116 - also of an open file
        return cls(status.st_size, status.st_mtime_ns)


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
    if Stamp.of(file.fileno()) != stamp:
        file.close()
        raise changed(path)
    return file


def check_unchanged(path: Path, stamp: Stamp) -> None:
    """Refuse a file that was replaced, changed or removed since its stamp was read.

    Raises
    ------
    UnreadableFileError
        The file has another stamp, or does not exist any more.
    """
    try:
        is_unchanged = Stamp.of(path) == stamp
    except OSError as error:
        raise unreadable(path, error) from error
    if not is_unchanged:
        raise changed(path)


def unreadable(path: str | Path, error: OSError) -> UnreadableFileError:
    """Return the error for a file that was opened before and can no longer be read."""
    cure = cure_of(error, "put it back, or open it again")
    return UnreadableFileError(f"{path} can no longer be read ({error.strerror or error}): {cure}.")


def changed(path: str | Path) -> UnreadableFileError:
    """Return the error for a file that changed since it was opened."""
    return UnreadableFileError(f"{path} has changed since it was opened: open it again.")
