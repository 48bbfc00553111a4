"""Files and folders that are dropped on a form."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtGui import QDragEnterEvent, QDropEvent


def accept_files(event: QDragEnterEvent | None) -> None:
    """Accept files and folders that are dragged over a form."""
    data = None if event is None else event.mimeData()
    if event is not None and data is not None and data.hasUrls():
        event.acceptProposedAction()


def dropped_files(event: QDropEvent | None) -> list[Path]:
    """Return the paths of dropped files and folders, and accept these."""
    data = None if event is None else event.mimeData()
    urls = [] if data is None else data.urls()
    paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
    if event is not None and paths:
        event.acceptProposedAction()
    return paths
