"""Flushing of files and folders to the disk."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from napari_ferry.saving.disk.plain_files import NOT_SUPPORTED, warn_unsupported

_SYNC_THREADS = 8


def sync_file(path: Path) -> None:
    """Flush the content of a file to the disk."""
    with path.open("r+b") as file:
        sync_open(file.fileno(), path)


def sync_written(target: Path) -> None:
    """Flush the data written by this host to a file, or to files in a folder.

    Not every system can flush a whole file system. There, network drives flush a file when it is
    closed, and each file in a folder is closed by now.
    """
    if target.is_dir():
        _sync_file_system(target)
    else:
        sync_file(target)


def sync_tree(folder: Path) -> None:
    """Flush a folder with all files and folders in it to the disk.

    Linux flushes the whole file system in one step, which is faster than file by file.
    """
    if _sync_file_system(folder):
        return

    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_SYNC_THREADS, thread_name_prefix="ferry-sync") as pool:
        for parent, _, names in os.walk(folder):
            for _ in pool.map(sync_file, [Path(parent, name) for name in names]):
                pass
            sync_folder(Path(parent))


def _sync_file_system(folder: Path) -> bool:
    """Flush the file system of a folder; return False if the system cannot.

    Raises
    ------
    OSError
        Writing to the disk failed.
    """
    if sys.platform != "linux":
        return False

    import ctypes

    flush = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    fd = os.open(folder, os.O_RDONLY)
    try:
        failed = flush is None or flush(fd) != 0
    finally:
        os.close(fd)
    code = ctypes.get_errno()
    if flush is not None and failed and code not in NOT_SUPPORTED:
        raise OSError(code, os.strerror(code), os.fspath(folder))
    return not failed


def sync_folder(folder: Path) -> None:
    """Flush the entries of a folder to the disk; unnecessary on Windows."""
    if os.name == "nt":
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        sync_open(fd, folder)
    finally:
        os.close(fd)


def sync_folders(steps: Iterable[tuple[Path, Path]]) -> None:
    """Flush the folders of moved files to the disk; each step is a file and its target."""
    for folder in {target.parent for _, target in steps}:
        sync_folder(folder)


def sync_open(fd: int, path: Path) -> None:
    """Flush an open file; log a warning if the file system (some network drives) cannot."""
    try:
        _flush(fd)
    except OSError as error:
        warn_unsupported(path, "flush to disk", error, NOT_SUPPORTED)


def _flush(fd: int) -> None:
    """Flush an open file to the medium; on macOS, `os.fsync` leaves it in the cache of the disk."""
    if sys.platform == "darwin":
        import fcntl

        with contextlib.suppress(OSError):  # network drives
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
            return
    os.fsync(fd)
