"""Saves moving their files in place, or stopped while doing so: messages for readers.

Readers change nothing. The lock of the folder of a save is held while the save is in progress.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xxhash

from napari_ferry.arguments import missing_path
from napari_ferry.errors import (
    FerryError,
    MissingFileError,
    UnreadableFileError,
    warn,
)
from napari_ferry.files.comparable_names import comparable
from napari_ferry.files.short_texts import list_few
from napari_ferry.saving.disk.plain_files import is_locked
from napari_ferry.saving.partial.journal import LOCK, Journal, read_journal
from napari_ferry.saving.partial.recovery import is_usable, pending_files
from napari_ferry.saving.partial.write_records import JournalError

SUFFIX = ".ferry-partial"
_NONCE = re.compile(r"[0-9a-f]{32}")


def partial_folder(target: Path) -> Path:
    """Return the folder of an unfinished save to `target`."""
    # short regardless of the target: on Windows a whole path may have 260 characters
    digest = xxhash.xxh3_64_hexdigest(comparable(target.name).encode("utf-8", "surrogatepass"))
    return target.with_name(f".{digest[:8]}{SUFFIX}")


@contextmanager
def naming_saves(path: Path) -> Iterator[None]:
    """Return a context for opening a file or folder; its errors name an unfinished save.

    Raises
    ------
    UnreadableFileError
        Opening failed because a save is moving files in place, or was stopped then.

    Warns
    -----
    FerryWarning
        A folder was opened without the files of such a save.
    """
    is_folder = path.is_dir()
    searched = (path, None) if is_folder else (path.parent, path.name)
    try:
        yield
    except (FerryError, OSError) as error:
        message = interrupted_save(path) or interrupted_in(*searched)
        if message is None:
            raise
        raise UnreadableFileError(message) from error

    message = interrupted_in(path) if is_folder else None
    if message:
        warn(f"Files of {path.name} are left out: {message}")


def check_exists(path: Path) -> None:
    """Refuse a missing path.

    Raises
    ------
    MissingFileError
        The path does not exist. The message names the save that is to put it in place.
    """
    if path.exists():
        return
    unfinished = interrupted_save(path)
    if unfinished or not path.exists():  # a save may have put it in place just now
        raise MissingFileError(unfinished or missing_path(path))


def interrupted_save(path: Path) -> str | None:
    """Return a message about a save of a file, in progress or stopped between two moves.

    Parameters
    ----------
    path : Path
        First file of a save. If it does not exist, any file of a save, or the name that was given
        for a series.

    Returns
    -------
    str or None
        A sentence for the user, ``None`` without such a save.
    """
    own = _folder_of(path)
    message = _message(own, path.parent)
    if message or os.path.lexists(path):
        return message
    return interrupted_in(path.parent, path.name, skipped=own)


def interrupted_in(
    folder: Path, name: str | None = None, *, skipped: Path | None = None
) -> str | None:
    """Return the message of `interrupted_save` for any save in a folder, or for one of a file.

    Parameters
    ----------
    folder : Path
        Folder of the files.
    name : str, optional
        Name of any file of the save, or the name that was given for a series.
    skipped : Path, optional
        Folder of a save that is not read.
    """
    saves = (save for save in _folders_in(folder) if save != skipped)
    return next(filter(None, (_message(save, folder, name) for save in saves)), None)


def stopped_save(target: Path) -> str | None:
    """Return the message for a save itself, after it failed to move its files back."""
    folder = partial_folder(target)
    journal = _unfinished(folder, target.parent)
    return None if journal is None else _stopped(folder, journal)


def interrupted_files(target: Path) -> dict[str, Path]:
    """Return the pending files of an interrupted save to `target`, by their final names.

    Folders are left out.

    The files may come from anyone.
    """
    folder = _folder_of(target)
    pending = pending_files(folder, _usable_journal(folder))
    return {name: file for name, file in pending.items() if not file.is_dir()}


def resumable_nonce(target: Path) -> str | None:
    """Return the nonce of an interrupted save to `target`, or ``None`` if it cannot be resumed."""
    nonce = _usable_journal(_folder_of(target)).nonce
    return nonce if _NONCE.fullmatch(nonce) else None


def is_unplaced(target: Path) -> bool:
    """Return True if an unfinished save to `target` has not begun to move files in place."""
    folder = _folder_of(target)
    return folder.is_dir() and not _usable_journal(folder).moves


def _folder_of(target: Path) -> Path:
    """Return the folder of an unfinished save to a file, or to the target of a link."""
    is_link = os.path.islink(target)  # noqa: PTH114 - returns False for impossible names
    return partial_folder(Path(os.path.realpath(target)) if is_link else target)


def _usable_journal(folder: Path) -> Journal:
    """Return the journal of an interrupted save, an empty one if it is missing or damaged."""
    try:
        return read_journal(folder) if stat.S_ISDIR(folder.lstat().st_mode) else Journal()
    except (OSError, JournalError):
        return Journal()


def _folders_in(folder: Path) -> Iterator[Path]:
    """Yield the folders of all unfinished saves in a folder."""
    try:
        listed = os.listdir(folder)  # noqa: PTH208 - names are sufficient
    except OSError:  # readers report it
        return
    names = [name for name in listed if name.startswith(".") and name.endswith(SUFFIX)]
    yield from (folder / name for name in sorted(names))


def _message(folder: Path, parent: Path, name: str | None = None) -> str | None:
    """Return a sentence about a save if its files are not all in place.

    Parameters
    ----------
    folder : Path
        The folder of the save.
    parent : Path
        Folder of the names that were given, which may be links to files next to `folder`.
    name : str, optional
        A name; saves of other files are skipped.
    """
    journal = _unfinished(folder, parent)
    if journal is None or not (name is None or comparable(name) in _names_of(journal)):
        return None
    locked = is_locked(folder / LOCK)
    if locked:
        return (
            f"A save of {_name_of(folder, journal)} is in progress, and its files are being moved "
            "in place: open it again when the save is finished."
        )
    # the save may have been finished just before its lock was looked at
    journal = _unfinished(folder, parent)
    if journal is None:
        return None
    return _stopped(folder, journal) if locked is False else _unknown(folder, journal)


def _unfinished(folder: Path, parent: Path) -> Journal | None:
    """Return the journal of a save if targets are missing whose files are in its folder."""
    journal = _usable_journal(folder)
    pending = pending_files(folder, journal)
    is_finished = all(os.path.exists(parent / name) for name in pending)  # noqa: PTH110 - any name
    return None if is_finished else journal


def _names_of(journal: Journal) -> set[str]:
    """Return the names of all files moved by a save, and the name given for it, comparable."""
    names = (journal.name, *journal.aside, *(name for _, name in journal.moves))
    return set(map(comparable, names))


def _stopped(folder: Path, journal: Journal) -> str:
    return (
        f"A save of {_name_of(folder, journal)} was stopped while its files were moved in place: "
        f"{_left(folder, journal)} are still in {folder}; save again, or move them by hand."
    )


def _unknown(folder: Path, journal: Journal) -> str:
    return (
        f"A save of {_name_of(folder, journal)} is moving its files in place, or was stopped "
        "while it did; this file system has no locks, so it is not known which: wait for any save "
        f"that is running; if {_left(folder, journal)} are then still in {folder}, save again, or "
        "move them by hand."
    )


def _left(folder: Path, journal: Journal) -> str:
    """Return the names of the files in the folder of a save."""
    new = [name for file, name in journal.moves if is_usable(folder / file)]
    others = " and the earlier files" if journal.aside else ""
    return f"the new {list_few([*map(_printable, new)])}{others}"


def _name_of(folder: Path, journal: Journal) -> str:
    """Return the name given for a save, or the name of its first file if it is not known."""
    moved = next((name for _, name in journal.moves), folder.name)
    return _printable(journal.name or moved)


def _printable(name: str) -> str:
    return name if name.isprintable() else ascii(name)
