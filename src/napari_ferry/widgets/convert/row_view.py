"""List of the data sets of a folder, with buttons to check all or none of them."""

from __future__ import annotations

from qtpy.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QLabel, QListView, QPushButton, QVBoxLayout, QWidget

from napari_ferry.widgets.convert.convert_words import ALL, NONE, ROWS
from napari_ferry.widgets.convert.row import Row
from napari_ferry.widgets.convert.row_delegate import RowDelegate
from napari_ferry.widgets.convert.row_model import RowModel
from napari_ferry.widgets.form import EMPTY_BOXES

_MIN_HEIGHT = 150
"""Smallest height of the list in pixels: three rows."""


class RowView(QWidget):
    """List with its number of rows and two buttons."""

    row_selected = Signal(object)
    """The selected `Row`, or None."""

    def __init__(self) -> None:
        super().__init__()
        self.model = RowModel(self)
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setItemDelegate(RowDelegate(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setAccessibleName(ROWS.label)
        self.list.setToolTip(ROWS.tooltip)
        self.list.setStyleSheet(EMPTY_BOXES)
        self.list.setMinimumHeight(_MIN_HEIGHT)
        selection = self.list.selectionModel()
        assert selection is not None
        self.selection: QItemSelectionModel = selection
        self.selection.currentChanged.connect(self._on_current)
        self._lay_out()

    def _lay_out(self) -> None:
        self.caption = QLabel()
        self.caption.setTextFormat(Qt.TextFormat.PlainText)
        heading = QHBoxLayout()
        heading.addWidget(self.caption, stretch=1)
        self.buttons = {}
        for words, is_checked in ((ALL, True), (NONE, False)):
            button = QPushButton(words.label)
            button.setToolTip(words.tooltip)
            button.clicked.connect(lambda _=False, is_on=is_checked: self.model.check_all(is_on))
            heading.addWidget(button)
            self.buttons[words.label] = button
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(heading)
        column.addWidget(self.list, stretch=1)

    @property
    def rows(self) -> list[Row]:
        """All rows."""
        return self.model.rows

    @property
    def selected(self) -> Row | None:
        """The selected row."""
        number = self.list.currentIndex().row()
        return self.rows[number] if 0 <= number < len(self.rows) else None

    def visible_range(self) -> range:
        """Return the numbers of the rows that are visible."""
        area = self.list.viewport()
        if area is None or not self.rows or not self.list.isVisible():
            return range(0)
        first = max(0, self.list.indexAt(area.rect().topLeft()).row())
        last = self.list.indexAt(area.rect().bottomLeft()).row()
        return range(first, len(self.rows) if last < 0 else last + 1)

    def follow(self, number: int) -> None:
        """Scroll to the row after the last visible one, unless the user has scrolled elsewhere."""
        if number == self.visible_range().stop - 1:
            self.list.scrollTo(self.model.index(number), QListView.ScrollHint.PositionAtTop)

    def select(self, number: int) -> None:
        """Select a row, and scroll to it."""
        self.list.setCurrentIndex(self.model.index(number))

    def _on_current(self, _: QModelIndex) -> None:
        self.row_selected.emit(self.selected)
