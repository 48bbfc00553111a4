"""Recovery of an interrupted save: checks of its folder, and moves to complete it.

A folder next to a target may come from anyone, in an archive or on a shared disk. It is used only
if all of its content could be from a save by the same user, and is otherwise refused and unchanged.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from napari_ferry.errors import TargetError
from napari_ferry.saving.disk.plain_files import file_defect, is_plain
from napari_ferry.saving.partial.journal import (
    Journal,
    is_data,
    is_entry,
    is_old,
    old_name,
    read_journal,
)
from napari_ferry.saving.partial.write_records import JournalError

_JUNCTION = 0xA0000003
"""IO_REPARSE_TAG_MOUNT_POINT: a link to a folder on Windows."""


def check_folder(folder: Path, *, may_have_folders: bool = False) -> None:
    """Refuse a folder not created by a save of the same user.

    Parameters
    ----------
    folder : Path
        Folder of the save.
    may_have_folders : bool
        True for a save of folders, whose content is not checked: it may be data of the user that
        were replaced, and is only removed.

    Raises
    ------
    TargetError
        The folder is a link, belongs to another user, or contains a file that is not from a save.
    """
    status = folder.lstat()
    if _is_link(status):
        raise refusal(folder, "is a link")
    if not stat.S_ISDIR(status.st_mode):
        raise refusal(folder, "is not a folder")
    if not _is_own(status, folder.parent):
        raise refusal(folder, "belongs to another user")

    for name, entry in _entries(folder):
        defect = file_defect(entry, may_have_names=is_old(name))
        if may_have_folders and is_data(name) and stat.S_ISDIR(entry.st_mode):
            defect = "is a link" if _is_link(entry) else None
        defect = defect if is_entry(name) else "is not a file of a save"
        if entry.st_uid != status.st_uid:
            defect = "belongs to another user"
        if defect:
            raise refusal(folder, f"contains {name[:60]!r}, which {defect}")


def check_trees(folder: Path) -> None:
    """Refuse links and foreign files in the unfinished folders of a save, before it is resumed.

    Raises
    ------
    TargetError
        A folder contains something that a save does not create, through which other files could be
        written to.
    """
    owner = folder.lstat().st_uid
    pending = [folder / name for name, entry in _entries(folder) if stat.S_ISDIR(entry.st_mode)]
    while pending:
        parent = pending.pop()
        for name, entry in _entries(parent):
            is_folder = stat.S_ISDIR(entry.st_mode) and not _is_link(entry)
            defect = None if is_folder else file_defect(entry)
            if entry.st_uid != owner:
                defect = "belongs to another user"
            if defect:
                raise refusal(folder, f"contains {name[:60]!r}, which {defect}")
            if is_folder:
                pending.append(parent / name)


def recovery_steps(folder: Path, targets: Mapping[str, Path]) -> list[tuple[Path, Path]]:
    """Return the moves to make all files of an interrupted save old, or all of them new.

    Existing files are never replaced. Files in the folder are obsolete if all targets exist again.

    Parameters
    ----------
    folder : Path
        Folder of the save.
    targets : mapping of str to Path
        Name of each target of this save -> its path.

    Returns
    -------
    list of (Path, Path)
        Files in the folder, and their targets, which do not exist.

    Raises
    ------
    TargetError
        The journal is damaged, or contains other names than targets of this save; or some files
        were put in place or removed by other means.
    """
    try:
        journal = read_journal(folder)
    except JournalError as error:
        raise refusal(folder, "contains a journal that is damaged or not from a save") from error

    listed = {old_name(i) for i in range(len(journal.aside))}
    if any(is_old(name) and name not in listed for name, _ in _entries(folder)):
        raise refusal(folder, "contains files that were set aside, and no journal that names them")

    pending = list(pending_files(folder, journal).items())
    foreign = next((name for name, _ in pending if name not in targets), None)
    if foreign is not None:
        raise refusal(folder, f"contains {foreign[:60]!r}, which is not a file of this save")

    steps = [(file, targets[name]) for name, file in pending]
    lost = _lost_target(folder, journal, targets)
    existing = [target for _, target in steps if os.path.lexists(target)]
    if lost or 0 < len(existing) < len(steps):
        reason = f"{lost!r} is gone" if lost else f"{existing[0].name!r} was put in place by hand"
        raise refusal(folder, f"contains only some files of an interrupted save: {reason}")
    return [] if existing else steps


def pending_files(folder: Path, journal: Journal) -> dict[str, Path]:
    """Return the files to move in place for a complete set of targets.

    These are the earlier files while all new files are in the folder, else the remaining new files.

    Returns
    -------
    dict
        Name of the target -> file in the folder.
    """
    new = {name: folder / file for file, name in journal.moves if is_usable(folder / file)}
    if len(new) < len(journal.moves):
        return new
    aside = {name: folder / old_name(i) for i, name in enumerate(journal.aside)}
    return {name: file for name, file in aside.items() if is_usable(file)}


def refusal(folder: Path, reason: str) -> TargetError:
    """Return the error about an unusable folder.

    Parameters
    ----------
    reason : str
        Reason as a predicate, such as "is a link".
    """
    return TargetError(
        f"{folder}, the hidden folder of an unfinished save, {reason}, so its files are not used: "
        "move the files that you need out of it and delete it, or choose another name."
    )


def _lost_target(folder: Path, journal: Journal, targets: Mapping[str, Path]) -> str | None:
    """Return a target missing both in the folder and in place, while others are pending.

    It is one of the earlier files while all new files are in the folder, else one of the new files.
    """
    files = [(folder / file, name) for file, name in journal.moves]
    if all(is_usable(file) for file, _ in files):
        files = [(folder / old_name(i), name) for i, name in enumerate(journal.aside)]
    missing = [name for file, name in files if not is_usable(file)]
    if len(missing) == len(files):
        return None
    return next(
        (n for n in missing if not os.path.lexists(targets.get(n, folder.parent / n))), None
    )


def is_usable(file: Path) -> bool:
    """Return True for an existing plain file, or a folder other than a link.

    A file set aside may have hard links, such as those of a backup, as it is only moved.
    """
    if is_plain(file, may_have_names=is_old(file.name)):
        return True
    try:
        status = file.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and not _is_link(status)


def _is_link(status: os.stat_result) -> bool:
    """Return True for the status of a link, also of one to a folder on Windows."""
    is_junction = getattr(status, "st_reparse_tag", 0) == _JUNCTION
    return stat.S_ISLNK(status.st_mode) or is_junction


def _entries(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the entries of a folder, without files removed by another save in the meantime."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                # `entry.stat` does not count hard links on Windows
                yield entry.name, os.lstat(entry.path)


def _is_own(status: os.stat_result, parent: Path) -> bool:
    """Return True if a folder belongs to the owner of new files next to it.

    On some file systems (FAT, network drives) all files have one owner, regardless of the user.
    """
    if sys.platform == "win32" or status.st_uid == os.geteuid():
        return True

    import tempfile  # slow to import and seldom needed

    with tempfile.TemporaryFile(dir=parent) as probe:
        return os.fstat(probe.fileno()).st_uid == status.st_uid
