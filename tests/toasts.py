"""Notifications in the corner of a real window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Toasts:
    """Notifications of the window, as napari displays them, oldest first."""

    @property
    def shown(self) -> list[Any]:
        """Those on the screen."""
        from napari._qt.dialogs.qt_notification import NapariQtNotification

        return list(NapariQtNotification._instances)

    @property
    def texts(self) -> list[str]:
        """Their whole messages."""
        return [toast.message.text() for toast in self.shown]

    def wait_for(self, qtbot: Any, text: str) -> None:
        """Wait until exactly one notification has a text in its message."""
        qtbot.waitUntil(lambda: sum(text in each for each in self.texts) == 1, timeout=5_000)

    def click(self, qtbot: Any, text: str, label: str) -> None:
        """Press a button of the only notification with a text in its message."""
        from qtpy.QtCore import Qt
        from qtpy.QtWidgets import QPushButton

        (toast,) = [each for each in self.shown if text in each.message.text()]
        (button,) = [each for each in toast.findChildren(QPushButton) if each.text() == label]
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        self.dismiss()

    def dismiss(self) -> None:
        """Close all."""
        from qtpy.QtCore import QCoreApplication, QEvent

        for toast in self.shown:
            toast.close()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@contextmanager
def real_toasts() -> Iterator[Toasts]:
    """Return a context in which napari displays notifications, as in a session of a person."""
    from napari.utils.notifications import notification_manager

    toasts = Toasts()
    toasts.dismiss()
    with notification_manager:
        yield toasts
        toasts.dismiss()
    notification_manager.records.clear()
