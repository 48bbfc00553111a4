"""Thread to close the files of idle decoders; it ends when none is left open.

A forked process does not touch the open files of its parent: their threads do not exist there.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from typing import Protocol

_IDLE_SECONDS = 10.0


class IdleClosable(Protocol):
    """A reader with a file, open or closed."""

    def close_if_idle(self, seconds: float, /) -> bool:
        """Close the file if idle for this time in seconds; return True if it is still open."""

    def forget(self) -> None:
        """Reset the reader to the state of a file never opened."""


_watched: weakref.WeakSet[IdleClosable] = weakref.WeakSet()


class _Watcher:
    """The thread to close idle files, and its state."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_running = False

    def add(self, reader: IdleClosable) -> None:
        with self.lock:
            _watched.add(reader)
            if not self.is_running:
                self.is_running = True
                threading.Thread(target=self._run, name="ferry-idle", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(_IDLE_SECONDS / 4)
            with self.lock:
                still_open = [reader.close_if_idle(_IDLE_SECONDS) for reader in list(_watched)]
                if not any(still_open):
                    self.is_running = False
                    return


_watcher = _Watcher()


def watch(reader: IdleClosable) -> None:
    """Close the file of a reader when it is idle; call this with its lock, before opening."""
    _watcher.add(reader)


def _after_fork() -> None:
    global _watcher  # noqa: PLW0603 - its thread and its lock belong to the parent
    _watcher = _Watcher()
    for reader in list(_watched):
        reader.forget()


@atexit.register
def _close_all() -> None:
    """Close all files while decoder threads can still end, before the interpreter is finalized."""
    for reader in list(_watched):
        reader.close_if_idle(-1.0)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
