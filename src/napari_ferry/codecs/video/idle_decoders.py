"""Thread to close the files of idle or abandoned decoders; it ends when none is open.

The garbage collector finalizes objects in any thread and at any time: within a call of PyAV, or
while that thread holds a lock. FFmpeg must not be called there, and no lock may be waited for.
Therefore an open decoder is kept alive here, and the end of its owner only wakes this thread.

A forked process does not touch the open files of its parent: their threads do not exist there.
"""

from __future__ import annotations

import atexit
import os
import queue
import threading
import weakref
from contextlib import suppress
from typing import Protocol

_IDLE_SECONDS = 10.0


class IdleClosable(Protocol):
    """A decoder with a file, open or closed."""

    def close_if_idle(self, seconds: float, /) -> bool:
        """Close the file if idle for this time in seconds; return True if it is still open.

        A file that a thread is using is not idle.
        """

    def forget(self) -> None:
        """Reset the decoder to the state of a file never opened."""


_watched: weakref.WeakSet[IdleClosable] = weakref.WeakSet()
"""Every decoder that was opened, for a forked process."""


class _Watcher:
    """The thread to close files, and its state."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.open: dict[IdleClosable, weakref.ref[object]] = {}
        """Decoders whose files may be open, and their owners."""
        self.abandoned: queue.SimpleQueue[object] = queue.SimpleQueue()
        """References to owners that no longer exist; its `put` may interrupt any other call."""
        self.is_running = False

    def add(self, decoder: IdleClosable, owner: object) -> None:
        """Watch a decoder with an open file, and start the thread if it is not running."""
        with self.lock:
            _watched.add(decoder)
            self.open[decoder] = weakref.ref(owner, self.abandoned.put)
            if not self.is_running:
                self.is_running = True
                threading.Thread(target=self._run, name="ferry-idle", daemon=True).start()

    def _run(self) -> None:
        is_any_open = True
        while is_any_open:
            with suppress(queue.Empty):
                self.abandoned.get(timeout=_IDLE_SECONDS / 4)
            is_any_open = self.close_idle(_IDLE_SECONDS)

    def close_idle(self, seconds: float) -> bool:
        """Close the files without an owner and the idle ones; return True if any is still open."""
        with self.lock:
            self.open = {
                decoder: owner
                for decoder, owner in self.open.items()
                if decoder.close_if_idle(-1.0 if owner() is None else seconds)
            }
            self.is_running = bool(self.open)
            return self.is_running


_watcher = _Watcher()


def watch(decoder: IdleClosable, owner: object) -> None:
    """Close the file of a decoder when it is idle, or when its owner no longer exists.

    Call this with the lock of the decoder, before its file is opened. The decoder is kept alive
    until its file is closed, but its owner is not.
    """
    _watcher.add(decoder, owner)


def _after_fork() -> None:
    global _watcher  # noqa: PLW0603 - its thread and its lock belong to the parent
    for decoder in list(_watched):
        decoder.forget()
    _watcher = _Watcher()


@atexit.register
def _close_all() -> None:
    """Close all files while decoder threads can still end, before the interpreter is finalized."""
    _watcher.close_idle(-1.0)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
