"""Summary of a layout, and buttons to open the file or write its sidecar."""

from __future__ import annotations

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_ferry.codecs.binary.fit import fits
from napari_ferry.codecs.binary.layout import Layout, count_frames
from napari_ferry.widgets.form import make_label
from napari_ferry.widgets.repair.repair_words import OPEN, WRITE, WRITE_ALL_TIP
from napari_ferry.widgets.repair.sentences import open_text, summary, write_all_text, write_text

_MARGIN = 6


class ResultPanel(QWidget):
    """Summary of the current layout, and buttons to use it."""

    open_clicked = Signal()
    """The user wants to keep the preview."""

    write_clicked = Signal(bool)
    """The user wants to write the sidecar of the current file, or (true) of all files."""

    def __init__(self) -> None:
        super().__init__()
        self._make_parts()
        self._lay_out()
        self.open_button.clicked.connect(lambda _: self.open_clicked.emit())
        self.write_button.clicked.connect(lambda: self.write_clicked.emit(False))
        self.all_button.clicked.connect(lambda: self.write_clicked.emit(True))
        self.show_nothing("")

    def _make_parts(self) -> None:
        self.summary = make_label()
        self.open_button, self.write_button = QPushButton(), QPushButton()
        self.open_button.setToolTip(OPEN.tooltip)
        self.write_button.setToolTip(WRITE.tooltip)
        self.all_button = QPushButton()
        self.all_button.setToolTip(WRITE_ALL_TIP)

    def _lay_out(self) -> None:
        self._row = row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        row.addWidget(self.open_button)
        row.addWidget(self.write_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, 0, _MARGIN, _MARGIN)
        column.addWidget(self.summary)
        column.addLayout(row)
        column.addWidget(self.all_button)

    def show_layout(self, nbytes: int, layout: Layout, *, nfitting: int, nfiles: int) -> None:
        """Describe a layout of a file, and enable the buttons.

        Parameters
        ----------
        nbytes : int
            Size of the file in bytes.
        layout : Layout
            The layout.
        nfitting, nfiles : int
            Number of files that it fits, and of all files.
        """
        count, _ = count_frames(nbytes, layout)
        whole = min(count, layout.frames)
        is_truncated = whole > 0 and not fits(nbytes, layout)

        self.summary.setText(summary(nbytes, layout))
        self.open_button.setEnabled(whole > 0)
        self.open_button.setText(open_text(whole, is_truncated=is_truncated))
        self.write_button.setEnabled(whole > 0)
        self.write_button.setText(write_text(whole, is_truncated=is_truncated))
        self._row.setDirection(
            QBoxLayout.Direction.TopToBottom  # for longer texts
            if is_truncated
            else QBoxLayout.Direction.LeftToRight
        )

        self.all_button.setVisible(nfiles > 1)
        self.all_button.setEnabled(nfitting > 0)
        self.all_button.setText(write_all_text(nfitting))

    def show_nothing(self, reason: str) -> None:
        """Disable the buttons, and show the reason."""
        self.summary.setText(reason)
        self.open_button.setText(OPEN.label)
        self.open_button.setEnabled(False)
        self.write_button.setText(WRITE.label)
        self.write_button.setEnabled(False)
        self.all_button.hide()
