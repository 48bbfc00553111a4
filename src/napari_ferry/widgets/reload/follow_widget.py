"""Dock widget *Follow*, for files still being written by another program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QSignalBlocker, Qt
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_ferry.errors import escape_surrogates
from napari_ferry.plugin.origins import origin_of
from napari_ferry.plugin.reload import group_by_source, missing_origin
from napari_ferry.plugin.window import show_dock
from napari_ferry.widgets.form import escape_text
from napari_ferry.widgets.form_words import Words
from napari_ferry.widgets.help_button import HelpButton
from napari_ferry.widgets.reload import follow_words
from napari_ferry.widgets.reload.follower import Follower
from napari_ferry.widgets.reload.growing_files import ask_for_file, ask_for_folder, open_growing

if TYPE_CHECKING:
    from napari import Viewer


class Follow(QWidget):
    """Check boxes to follow the files of layers, and the status of these files.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Viewer with the layers.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.follower = Follower(napari_viewer, self)
        self.follow_box = _make_box(follow_words.FOLLOW)
        self.stay_box = _make_box(follow_words.STAY)
        self.status = QLabel()
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setAccessibleName(follow_words.STATUS)
        self.status.setMinimumWidth(1)  # a long name does not make the dock wide
        self.file_button = _make_button(follow_words.OPEN_FILE)
        self.folder_button = _make_button(follow_words.OPEN_FOLDER)
        self._lay_out()
        self._say(follow_words.IDLE)
        self.file_button.clicked.connect(lambda: self.open(ask_for_file(self)))
        self.folder_button.clicked.connect(lambda: self.open(ask_for_folder(self)))
        self.follow_box.toggled.connect(self._on_follow)
        self.stay_box.toggled.connect(self._on_stay)
        self.follower.changed.connect(self._show_status)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        for part in (self.file_button, self.folder_button, HelpButton(follow_words.HELP_PAGE)):
            row.addWidget(part)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.follow_box)
        column.addWidget(self.stay_box)
        column.addWidget(self.status)
        column.addStretch()

    def event(self, event: QEvent | None) -> bool:
        """Stop and delete the widget when its dock was closed."""
        is_handled = super().event(event)
        if event and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.follower.stop()
            self.deleteLater()
        return bool(is_handled)

    def open(self, path: Path | None) -> None:
        """Open a file or folder still being written, and follow it."""
        if path is None:
            return
        problem = open_growing(self.viewer, path)
        if problem:
            self._say(problem)
        else:
            self.follow_selected()

    def follow_selected(self) -> None:
        """Follow the files of the selected layers instead of the present ones."""
        self.follow_box.setChecked(False)
        self.follow_box.setChecked(True)

    def _on_follow(self, is_wanted: bool) -> None:
        """Start following the files of the selected layers, or stop."""
        if not is_wanted:
            self.follower.stop()
            self._say(follow_words.IDLE)
            return
        selected = [layer for layer in self.viewer.layers if layer in self.viewer.layers.selection]
        sources = group_by_source(selected, self.viewer.layers)
        if sources:
            self.follower.start(sources)
            return
        others = [layer.name for layer in selected if origin_of(layer) is None]
        self._end(missing_origin(", ".join(others)) if others else follow_words.NO_LAYERS)

    def _on_stay(self, is_wanted: bool) -> None:
        self.follower.stays_at_end = is_wanted

    def _show_status(self) -> None:
        """Show the state of the followed files; uncheck the box when following has ended."""
        if self.follower.is_active:
            self._say("\n".join(self.follower.status()))
        elif self.follow_box.isChecked():
            self._end(follow_words.ENDED)

    def _say(self, text: str) -> None:
        """Show a text, also in the tooltip, as a long name may be cut off."""
        text = escape_surrogates(text)
        self.status.setText(text)
        self.status.setToolTip(escape_text(text))

    def _end(self, reason: str) -> None:
        with QSignalBlocker(self.follow_box):
            self.follow_box.setChecked(False)
        self._say(reason)


def _make_box(text: Words) -> QCheckBox:
    box = QCheckBox(text.label)
    box.setToolTip(text.tooltip)
    return box


def _make_button(text: Words) -> QPushButton:
    button = QPushButton(text.label)
    button.setToolTip(text.tooltip)
    return button


def follow_layers(viewer: Viewer) -> None:
    """Open the dock *Follow* for the selected layers; a command of the manifest."""
    widget = show_dock(viewer, "Follow")
    assert isinstance(widget, Follow)
    widget.follow_selected()
