"""States of files and folders, to notice a later change."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import xxhash


class FileState(NamedTuple):
    """State of some files.

    Parameters
    ----------
    digest : str
        Digest of their names, sizes and modification times.
    nbytes : int
        Sum of their sizes.
    newest_ns : int
        Latest of their modification times, in nanoseconds since 1970; 0 without files.
    """

    digest: str
    nbytes: int
    newest_ns: int


def read_state(paths: Iterable[Path]) -> FileState:
    """Return the state of some files, and of all files in some folders.

    Files that do not exist are part of the state, too.

    Raises
    ------
    OSError
        A folder cannot be read.
    """
    hasher, nbytes, newest = xxhash.xxh3_128(), 0, 0
    for path in paths:
        for name, status in _statuses(path):
            line = f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n" if status else f"{name}\n"
            hasher.update(line.encode(errors="surrogatepass"))
            nbytes += status.st_size if status else 0
            newest = max(newest, status.st_mtime_ns if status else 0)
    return FileState(hasher.hexdigest(), nbytes, newest)


def _statuses(path: Path) -> Iterator[tuple[str, os.stat_result | None]]:
    """Yield the name and the status of a file, or of each file in a folder, in a fixed order."""
    if not path.is_dir():
        yield path.name, path.stat() if path.exists() else None
        return
    for parent, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            file = os.path.join(parent, name)  # noqa: PTH118 - thousands of files
            yield os.path.relpath(file, path), os.lstat(file)
