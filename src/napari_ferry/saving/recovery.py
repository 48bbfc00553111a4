"""What an interrupted save left in its folder: whether it may be used, and how to make it whole.

A folder beside a target may come from anyone, with an archive or on a shared disk. Nothing in it is
used unless all of it could be of a save by this user; anything else is refused and stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from napari_ferry.errors import TargetError
from napari_ferry.saving.disk import is_plain, oddity
from napari_ferry.saving.journal import (
    Journal,
    JournalError,
    is_entry,
    is_old,
    old_name,
    read_journal,
)

_JUNCTION = 0xA0000003
"""IO_REPARSE_TAG_MOUNT_POINT: a folder of Windows that is another one."""


def check_folder(folder: Path) -> None:
    """Refuse a folder that no save by this user has left.

    Raises
    ------
    TargetError
        It is a link, belongs to another user, or holds anything that a save does not make.
    """
    status = folder.lstat()
    if stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == _JUNCTION:
        raise refusal(folder, "is a link")
    if not stat.S_ISDIR(status.st_mode):
        raise refusal(folder, "is not a folder")
    if not _is_own(status, folder.parent):
        raise refusal(folder, "belongs to another user")
    for name, entry in _entries(folder):
        odd = oddity(entry, may_have_names=is_old(name))
        odd = odd if is_entry(name) else "is not a file that a save makes"
        if entry.st_uid != status.st_uid:
            odd = "belongs to another user"
        if odd:
            raise refusal(folder, f"holds {name[:60]!r}, which {odd}")


def recovery_steps(folder: Path, places: Mapping[str, Path]) -> list[tuple[Path, Path]]:
    """Return what has to be moved so that the files of an interrupted save are old or new.

    Nothing that stands is ever replaced. Where files were put in place by other means meanwhile,
    what was left over is of no use.

    Parameters
    ----------
    folder : Path
        The folder of the save.
    places : mapping of str to Path
        Name of each target of this save -> where it stands.

    Returns
    -------
    list of (Path, Path)
        Files in the folder, and places in which nothing stands.

    Raises
    ------
    TargetError
        The journal is damaged, or names anything but targets of this save; or some files were put
        in place or removed by other means.
    """
    try:
        journal = read_journal(folder)
    except JournalError as error:
        raise refusal(folder, "holds a journal that is damaged or not of a save") from error
    explained = {old_name(i) for i in range(len(journal.aside))}
    if any(is_old(name) and name not in explained for name, _ in _entries(folder)):
        raise refusal(folder, "holds files that were set aside, and no journal that names them")
    unplaced = list(unplaced_files(folder, journal).items())
    foreign = next((name for name, _ in unplaced if name not in places), None)
    if foreign is not None:
        raise refusal(folder, f"holds {foreign[:60]!r}, which is not a file of this save")
    steps = [(path, places[name]) for name, path in unplaced]
    lost = _lost(folder, journal, places)
    standing = [place for _, place in steps if os.path.lexists(place)]
    if lost or 0 < len(standing) < len(steps):
        what = f"{lost!r} is gone" if lost else f"{standing[0].name!r} was put in place by hand"
        raise refusal(folder, f"holds only some files of an interrupted save, of which {what}")
    return [] if standing else steps


def unplaced_files(folder: Path, journal: Journal) -> dict[str, Path]:
    """Return the files that have to be moved so that no target is missing.

    While all new files are in the folder, the earlier ones can go back; else the remaining new ones
    go in.

    Returns
    -------
    dict
        Name of the target -> file in the folder.
    """
    waiting = {name: folder / file for file, name in journal.moves if _is_there(folder / file)}
    if len(waiting) < len(journal.moves):
        return waiting
    aside = {name: folder / old_name(i) for i, name in enumerate(journal.aside)}
    return {name: file for name, file in aside.items() if _is_there(file)}


def refusal(folder: Path, what: str) -> TargetError:
    """Return the error that refuses a folder.

    Parameters
    ----------
    what : str
        What is odd, as the words after its name.
    """
    return TargetError(
        f"{folder}, the hidden folder of an unfinished save, {what}, so nothing in it is used: "
        "move what you need out of it and delete it, or choose another name."
    )


def _lost(folder: Path, journal: Journal, places: Mapping[str, Path]) -> str | None:
    """Return a file that is neither in the folder nor in place, where others still wait.

    While all new files are in the folder, that is one of the earlier files, and then a new one.
    """
    files = [(folder / file, name) for file, name in journal.moves]
    if all(_is_there(file) for file, _ in files):
        files = [(folder / old_name(i), name) for i, name in enumerate(journal.aside)]
    gone = [name for file, name in files if not _is_there(file)]
    if len(gone) == len(files):
        return None
    return next((n for n in gone if not os.path.lexists(places.get(n, folder.parent / n))), None)


def _is_there(file: Path) -> bool:
    """Whether there is a file that can be of a save.

    One that was set aside is only moved, so it may have other names, as backups have that are made
    of hard links.
    """
    return is_plain(file, may_have_names=is_old(file.name))


def _entries(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the entries of a folder; those that another save removes meanwhile are left out."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                # not that of `entry`, which counts no names on Windows
                yield entry.name, os.lstat(entry.path)


def _is_own(status: os.stat_result, beside: Path) -> bool:
    """Whether a folder belongs to the user who would now make one there.

    Some file systems (FAT, network drives) give all files to one user, whoever makes them.
    """
    if sys.platform == "win32" or status.st_uid == os.geteuid():
        return True
    import tempfile  # takes long to import, and is seldom needed

    with tempfile.TemporaryFile(dir=beside) as probe:
        return os.fstat(probe.fileno()).st_uid == status.st_uid
