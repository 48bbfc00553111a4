"""The join of the parts of one file, in order, while later parts are still being written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from napari_ferry.arrays.progress import Monitor
from napari_ferry.saving.write import part_path

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

_CHECK_SECONDS = 0.1
"""Time between checks for cancelling while the next part is not finished, in seconds."""


class FileJoin:
    """The join of the parts of one file, in a thread of its own.

    Parameters
    ----------
    join : callable
        `PlannedFile.join`.
    target : Path
        Partial path of the file.
    count : int
        Number of parts.
    monitor : Monitor
        Stops all threads.
    pool : Executor
        Starts the thread.
    """

    def __init__(
        self,
        join: Callable[[Path, Iterator[Path]], None],
        target: Path,
        count: int,
        monitor: Monitor,
        pool: Executor,
    ) -> None:
        self.target, self.count, self.monitor = target, count, monitor
        self._finished: set[int] = set()
        self._changed = threading.Condition()
        self._future: Future[None] = pool.submit(join, target, self._parts())

    def add(self, index: int) -> None:
        """Add a finished part."""
        with self._changed:
            self._finished.add(index)
            self._changed.notify_all()

    def check(self) -> None:
        """Raise the error of a join that failed."""
        if self._future.done():
            self._future.result()

    def wait(self) -> None:
        """Wait until the file is complete, and raise the error if it failed."""
        self._future.result()

    def _parts(self) -> Iterator[Path]:
        """Yield the paths of the parts in order, each when it is finished."""
        for index in range(self.count):
            with self._changed:
                while index not in self._finished:
                    self.monitor.check()
                    self._changed.wait(_CHECK_SECONDS)
                self._finished.remove(index)
            yield part_path(self.target, index)
