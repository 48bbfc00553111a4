"""Calls in other threads while the event loop of this one runs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from qtpy.compat import isalive
from qtpy.QtCore import QEventLoop, QMetaObject, QObject, Qt, Signal  # type: ignore[attr-defined]

_T = TypeVar("_T")

_CANNOT_RUN = -1
"""Result of a loop not run by Qt because the application has ended."""


def _do_nothing() -> None:
    """Do nothing: a short function ends by itself."""


def call_in_thread(
    function: Callable[[], _T], *, on_quit: Callable[[], object] = _do_nothing
) -> _T:
    """Call a function in another thread, and run the event loop of this one until it returns.

    Parameters
    ----------
    function : callable
        Called without arguments.
    on_quit : callable
        Called when the loop has ended. This is before the function returns if the application
        quits; the function must end soon after it.

    Returns
    -------
    object
        Result of the function.
    """
    loop = QEventLoop()

    def quit_loop(_: Future[_T]) -> None:
        """Quit the loop in its own thread."""
        QMetaObject.invokeMethod(loop, "quit", Qt.ConnectionType.QueuedConnection)

    with ThreadPoolExecutor(1, "ferry-save") as pool:
        future = pool.submit(function)
        future.add_done_callback(quit_loop)
        if loop.exec() != _CANNOT_RUN:
            on_quit()
        try:
            return future.result()
        finally:
            del future  # an error would refer to this frame, and the frame to the error


class BackgroundWorker(QObject):
    """A separate thread for calls whose results can become outdated.

    Parameters
    ----------
    parent : QObject
        User of the results. Once it is deleted, results are dropped.
    """

    failed = Signal(object)
    """Exception raised by a call."""

    _done = Signal(int, object, object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._generation = 0
        pool = self._pool = ThreadPoolExecutor(1, "ferry-plan")
        self.destroyed.connect(lambda: pool.shutdown(wait=False, cancel_futures=True))
        # queued, or the result of a call that ends at once would come before `call` returns
        self._done.connect(self._on_done, Qt.ConnectionType.QueuedConnection)

    def discard(self) -> None:
        """Discard the results of all calls made so far."""
        self._generation += 1

    def call(self, function: Callable[[], Any], on_result: Callable[[Any], None]) -> None:
        """Call a function in the thread, then `on_result` with its result in the GUI thread."""
        generation = self._generation
        future = self._pool.submit(lambda: function() if generation == self._generation else None)
        future.add_done_callback(lambda done: self._emit(generation, on_result, done))

    def _emit(self, generation: int, on_result: Callable[[Any], None], done: Future[Any]) -> None:
        if generation == self._generation and isalive(self):  # type: ignore[no-untyped-call]
            self._done.emit(generation, on_result, done)

    def _on_done(
        self, generation: int, on_result: Callable[[Any], None], done: Future[Any]
    ) -> None:
        if generation != self._generation:
            return
        error = done.exception()
        if error is None:
            on_result(done.result())
        else:
            self.failed.emit(error)
