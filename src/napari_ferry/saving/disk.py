"""Room on the disk, bytes that are brought there before a save goes on, and files without links."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

_WORTHWHILE = 1 << 20
"""Bytes of a file for which room is asked beforehand."""

_NO_FSYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_OWN_NAME_ONLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Flags that open no link, and wait for no pipe, where the platform has them."""


def oddity(status: os.stat_result, *, may_have_names: bool = False) -> str | None:
    """Return what a file is that is not plain, as the words after "which"; None of a plain one.

    Parameters
    ----------
    status : os.stat_result
        Of the file itself, not of what a link points at.
    may_have_names : bool
        Whether other names of the file do no harm, as where it is never written to.
    """
    if stat.S_ISLNK(status.st_mode):
        return "is a link"
    if stat.S_ISDIR(status.st_mode):
        return "is a folder"
    if not stat.S_ISREG(status.st_mode):
        return "is a device or a pipe"
    has_names = status.st_nlink > 1 and not may_have_names
    return "is a file that has another name, too" if has_names else None


def is_plain(path: Path, *, may_have_names: bool = False) -> bool:
    """Whether there is a file that is not a link and, unless it may, has no other name."""
    try:
        return oddity(path.lstat(), may_have_names=may_have_names) is None
    except OSError:
        return False


def open_plain(path: str | Path, flags: int) -> int:
    """Open a file that is not a link and has no other name; serves as ``opener`` of `open`.

    Raises
    ------
    OSError
        It is not such a file, or cannot be opened.
    """
    if os.path.lexists(path) and not is_plain(Path(path)):  # where no flag says so
        raise OSError(errno.ELOOP, "not a plain file", os.fspath(path))
    fd = os.open(path, flags | _OWN_NAME_ONLY, 0o666)
    if oddity(os.fstat(fd)):
        os.close(fd)
        raise OSError(errno.ELOOP, "not a plain file", os.fspath(path))
    return fd


def reserve(path: Path) -> None:
    """Give a file that was made as long as it will be its room on the disk; Linux only.

    Writing into room that is there costs a tenth less, and a disk that is too full says so before
    the first byte. `numpy.ndarray.tofile` does the same. Where the file system cannot, nothing is
    done: `os.posix_fallocate` would then write into every block, which takes for ever on a server.

    Raises
    ------
    OSError
        There is no room.
    """
    nbytes = path.stat().st_size
    if sys.platform != "linux" or nbytes < _WORTHWHILE:
        return
    import ctypes

    fallocate = getattr(ctypes.CDLL(None, use_errno=True), "fallocate64", None)
    with path.open("r+b") as file:
        whole = ctypes.c_int64(0), ctypes.c_int64(nbytes)
        failed = fallocate is not None and fallocate(file.fileno(), 0, *whole) != 0
        if failed and ctypes.get_errno() in _NO_ROOM:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), os.fspath(path))


def sync_file(path: Path) -> None:
    """Bring a file's bytes to the disk."""
    with path.open("r+b") as file:
        sync_open(file.fileno(), path)


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk; Windows does so by itself."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        sync_open(fd, folder)
    finally:
        os.close(fd)


def sync_open(fd: int, path: Path) -> None:
    """Flush, or log where a file system (some network drives) cannot."""
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in _NO_FSYNC:
            raise
        import logging

        log = logging.getLogger(__name__)
        log.warning("%s: this file system cannot flush to disk (%s)", path, error)
