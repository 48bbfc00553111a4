"""Replacement of files held open by programs.

Windows refuses to move or replace a file that any program has open. Readers of this process close
it on request. Virus scanners and indexers open each new file for a moment, so a refused move is
tried again for a while.
"""

from __future__ import annotations

import errno
import itertools
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from napari_ferry.arrays.open_files import release_file
from napari_ferry.errors import TargetError

HOLDS_FILES = os.name == "nt"
"""True where an open file cannot be replaced."""

PATIENCE = 2.0
"""Time to wait for other programs to close a file, in seconds."""

PAUSE = 0.05
"""Time between two attempts, in seconds."""

_WINDOWS_ERRORS = {5, 32, 1224}
"""ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION and ERROR_USER_MAPPED_FILE."""


def is_held_open(error: OSError) -> bool:
    """Return True if a file could not be moved because a program has it open."""
    return getattr(error, "winerror", None) in _WINDOWS_ERRORS or error.errno == errno.EBUSY


def replace_file(source: Path, target: Path) -> None:
    """Move a file in place, also if this process has either of them open.

    Raises
    ------
    OSError
        The file could not be moved; `is_held_open` tells whether a program has it open.
    """
    _insist(lambda: source.replace(target), source, target)


def replace_files(steps: Sequence[tuple[Path, Path]]) -> None:
    """Move files in place; each step is a file and its target."""
    for source, target in steps:
        replace_file(source, target)


def remove_file(path: Path) -> None:
    """Remove a file, also if this process has it open.

    Raises
    ------
    OSError
        The file could not be removed.
    """
    _insist(path.unlink, path)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all of its content; links are removed, not followed.

    Raises
    ------
    OSError
        Something could not be removed.
    """
    if path.is_symlink() or not path.is_dir():
        remove_file(path)
        return

    import shutil  # its import takes half as long as that of this package

    shutil.rmtree(path)


def check_replaceable(path: Path) -> None:
    """Refuse a file that cannot be replaced, before anything is written.

    Raises
    ------
    TargetError
        A program has the file open; only where this prevents its replacement.
    """
    if not HOLDS_FILES or not path.is_file():
        return
    try:
        _insist(lambda: path.rename(path), path)
    except OSError as error:
        if not is_held_open(error):
            raise
        raise TargetError(
            f"{path.name} is open in this or another program, or protected, and cannot be "
            "replaced: close it there, or choose another name."
        ) from error


def keep_finished(steps: Sequence[tuple[Path, Path]]) -> Path:
    """Move finished files to a new folder next to their targets, and return it.

    Parameters
    ----------
    steps : sequence of (Path, Path)
        Each finished file, and its target that a program has open.
    """
    first = steps[0][1]
    folder = first.with_name(f"{first.name}.new")
    for number in itertools.count(2):
        try:
            folder.mkdir()
        except FileExistsError:
            folder = first.with_name(f"{first.name}.new-{number}")
        else:
            break

    names = [target.name for _, target in steps]
    for file, target in steps:
        replace_file(file, folder / (target.name if names.count(target.name) == 1 else file.name))
    return folder


def _insist(change: Callable[[], object], *paths: Path) -> None:
    """Try a change of files until it succeeds, or the files stay open for too long."""
    end: float | None = None
    while True:
        try:
            change()
        except OSError as error:
            if not is_held_open(error) or (end is not None and time.monotonic() > end):
                raise
        else:
            return

        for path in paths:
            release_file(path)
        if end is None:
            end = time.monotonic() + PATIENCE
        else:
            time.sleep(PAUSE)
