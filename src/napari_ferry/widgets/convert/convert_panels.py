"""Layout of *Convert folder*: its parts, in one column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_ferry.files.short_texts import list_few
from napari_ferry.widgets.activity import make_bar
from napari_ferry.widgets.convert import convert_words
from napari_ferry.widgets.convert.folder_field import FolderField
from napari_ferry.widgets.convert.format_fields import FormatFields
from napari_ferry.widgets.convert.place_fields import PlaceFields
from napari_ferry.widgets.convert.row_detail import RowDetail
from napari_ferry.widgets.convert.row_view import RowView
from napari_ferry.widgets.convert.target_fields import TargetFields
from napari_ferry.widgets.export.summary_view import SummaryView
from napari_ferry.widgets.form import MAIN_BUTTON, make_label, make_scroll_area
from napari_ferry.widgets.help_button import HelpButton
from napari_ferry.widgets.worker import BackgroundWorker

if TYPE_CHECKING:
    from napari import Viewer

TICK, IDLE_TICK = 200, 500
"""Milliseconds between updates, each of which draws the whole window again, and when all is done:
other rows may be scrolled into view."""

_SETTLE = 300
"""Milliseconds between the last change of a field and its effect."""

_DETAIL_HEIGHT = 160
"""Largest height of the list of losses or failures in pixels; more of them scroll."""


class ConvertPanels(QWidget):
    """Folder, list, format, names, place, summary and button in one column.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer to open results in.
    saved : dict
        Stored choices, changed by `save`.
    formats : FormatFields
        Fields of the format, which take longest to make.
    """

    def __init__(self, viewer: Viewer, saved: dict[str, Any], formats: FormatFields) -> None:
        super().__init__()
        self.viewer = viewer
        self.saved = saved
        self.formats = formats
        self._make_parts()
        self._make_workers()
        self._lay_out()

    def _make_parts(self) -> None:
        self.source = FolderField(convert_words.SOURCE, convert_words.BROWSE_SOURCE)
        self.source.line.setPlaceholderText(convert_words.SOURCE_EMPTY)
        self.source.row.addWidget(HelpButton(convert_words.HELP_PAGE))
        self.subfolders = QCheckBox(convert_words.SUBFOLDERS.label)
        self.subfolders.setToolTip(convert_words.SUBFOLDERS.tooltip)
        self.unfinished = make_label(Qt.TextFormat.RichText)
        self.status = make_label()
        self.rows, self.detail = RowView(), RowDetail()
        self.targets, self.place = TargetFields(), PlaceFields()
        self.summary = SummaryView(max_height=_DETAIL_HEIGHT)
        self.replace = QCheckBox(convert_words.REPLACE.label)
        self.replace.setToolTip(convert_words.REPLACE.tooltip)
        self.bar = make_bar()
        self.button = QPushButton(convert_words.CONVERT)
        self.button.setStyleSheet(MAIN_BUTTON)

    def _make_workers(self) -> None:
        names = ("searching", "inspecting", "estimating", "describing", "converting")
        self.workers = {name: BackgroundWorker(self) for name in names}
        self.tick, self.settle = QTimer(self), QTimer(self)
        self.tick.setInterval(TICK)
        self.settle.setSingleShot(True)
        self.settle.setInterval(_SETTLE)

    def _lay_out(self) -> None:
        inner = QWidget()
        column = self.column = QVBoxLayout(inner)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(4)
        _add(column, self.source, self.subfolders, self.unfinished, self.status)
        column.addWidget(self.rows, stretch=1)
        _add(column, self.detail, self.targets, self.place)
        column.addStretch()  # without a list

        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(4)
        outer.addWidget(make_scroll_area(inner), stretch=1)
        _add(outer, self.replace, self.summary, self.bar, self.button)
        hidden: tuple[QWidget, ...] = (self.unfinished, self.status, self.replace, self.bar)
        for part in (*hidden, self.rows):
            part.hide()

    def add_formats(self) -> None:
        """Add the fields of the format when the others are in the window."""
        self.column.insertWidget(self.column.indexOf(self.place), self.formats)
        QWidget.setTabOrder(self.targets.pattern, self.formats.format.native)

    def _enable_fields(self, is_enabled: bool) -> None:
        """Enable the fields, or disable them while a batch is running."""
        parts = (self.source, self.subfolders, self.targets, self.formats, self.place, self.replace)
        for part in parts:
            part.setEnabled(is_enabled)
        self.rows.model.is_locked = not is_enabled

    def _show_status(self, text: str) -> None:
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _sources_text(self, sources: list[Path]) -> str:
        """Return what the line shows of the sources."""
        return list_few([*map(str, sources)], 1)


def _add(column: QVBoxLayout, *parts: QWidget) -> None:
    for part in parts:
        column.addWidget(part)
