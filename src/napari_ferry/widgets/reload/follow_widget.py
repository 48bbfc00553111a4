"""Dock widget *Follow*, for files that another program is still writing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QSignalBlocker, Qt
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_ferry.plugin.manifest import PLUGIN
from napari_ferry.plugin.origins import origin_of
from napari_ferry.plugin.reload import group_by_source, missing_origin
from napari_ferry.widgets.help_button import HelpButton
from napari_ferry.widgets.reload import words
from napari_ferry.widgets.reload.follower import Follower
from napari_ferry.widgets.words import Words

if TYPE_CHECKING:
    from napari import Viewer


class Follow(QWidget):
    """Check boxes to follow the files of layers, and what was found in them.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Viewer with the layers.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.follower = Follower(napari_viewer, self)
        self.follow_box, self.stay_box = _make_box(words.FOLLOW), _make_box(words.STAY)
        self.status = QLabel(words.IDLE)
        self.status.setWordWrap(True)
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setAccessibleName(words.STATUS)
        self._lay_out()
        self.follow_box.toggled.connect(self._on_follow)
        self.stay_box.toggled.connect(self._on_stay)
        self.follower.changed.connect(self._show_status)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.follow_box, stretch=1)
        row.addWidget(HelpButton(words.HELP_PAGE))
        column = QVBoxLayout(self)
        column.addLayout(row)
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

    def follow_selected(self) -> None:
        """Follow the files of the selected layers instead of those followed so far."""
        self.follow_box.setChecked(False)
        self.follow_box.setChecked(True)

    def _on_follow(self, is_wanted: bool) -> None:
        """Start following the files of the selected layers, or stop."""
        if not is_wanted:
            self.follower.stop()
            self.status.setText(words.IDLE)
            return
        selected = [layer for layer in self.viewer.layers if layer in self.viewer.layers.selection]
        sources = group_by_source(selected, self.viewer.layers)
        if sources:
            self.follower.start(sources)
            return
        others = [layer.name for layer in selected if origin_of(layer) is None]
        self._end(missing_origin(", ".join(others)) if others else words.NO_LAYERS)

    def _on_stay(self, is_wanted: bool) -> None:
        self.follower.stays_at_end = is_wanted

    def _show_status(self) -> None:
        """Show the state of the followed files; uncheck the box when following has ended."""
        if self.follower.is_active:
            self.status.setText("\n".join(self.follower.status()))
        elif self.follow_box.isChecked():
            self._end(words.ENDED)

    def _end(self, reason: str) -> None:
        with QSignalBlocker(self.follow_box):
            self.follow_box.setChecked(False)
        self.status.setText(reason)


def _make_box(text: Words) -> QCheckBox:
    box = QCheckBox(text.label)
    box.setToolTip(text.tooltip)
    return box


def follow_layers(viewer: Viewer) -> None:
    """Open the dock *Follow* for the selected layers; a command of the manifest."""
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Follow")
    dock.show()
    dock.raise_()
    assert isinstance(widget, Follow)
    widget.follow_selected()
