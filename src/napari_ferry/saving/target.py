"""Checks of the targets of a save, before the first byte."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from napari_ferry.errors import TargetError
from napari_ferry.saving.disk import name_length

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


def check_free_space(folder: Path, nbytes: int) -> None:
    """Refuse a disk with too little free space.

    Raises
    ------
    TargetError
        The save needs more space.
    """
    import shutil  # its import takes half as long as that of this package

    free = shutil.disk_usage(folder).free
    if nbytes > free:
        raise TargetError(
            f"The disk has {free / 1e9:.2f} GB free and the save needs {nbytes / 1e9:.2f} GB: free "
            f"some space, or choose another disk than that of {folder}."
        )


def check_target(path: Path) -> None:
    """Refuse a path without permission to create or replace a file.

    Raises
    ------
    TargetError
        The folder is missing or write-protected, or the path exists and is not a file or is
        write-protected.
    """
    if not path.parent.is_dir():
        raise TargetError(
            f"The folder {path.parent} does not exist: create it, or choose another one."
        )
    if path.is_dir():
        raise TargetError(f"{path.name} is a folder: give the name of a file.")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise TargetError(f"{path.name} is a device or a pipe, not a file: choose another name.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise TargetError(f"The folder {path.parent} cannot be written to: choose another one.")
    if path.exists() and not os.access(path, os.W_OK):
        raise TargetError(f"{path.name} is write-protected: unlock it, or choose another name.")
