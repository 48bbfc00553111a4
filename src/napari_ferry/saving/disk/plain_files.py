"""Allocation of disk space, opening of plain files, and locks."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Container
from pathlib import Path

_MIN_RESERVED_BYTES = 1 << 20
"""Smallest file to allocate in advance, in bytes."""

NOT_SUPPORTED = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}
"""Errors of file systems that cannot flush or lock a file."""

_NO_LOCKS = {*NOT_SUPPORTED, errno.ENOLCK, errno.EOPNOTSUPP}
_IS_LOCKED = {errno.EACCES, errno.EDEADLK} if os.name == "nt" else {errno.EWOULDBLOCK}
"""Errors of the system about a lock of another process."""

_LOCK_ATTEMPTS = 20
"""Attempts to take a lock: a reader that looks at a free one holds it for some microseconds."""

_LOCK_PAUSE = 0.01
"""Time between two attempts, in seconds."""

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Errors of a full disk, or of a file that is too large for it."""

_OWN_NAME_ONLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Flags to refuse links and not to wait for pipes, if the platform has them."""

_MAX_COMPARED_BYTES = 1 << 20
"""Size of the largest file to compare with its target; identical files are not moved."""


def file_defect(status: os.stat_result, *, may_have_names: bool = False) -> str | None:
    """Return the defect of a file, such as "is a link"; ``None`` for a plain file.

    Parameters
    ----------
    status : os.stat_result
        Status of the file itself, not of the target of a link.
    may_have_names : bool
        True to allow hard links, which are safe if the file is never written to.
    """
    if stat.S_ISLNK(status.st_mode):
        return "is a link"
    if stat.S_ISDIR(status.st_mode):
        return "is a folder"
    if not stat.S_ISREG(status.st_mode):
        return "is a device or a pipe"
    has_names = status.st_nlink > 1 and not may_have_names
    return "is a file with several names (hard links)" if has_names else None


def name_length(name: str) -> int:
    """Return the length of a file name in units of the platform: UTF-16 on Windows, else bytes.

    Raises
    ------
    UnicodeEncodeError
        The name contains half of a surrogate pair; except on Windows.
    """
    if os.name == "nt":
        return len(name.encode("utf-16-le", "surrogatepass")) // 2
    return len(os.fsencode(name))


def is_plain(path: Path, *, may_have_names: bool = False) -> bool:
    """Return True for an existing file other than a link; see `file_defect` for hard links."""
    try:
        return file_defect(path.lstat(), may_have_names=may_have_names) is None
    except OSError:
        return False


def open_plain(path: str | Path, flags: int) -> int:
    """Open a plain file without hard links; an ``opener`` for `open`.

    Raises
    ------
    OSError
        The file is not plain, or cannot be opened.
    """
    if os.path.lexists(path) and not is_plain(Path(path)):  # some platforms lack the flags
        raise OSError(errno.ELOOP, "not a plain file", os.fspath(path))
    fd = os.open(path, flags | _OWN_NAME_ONLY, 0o666)
    if file_defect(os.fstat(fd)):
        os.close(fd)
        raise OSError(errno.ELOOP, "not a plain file", os.fspath(path))
    return fd


def reserve(path: Path) -> None:
    """Allocate the disk space of a file with its final length; on Linux only.

    Writing to allocated space is a tenth faster, and a full disk is reported before the first
    byte. `numpy.ndarray.tofile` does the same. File systems without support are skipped:
    `os.posix_fallocate` would write to every block, which takes very long on a server.

    Raises
    ------
    OSError
        The disk is full.
    """
    nbytes = 0 if path.is_dir() else path.stat().st_size
    if sys.platform != "linux" or nbytes < _MIN_RESERVED_BYTES:
        return

    import ctypes

    fallocate = getattr(ctypes.CDLL(None, use_errno=True), "fallocate64", None)
    with path.open("r+b") as file:
        whole = ctypes.c_int64(0), ctypes.c_int64(nbytes)
        failed = fallocate is not None and fallocate(file.fileno(), 0, *whole) != 0
        if failed and ctypes.get_errno() in NO_SPACE:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), os.fspath(path))


def warn_unsupported(path: Path, action: str, error: OSError, codes: Container[int | None]) -> None:
    """Log an action unsupported by the file system; raise any error other than `codes`."""
    if error.errno not in codes:
        raise error
    import logging

    log = logging.getLogger(__name__)
    log.warning("%s: this file system cannot %s (%s)", path, action, error)


def lock_open(fd: int, path: Path) -> None:
    """Lock an open file, until it is closed; log a warning if the file system cannot.

    Raises
    ------
    BlockingIOError
        Another process or thread has locked it.
    OSError
        The system reported another error.
    """
    try:
        _lock(fd)
    except BlockingIOError:
        raise
    except OSError as error:
        warn_unsupported(path, "lock a file", error, _NO_LOCKS)


def is_locked(path: Path) -> bool | None:
    """Return True if a save, in any process or thread, has locked a file.

    Readers on Windows exclude each other for a moment, those on other systems do not. No file is
    created or changed.

    Returns
    -------
    bool or None
        ``None`` on file systems without locks, where this is not known.
    """
    try:
        fd = open_plain(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        _lock(fd, is_shared=sys.platform != "win32")
        _unlock(fd)  # closing is not sufficient if the process was forked in the meantime
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(fd)
    return False


def _lock(fd: int, *, is_shared: bool = False) -> None:
    """Lock a file, alone in one of several attempts, or shared with readers.

    Raises
    ------
    BlockingIOError
        Another process or thread has locked it.
    OSError
        The system reported another error.
    """
    for attempts_left in reversed(range(1 if is_shared else _LOCK_ATTEMPTS)):
        try:
            _try_lock(fd, is_shared=is_shared)
        except OSError as error:
            if error.errno not in _IS_LOCKED:
                raise
            if not attempts_left:
                raise BlockingIOError(error.errno, error.strerror) from error
            time.sleep(_LOCK_PAUSE)
        else:
            return


def _try_lock(fd: int, *, is_shared: bool) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(fd, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


def _unlock(fd: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(fd, fcntl.LOCK_UN)


def is_identical(partial: Path, target: Path) -> bool:
    """Return True if a small file is identical to its target."""
    if not target.is_file() or partial.stat().st_size > _MAX_COMPARED_BYTES:
        return False
    sizes_agree = partial.stat().st_size == target.stat().st_size
    return sizes_agree and partial.read_bytes() == target.read_bytes()
