"""Exported files, to be dragged or copied to other programs."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QMimeData, Qt, QUrl
from qtpy.QtGui import QDrag, QGuiApplication, QMouseEvent, QPixmap
from qtpy.QtWidgets import QLabel

_THUMBNAIL = 40
"""Side of a small picture in pixels."""


class FileHandle(QLabel):
    """Small picture of an exported file, to drag it to another program.

    Parameters
    ----------
    thumbnail : QPixmap, optional
        The picture; without one, the handle is hidden.
    """

    def __init__(self, thumbnail: QPixmap | None) -> None:
        super().__init__()
        self.paths: list[Path] = []
        self.setAccessibleName("Exported file")
        self.setFixedWidth(_THUMBNAIL)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setVisible(thumbnail is not None)
        if thumbnail is not None:
            side = _THUMBNAIL
            self.setPixmap(thumbnail.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio))

    def offer(self, paths: list[Path]) -> None:
        """Let the user drag files from now on."""
        self.paths = paths
        self.setToolTip("Drag the file to a folder, a presentation or an e-mail.")
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Start to drag the files."""
        if self.paths:
            drag = QDrag(self)
            drag.setMimeData(_mime_data(self.paths))
            drag.setPixmap(self.pixmap())
            drag.exec(Qt.DropAction.CopyAction)


def copy_files(paths: list[Path]) -> None:
    """Copy files to the clipboard, as a file manager does."""
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    clipboard.setMimeData(_mime_data(paths))


def _mime_data(paths: list[Path]) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data
