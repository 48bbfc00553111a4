"""Line for a folder, and a button for a dialog."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

from napari_ferry.widgets.convert.convert_words import BROWSE
from napari_ferry.widgets.form import escape_text
from napari_ferry.widgets.form_words import Words


class FolderField(QWidget):
    """Line edit for a folder that is typed, or chosen in a dialog.

    Parameters
    ----------
    words : Words
        Name and tooltip of the line.
    browse_tip : str
        Tooltip of the button, and title of its dialog.
    """

    entered = Signal(object)
    """Path that the user typed and ended with the Enter key, or chose."""

    edited = Signal()
    """The user typed something."""

    def __init__(self, words: Words, browse_tip: str) -> None:
        super().__init__()
        self.words, self.browse_tip = words, browse_tip
        self.line = QLineEdit()
        self.line.setAcceptDrops(False)  # files are dropped on the whole form
        self.line.setAccessibleName(words.label)
        self.line.setToolTip(words.tooltip)
        self.line.returnPressed.connect(self._on_enter)
        self.line.textEdited.connect(lambda _: self.edited.emit())
        self.browse = QPushButton(BROWSE)
        self.browse.setToolTip(browse_tip)
        self.browse.clicked.connect(self._on_browse)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(4)
        self.row.addWidget(self.line)
        self.row.addWidget(self.browse)

    def show_path(self, text: str) -> None:
        """Show a path; its end, if it is long, and all of it in the tooltip."""
        self.line.setText(text)
        self.line.setToolTip(escape_text("\n".join(filter(None, [text, self.words.tooltip]))))

    @property
    def text(self) -> str:
        """The path as it is entered."""
        return self.line.text().strip()

    def _on_enter(self) -> None:
        if self.text:
            self.entered.emit(Path(self.text))

    def _on_browse(self) -> None:
        path = QFileDialog.getExistingDirectory(self, self.browse_tip, self.text)
        if path:
            self.show_path(path)
            self.edited.emit()
            self.entered.emit(Path(path))
