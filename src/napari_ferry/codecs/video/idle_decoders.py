"""Closes, in a thread that lives while there are any, the files that nobody has read for a while.

A process that is forked leaves the open files of its parent alone: their threads are not there.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import Protocol

_IDLE_SECONDS = 10.0


class Closable(Protocol):
    """Something with a file that may be open."""

    def close_if_idle(self, seconds: float, /) -> bool:
        """Close the file if nobody has read for so long; return whether it is still open."""

    def forget(self) -> None:
        """Be as if the file had never been opened."""


_watched: weakref.WeakSet[Closable] = weakref.WeakSet()


class _Watch:
    """The thread that looks after files, and whether it is there."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_awake = False

    def add(self, reader: Closable) -> None:
        with self.lock:
            _watched.add(reader)
            if not self.is_awake:
                self.is_awake = True
                threading.Thread(target=self._work, name="ferry-idle", daemon=True).start()

    def _work(self) -> None:
        while True:
            time.sleep(_IDLE_SECONDS / 4)
            with self.lock:
                still_open = [reader.close_if_idle(_IDLE_SECONDS) for reader in list(_watched)]
                if not any(still_open):
                    self.is_awake = False
                    return


_watch = _Watch()


def watch(reader: Closable) -> None:
    """Look after a file from now on; its reader calls this before it is opened, with its lock."""
    _watch.add(reader)


def _after_fork() -> None:
    global _watch  # noqa: PLW0603 - its thread and its lock are the parent's
    _watch = _Watch()
    for reader in list(_watched):
        reader.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
