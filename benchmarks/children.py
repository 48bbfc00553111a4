"""The processes that a job starts, such as an encoder: their CPU time and their memory."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from types import TracebackType

import psutil

_EVERY = 0.1
"""Seconds between looks; the system itself remembers the peak of a process on Linux."""


def cpu_seconds() -> float:
    """Return the CPU time of this process and of those that it started and that have ended."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


class Watch:
    """Looks, in a thread of its own, at how much memory the children of this process have.

    What `resource` says of children is of no use: it counts the parent that they were forked from.
    """

    def __init__(self) -> None:
        self.peak = 0
        self._children: list[psutil.Process] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(_EVERY):
            # to find them costs more than to look at those that are known
            known = [child for child in self._children if child.is_running()]
            self._children = known or psutil.Process().children(recursive=True)
            self.peak = max(self.peak, sum(map(_peak, self._children)))


def _peak(child: psutil.Process) -> int:
    """Return the most memory that a child has had, in bytes; 0 when it has ended."""
    with contextlib.suppress(OSError, IndexError):  # no Linux, or it has just ended
        status = Path(f"/proc/{child.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    with contextlib.suppress(psutil.Error):
        return int(child.memory_info().rss)
    return 0
