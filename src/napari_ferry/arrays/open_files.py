"""Files held open by readers of this process, and their release before a replacement.

Windows cannot replace a file that is open anywhere, not even in the program that replaces it.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from pathlib import Path
from typing import Protocol


class FileHolder(Protocol):
    """A reader with a file kept open between two reads."""

    @property
    def path(self) -> str | Path:
        """Path of the file."""

    def close(self) -> None:
        """Close the file until the next read."""


_holders: weakref.WeakSet[FileHolder] = weakref.WeakSet()
_lock = threading.Lock()


def register_holder(holder: FileHolder) -> None:
    """Register a reader whose file may be released; it is forgotten with its last reference."""
    with _lock:
        _holders.add(holder)


def release_file(path: Path) -> None:
    """Close a file in all readers of this process; their next read opens it again."""
    with _lock:
        holders = list(_holders)
    for holder in holders:
        if _is_same(holder.path, path):
            holder.close()


def _is_same(first: str | Path, second: Path) -> bool:
    """Return True for two paths of one file, also if a link leads to it."""
    with contextlib.suppress(OSError, ValueError):
        return os.path.samefile(first, second)  # noqa: PTH121 - either may be a str
    return False
