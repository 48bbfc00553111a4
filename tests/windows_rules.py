"""Simulated rules of Windows: an open file can be neither moved, replaced nor removed."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from napari_ferry.saving.disk import replacement
from napari_ferry.saving.partial.journal import LOCK

SHARING_VIOLATION = 32


@dataclass
class WindowsRules:
    """Open files of this process, and those that a simulated program holds."""

    held: dict[Path, float] = field(default_factory=dict)
    """Files of another program -> number of attempts until it closes them."""
    attempts: int = 0

    def hold(self, path: Path, attempts: float = float("inf")) -> None:
        """Let another program hold a file, for a number of attempts to change it."""
        self.held[path] = attempts

    def check(self, path: Path) -> None:
        """Refuse a change of an open file."""
        path = Path(os.path.realpath(path))
        self.attempts += 1
        if self.held.get(path, 0) > 0:
            self.held[path] -= 1
        elif self._is_lock(path) or not _is_open_here(path):
            return
        error = PermissionError(errno.EACCES, "Access is denied", str(path))
        error.winerror = SHARING_VIOLATION  # type: ignore[attr-defined]
        raise error

    @staticmethod
    def _is_lock(path: Path) -> bool:
        """Return True for the lock of a save, which is removed while open except on Windows."""
        return path.name == LOCK and sys.platform != "win32"


def _is_open_here(path: Path) -> bool:
    if os.name == "nt":  # refuses by itself
        return False
    if any(file.path == str(path) for file in psutil.Process().open_files()):
        return True
    maps = Path("/proc/self/maps")  # psutil adds up the memory of each, which takes long
    return maps.exists() and str(path) in maps.read_text("utf-8", "surrogateescape")


def pretend_windows(patch: pytest.MonkeyPatch) -> None:
    """Let the code take the ways of Windows, with locks of this system."""
    if sys.platform == "win32":
        return
    import fcntl

    def locking(fd: int, how: int, _: int) -> None:
        fcntl.flock(fd, how)

    locks = SimpleNamespace(
        locking=locking, LK_NBLCK=fcntl.LOCK_EX | fcntl.LOCK_NB, LK_UNLCK=fcntl.LOCK_UN
    )
    patch.setitem(sys.modules, "msvcrt", locks)
    patch.setattr(sys, "platform", "win32")


def apply_rules(patch: pytest.MonkeyPatch) -> WindowsRules:
    """Apply the rules to `os`, without waiting between attempts."""
    rules = WindowsRules()

    def checked(change: Callable[..., None], count: int) -> Callable[..., None]:
        def change_if_closed(*arguments: Any, **options: Any) -> None:
            for path in arguments[:count]:
                if Path(path).is_file():
                    rules.check(path)
            change(*arguments, **options)

        return change_if_closed

    for name in ("replace", "rename"):
        patch.setattr(os, name, checked(getattr(os, name), 2))
    for name in ("remove", "unlink"):
        patch.setattr(os, name, checked(getattr(os, name), 1))
    patch.setattr(replacement, "HOLDS_FILES", True)
    patch.setattr(replacement, "PATIENCE", 0.05)
    patch.setattr(replacement, "PAUSE", 0.0)
    return rules
