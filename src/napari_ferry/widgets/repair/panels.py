"""The parts of *Repair binary metadata*, laid out; what they do together is said elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_ferry.widgets.form import make_scroll_area
from napari_ferry.widgets.repair.calibration_form import MeaningForm
from napari_ferry.widgets.repair.candidate_list import Candidates
from napari_ferry.widgets.repair.files import Files
from napari_ferry.widgets.repair.layout_form import LayoutForm
from napari_ferry.widgets.repair.layout_preview import LivePreview
from napari_ferry.widgets.repair.result import Result
from napari_ferry.widgets.worker import BackgroundWorker

if TYPE_CHECKING:
    from napari import Viewer

_TOGETHER = 200
"""Milliseconds within which files that are offered one by one are one choice."""

_PAUSE_SHOW, _PAUSE_SEARCH = 80, 400
"""Milliseconds after the last change before it is shown, and before others are looked for."""


class RepairParts(QWidget):
    """Files, candidates, numbers, meaning and buttons, one below the other; takes drops of files.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the preview is.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.setAcceptDrops(True)
        self._make_parts()
        self._lay_out()
        self.form.setEnabled(False)

    def _make_parts(self) -> None:
        self.files, self.candidates, self.form = Files(), Candidates(), LayoutForm()
        self.meaning, self.result = MeaningForm(), Result()
        self.status, self.contrast = QLabel(), QLabel()
        for label, name in ((self.status, "What was found"), (self.contrast, "Sidecar and bytes")):
            label.setWordWrap(True)
            label.setAccessibleName(name)
            label.hide()
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.contrast.setTextFormat(Qt.TextFormat.RichText)
        self.preview = LivePreview(self.viewer)
        self.destroyed.connect(self.preview.forget)
        self.looking, self.drawing, self.writing = (
            BackgroundWorker(self),
            BackgroundWorker(self),
            BackgroundWorker(self),
        )
        self.timers = {
            name: self._make_timer(pause)
            for name, pause in (
                ("gather", _TOGETHER),
                ("show", _PAUSE_SHOW),
                ("search", _PAUSE_SEARCH),
            )
        }

    def _make_timer(self, pause: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(pause)
        return timer

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        self.more = QCollapsible("Scale and time")
        self.more.setToolTip("What the sidecar says of pixel size and time, too.")
        self.more.addWidget(self.meaning)
        parts = (self.files, self.status, self.contrast, self.candidates, self.form, self.more)
        for part in parts:
            column.addWidget(part)
        column.addStretch()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(make_scroll_area(inner))
        outer.addWidget(self.result)

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take files."""
        data = None if event is None else event.mimeData()
        if event is not None and data is not None and data.hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802 - Qt's name
        """Look at the files that were dropped."""
        data = None if event is None else event.mimeData()
        urls = [] if data is None else data.urls()
        paths = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
        if event is not None and paths:
            event.acceptProposedAction()
            self.files.wanted.emit(paths)

    def _say(self, text: str) -> None:
        self.status.setText(text)
        self.status.setVisible(bool(text))
