"""What a hand does in a real window: drop files, answer questions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def drop(target: Any, *paths: Path) -> None:
    """Let go of files over a widget, as a file manager would."""
    from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
    from qtpy.QtGui import QDragEnterEvent, QDropEvent
    from qtpy.QtWidgets import QApplication

    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton)
    modifiers = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(9, 9), *how, modifiers)
    QApplication.sendEvent(target, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(target, QDropEvent(QPointF(9, 9), *how, modifiers))
    QApplication.processEvents()


def answer(monkeypatch: pytest.MonkeyPatch, button: str) -> list[str]:
    """Answer the questions that come with Yes or No; return what they ask."""
    from qtpy.QtWidgets import QMessageBox

    asked: list[str] = []

    def reply(parent: Any, title: str, text: str) -> Any:
        asked.append(text)
        return getattr(QMessageBox.StandardButton, button)

    monkeypatch.setattr(QMessageBox, "question", reply)
    return asked
