"""Whether a file can be made at a place: asked before the first byte of a save."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from napari_ferry.errors import TargetError

_WINDOWS_RESERVED = re.compile(
    r'(con|prn|aux|nul|com\d|lpt\d)(\..*)?|.*[<>:"/\\|?*\x00-\x1f].*|.*[ .]', re.IGNORECASE
)
"""Names that Windows gives to no file."""


def follow_link(path: Path, *, may_be_gone: bool = False) -> Path:
    """Return the file that a link points at, and any other path made absolute.

    Parameters
    ----------
    path : Path
        A file that is to be made or replaced.
    may_be_gone : bool
        Whether a link may point nowhere, because what it points at was set aside.

    Raises
    ------
    TargetError
        The link points nowhere, or no file can have that name.
    """
    name = os.fsencode(path.name)
    is_reserved = os.name == "nt" and _WINDOWS_RESERVED.fullmatch(path.name)
    if len(name) > 255 or b"\0" in name or is_reserved:
        raise TargetError(f"{path.name[:60]!r} cannot be a file's name here: choose another one.")
    if not path.is_symlink():
        return path.absolute()
    if not path.exists() and not may_be_gone:
        raise TargetError(
            f"{path} is a link to {path.readlink()}, which is not there: remove the link or "
            "choose another name."
        )
    return path.resolve()


def check_room(folder: Path, nbytes: int) -> None:
    """Refuse a disk that has less room than a save needs.

    Raises
    ------
    TargetError
        It has.
    """
    import shutil  # costs as much as half of this package

    free = shutil.disk_usage(folder).free
    if nbytes > free:
        raise TargetError(
            f"{folder} has {free / 1e9:.2f} GB free and the save needs {nbytes / 1e9:.2f} GB: "
            "make room or choose another disk."
        )


def check_place(path: Path) -> None:
    """Refuse a path that no file can be made at.

    Raises
    ------
    TargetError
        The folder is missing or write-protected, or something that is no file, or a
        write-protected file, stands there.
    """
    if not path.parent.is_dir():
        raise TargetError(f"The folder {path.parent} is not there: make it, or choose another one.")
    if path.is_dir():
        raise TargetError(f"{path} is a folder: give the name of a file.")
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise TargetError(f"{path} is a device or a pipe, not a file: choose another name.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise TargetError(f"The folder {path.parent} cannot be written to: choose another one.")
    if path.exists() and not os.access(path, os.W_OK):
        raise TargetError(f"{path} is write-protected: unlock it, or choose another name.")
