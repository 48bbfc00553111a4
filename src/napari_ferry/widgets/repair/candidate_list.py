"""List of candidate layouts of a raw file, with thumbnails and confidence."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QSize, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from napari_ferry.codecs.binary.layout import Layout, strip_evidence
from napari_ferry.widgets.pictures import to_thumbnail
from napari_ferry.widgets.repair.arrow_keys import ArrowKeys
from napari_ferry.widgets.repair.candidate import Candidate
from napari_ferry.widgets.repair.repair_words import CANDIDATES, MORE_TIP
from napari_ferry.widgets.repair.sentences import keep_together
from napari_ferry.widgets.repair.thumbnails import SIDE, Thumbnails

FIRST = 4
"""Candidates in the list before the user asks for more."""

_ROWS = 2
"""Rows of the list visible in the smallest window."""

_SIDE = 54
"""Height of the list's thumbnails in pixels: smaller than drawn, to leave room for the text."""

_GAP = 4
"""Pixels between two thumbnails."""


class CandidateList(QWidget):
    """List of candidates, the most likely first."""

    candidate_selected = Signal(object)
    """The candidate selected by the user."""

    def __init__(self) -> None:
        super().__init__()
        self.candidates: list[Candidate] = []
        self.icons: dict[int, QIcon] = {}
        self._make_parts()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.list)
        column.addWidget(self.more)
        ArrowKeys(self.list).pressed.connect(self.step)
        self.list.currentRowChanged.connect(self._on_row)
        self.more.clicked.connect(self._on_more)
        self.show_candidates([])

    def _make_parts(self) -> None:
        self.list = QListWidget()
        self.list.setIconSize(QSize(2 * _SIDE + _GAP, _SIDE))
        self.list.setAccessibleName(CANDIDATES.label)
        self.list.setToolTip(CANDIDATES.tooltip)
        row = _SIDE + 2 * _GAP
        self.list.setMinimumHeight(_ROWS * row + 2 * _GAP)
        self.list.setMaximumHeight(FIRST * row)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setWordWrap(True)

        self.more = QPushButton()
        self.more.setToolTip(MORE_TIP)

    def show_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Replace the candidates; none is selected."""
        self.candidates, self.icons = list(candidates), {}
        self.list.blockSignals(True)
        self.list.clear()
        for candidate in self.candidates[:FIRST]:
            self._add(candidate)
        self.list.blockSignals(False)

        more = len(self.candidates) - FIRST
        self.list.setVisible(bool(self.candidates))
        self.more.setVisible(more > 0)
        self.more.setText(f"Show {more} more")

    def show_thumbnails(self, row: int, thumbnails: Thumbnails) -> None:
        """Show the thumbnails of a candidate."""
        pixmap = _pixmap(thumbnails)
        self.icons[row] = QIcon(pixmap)
        self.icons[row].addPixmap(pixmap, QIcon.Mode.Selected)  # or else Qt would tint it
        item = self.list.item(row)
        if item is not None:
            item.setIcon(self.icons[row])

    def step(self, step: int) -> None:
        """Select the next candidate (1) or the previous one (-1); the first follows the last."""
        if not self.candidates:
            return
        current = self.list.currentRow()
        row = (current + step) % len(self.candidates) if current >= 0 else 0
        if row >= self.list.count():
            self._show_more()
        self.list.setCurrentRow(row)

    def select_layout(self, layout: Layout) -> Candidate | None:
        """Select the candidate with this layout, or none, and return it without any signal."""
        key = strip_evidence(layout)
        rows = [
            row for row, each in enumerate(self.candidates) if strip_evidence(each.layout) == key
        ]
        row = rows[0] if rows and rows[0] < self.list.count() else -1
        self.list.blockSignals(True)
        self.list.setCurrentRow(row)
        self.list.blockSignals(False)
        return self.candidates[row] if row >= 0 else None

    def _add(self, candidate: Candidate) -> None:
        item = QListWidgetItem(keep_together(candidate.text))
        item.setToolTip(candidate.reasons)
        blank = QPixmap(self.list.iconSize())
        blank.fill(Qt.GlobalColor.transparent)
        item.setIcon(self.icons.get(self.list.count(), QIcon(blank)))
        self.list.addItem(item)

    def _on_more(self) -> None:
        self._show_more()
        self.list.setFocus()

    def _show_more(self) -> None:
        self.more.hide()
        self.list.blockSignals(True)
        for candidate in self.candidates[self.list.count() :]:
            self._add(candidate)
        self.list.blockSignals(False)

    def _on_row(self, row: int) -> None:
        if row >= 0:
            self.candidate_selected.emit(self.candidates[row])


def _pixmap(thumbnails: Thumbnails) -> QPixmap:
    """Return both thumbnails side by side."""
    pixmap = QPixmap(2 * SIDE + _GAP, SIDE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    for column, pixels in enumerate((thumbnails.frame, thumbnails.changes)):
        if pixels is not None:
            thumbnail = to_thumbnail(pixels, SIDE)
            left = column * (SIDE + _GAP) + (SIDE - thumbnail.width()) // 2
            painter.drawPixmap(left, (SIDE - thumbnail.height()) // 2, thumbnail)
    painter.end()
    return pixmap
