"""Checks of the targets of a save, before the first byte."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from napari_ferry.errors import TargetError
from napari_ferry.saving.disk.new_folders import refuse_file_as_folder
from napari_ferry.saving.disk.plain_files import name_length

_WINDOWS_RESERVED = re.compile(
    r'(con|prn|aux|nul|com\d|lpt\d)(\..*)?|.*[<>:"/\\|?*\x00-\x1f].*|.*[ .]', re.IGNORECASE
)
"""File names not allowed on Windows."""


def follow_link(path: Path, *, may_be_missing: bool = False) -> Path:
    """Return the absolute path of a file, or of the target of a link.

    Parameters
    ----------
    path : Path
        File to create or to replace.
    may_be_missing : bool
        True if the target of a link may be missing, because an interrupted save set it aside.

    Raises
    ------
    TargetError
        The target of the link does not exist, or the name is not allowed.
    """
    is_reserved = os.name == "nt" and _WINDOWS_RESERVED.fullmatch(path.name)
    if _is_too_long(path) or "\0" in path.name or is_reserved:
        raise TargetError(f"{path.name[:60]!r} is not a valid file name here: choose another one.")
    if not path.is_symlink():
        return path.absolute()
    if not path.exists() and not may_be_missing:
        raise TargetError(
            f"{path.name} is a link to {path.readlink()}, which does not exist: remove the link or "
            "choose another name."
        )
    return path.resolve()


def _is_too_long(path: Path) -> bool:
    """Return True for a longer name than the file system allows."""
    try:
        limit = os.pathconf(path.parent, "PC_NAME_MAX")
    except (AttributeError, OSError):  # Windows, or a missing folder
        limit = 255
    return name_length(path.name) > limit


def check_free_space(
    folder: Path, nbytes: int, encoded: Iterable[tuple[int, Callable[[int], int]]] = ()
) -> None:
    """Refuse a disk with too little free space.

    Parameters
    ----------
    folder : Path
        Folder of the files; it may have to be made.
    nbytes : int
        Size of the files of known size, in bytes.
    encoded : iterable of (int, callable)
        Largest size of each other file, and the function to return a lower bound of its size; see
        `PlannedFile`.

    Raises
    ------
    TargetError
        The save needs more space.
    """
    free = free_space(folder)
    for most, find_least in encoded:
        if nbytes <= free < nbytes + most:
            nbytes += find_least(free - nbytes)
    if nbytes > free:
        raise TargetError(
            f"The disk has {free / 1e9:.2f} GB free and the save needs {nbytes / 1e9:.2f} GB: free "
            f"some space, or choose another disk than that of {folder}."
        )


def refuse_inside(path: Path, claims: Sequence[Callable[[Path], bool]]) -> None:
    """Refuse a target in a folder that is itself a data set; save dialogs enter such folders.

    Folders further up count if their names have a suffix, as those of data sets do: otherwise a
    stray file in the home folder would make all saving impossible.

    Parameters
    ----------
    path : Path
        File or folder to create.
    claims : sequence of callable
        Each returns True for a folder that is a single data set of one format.

    Raises
    ------
    TargetError
        A folder that contains the target is a data set.
    """
    existing = [folder for folder in path.absolute().parents if folder.exists()]
    asked = [*existing[:1], *(folder for folder in existing[1:] if folder.suffix)]
    store = next((folder for folder in asked if any(claim(folder) for claim in claims)), None)
    if store is not None:
        raise TargetError(
            f"{path.name} would be inside {store.name}, which is one data set: choose a name "
            "beside it. To replace it, use Layers > Data > Export data..., which asks first, or "
            "its own name with overwrite=True (--overwrite on the command line)."
        )


def free_space(folder: Path) -> int:
    """Return the free space where a folder is or will be, in bytes."""
    import shutil  # its import takes half as long as that of this package

    existing = (each for each in (folder, *folder.parents) if each.is_dir())
    return shutil.disk_usage(next(existing, Path.cwd())).free


def check_target(path: Path, *, is_folder: bool = False) -> None:
    """Refuse a path without permission to create or replace a file, or a folder.

    Parameters
    ----------
    path : Path
        File or folder to create or to replace.
    is_folder : bool
        True for a folder that is a single data set.

    Raises
    ------
    TargetError
        The parent folder is missing or write-protected, or the path exists and is of another kind
        or write-protected.
    """
    if not path.parent.is_dir():
        raise TargetError(
            f"The folder {path.parent} does not exist: create it, or choose another one."
        )
    _check_kind(path, is_folder)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise TargetError(f"The folder {path.parent} cannot be written to: choose another one.")
    if path.exists() and not os.access(path, os.W_OK):
        raise TargetError(f"{path.name} is write-protected: unlock it, or choose another name.")


def check_folder(folder: Path) -> bool:
    """Refuse a folder that cannot be made; return False for one that is to be made.

    Parameters
    ----------
    folder : Path
        Folder of the files, absolute.

    Raises
    ------
    TargetError
        It, or a parent, is a file; or the permission to make it is missing.
    """
    refuse_file_as_folder(folder)
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    if missing:
        check_target(missing[-1], is_folder=True)
    return not missing


def _check_kind(path: Path, is_folder: bool) -> None:
    """Refuse to replace a folder by a file, a file by a folder, or a device."""
    if not path.exists():
        return
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode) and not is_folder:
        raise TargetError(f"{path.name} is a folder: give the name of a file.")
    if stat.S_ISREG(mode) and is_folder:
        raise TargetError(
            f"{path.name} is a file, but this format is saved as a folder: move the file away, or "
            "choose another name."
        )
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise TargetError(f"{path.name} is a device or a pipe, not a file: choose another name.")
