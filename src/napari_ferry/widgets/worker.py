"""Work in another thread, whose results count only until something else is asked for."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]


class BackgroundWorker(QObject):
    """One thread of its own, so that it waits for no export, and does nothing that is outdated.

    Parameters
    ----------
    parent : QObject
        Who uses the results: when it is gone, nobody does.
    """

    failed = Signal(object)
    """What was asked for raised this."""

    _done = Signal(int, object, object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._asked = 0
        pool = self._pool = ThreadPoolExecutor(1, "ferry-plan")
        self.destroyed.connect(lambda: pool.shutdown(wait=False, cancel_futures=True))
        self._done.connect(self._on_done)

    def forget(self) -> None:
        """Let nothing count that is under way."""
        self._asked += 1

    def call(self, function: Callable[[], Any], use: Callable[[Any], None]) -> None:
        """Call a function there, and here, with what it returned, another one."""
        number = self._asked
        future = self._pool.submit(lambda: function() if number == self._asked else None)
        future.add_done_callback(lambda done: self._tell(number, use, done))

    def _tell(self, number: int, use: Callable[[Any], None], done: Future[Any]) -> None:
        if number == self._asked and isalive(self):  # type: ignore[no-untyped-call]
            self._done.emit(number, use, done)

    def _on_done(self, number: int, use: Callable[[Any], None], done: Future[Any]) -> None:
        if number != self._asked:
            return
        error = done.exception()
        if error is None:
            use(done.result())
        else:
            self.failed.emit(error)
