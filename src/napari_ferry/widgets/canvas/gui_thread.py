"""Calls in the thread of the window, with any of Qt's bindings for Python."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from qtpy.QtCore import QCoreApplication, QObject, QThread

from qtpy.QtCore import Signal, Slot  # type: ignore[attr-defined]  # isort: skip


class _Receiver(QObject):
    """Object in the GUI thread; Qt delivers signals to the thread of their receiver."""

    called = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        app = QCoreApplication.instance()
        assert app is not None
        self.moveToThread(app.thread())
        self.called.connect(self._call)

    # as a slot: PyQt would otherwise choose the thread of the connection
    @Slot(object)  # type: ignore[untyped-decorator]
    def _call(self, function: Callable[[], None]) -> None:
        function()


@cache
def _receiver() -> _Receiver:
    """Return the only receiver: calls would be lost if it was deleted before they are delivered."""
    return _Receiver()


def call_in_gui_thread(function: Callable[[], None]) -> None:
    """Call a function at once in the GUI thread, or later in it from another thread."""
    receiver = _receiver()
    if QThread.currentThread() == receiver.thread():
        function()
    else:
        receiver.called.emit(function)
