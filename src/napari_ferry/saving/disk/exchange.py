"""Exchange of two folders in one step, by system calls missing from Python."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
"""Flag of ``renameat2`` on Linux (``linux/fs.h``)."""

_RENAME_SWAP = 2
"""Flag of ``renamex_np`` on macOS (``sys/stdio.h``)."""

_UNSUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP}


def exchange(first: Path, second: Path) -> bool:
    """Exchange two files or folders in one step.

    Returns
    -------
    bool
        False, with both unchanged, if the system or the file system has no such step.

    Raises
    ------
    OSError
        The system refused it; both are unchanged.
    """
    import ctypes

    if sys.platform == "win32":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    paths = os.fsencode(first), os.fsencode(second)
    if sys.platform == "darwin":
        swap = getattr(library, "renamex_np", None)
        failed = swap is None or swap(*paths, _RENAME_SWAP)
    else:
        swap = getattr(library, "renameat2", None)
        failed = swap is None or swap(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE)

    code = ctypes.get_errno()
    if not failed:
        return True
    if swap is None or code in _UNSUPPORTED:
        return False
    raise OSError(code, os.strerror(code), os.fspath(first), None, os.fspath(second))
