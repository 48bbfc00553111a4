"""Size of files and folders on a disk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def stored_bytes(paths: Iterable[Path]) -> int:
    """Return the size of some files, and of all files in some folders, in bytes.

    Raises
    ------
    OSError
        A file cannot be accessed.
    """
    return sum(_folder_bytes(path) if path.is_dir() else path.stat().st_size for path in paths)


def _folder_bytes(folder: Path) -> int:
    """Return the size of all files in a folder, without the targets of links."""
    return sum(
        os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 - thousands of files
        for parent, _, names in os.walk(folder)
        for name in names
    )
