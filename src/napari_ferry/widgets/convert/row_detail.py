"""Details of the selected row: its problem or its losses, and buttons for its new file."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_ferry.widgets.convert.convert_words import OPEN, SHOW
from napari_ferry.widgets.convert.row import Row
from napari_ferry.widgets.file_manager import show_in_folder
from napari_ferry.widgets.form import make_label

_MOST_NOTES = 4
"""Sentences that are shown before the others are only counted."""


class RowDetail(QWidget):
    """Sentences about a row, which is hidden without any."""

    open_clicked = Signal(object)
    """Path of a converted file to open."""

    def __init__(self) -> None:
        super().__init__()
        self.row: Row | None = None
        self.text = make_label()
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.open, self.show_button = QPushButton(OPEN.label), QPushButton(SHOW.label)
        for button, words in ((self.open, OPEN), (self.show_button, SHOW)):
            button.setToolTip(words.tooltip)
        self.open.clicked.connect(lambda: self.open_clicked.emit(self._file()))
        self.show_button.clicked.connect(lambda: show_in_folder(self._file()))

        buttons = QHBoxLayout()
        buttons.addWidget(self.open)
        buttons.addWidget(self.show_button)
        buttons.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.text)
        column.addLayout(buttons)
        self.show_row(None)

    def show_row(self, row: Row | None) -> None:
        """Show what is known of a row; None for nothing."""
        self.row = row
        lines = [] if row is None else _lines(row)
        self.text.setText("\n".join(lines))
        self.text.setVisible(bool(lines))
        has_files = row is not None and bool(row.files)
        self.open.setVisible(has_files)
        self.show_button.setVisible(has_files)
        self.setVisible(bool(lines) or has_files)

    def _file(self) -> Path:
        assert self.row is not None
        return self.row.files[0]


def _lines(row: Row) -> list[str]:
    """Return the sentences about a row."""
    if row.problem:
        text = row.problem
        return [text if Path(row.name).stem in text else f"{row.name}: {text}"]
    notes = [*row.notes]
    more = len(notes) - _MOST_NOTES
    shown = [f"• {note}" for note in notes[:_MOST_NOTES]]
    return [row.name, *shown, *([f"and {more} more"] if more > 0 else [])]
