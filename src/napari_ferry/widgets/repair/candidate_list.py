"""The layouts that a raw file may have: pictures, how sure each is, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QIcon, QImage, QPainter, QPixmap
from qtpy.QtWidgets import QLabel, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from napari_ferry.codecs.binary.fit import fits, remaining_bytes
from napari_ferry.codecs.binary.layout import Layout, parse_known_fields, strip_evidence
from napari_ferry.codecs.binary.sidecar_check import SidecarStatus
from napari_ferry.widgets.repair.thumbnails import SIDE, Pictures

FIRST = 4
"""Candidates that are shown before more are asked for."""

_SEEN = 3
"""Candidates that the list has room for."""

_GAP = 4

_WORDS = ((0.9, "very likely"), (0.6, "likely"), (0.25, "possible"), (0.05, "not likely"))

_UNLIKELY = 0.25
"""Confidence below which it is said that no candidate is likely."""


@dataclass(frozen=True)
class Candidate:
    """A layout that a file may have.

    Parameters
    ----------
    layout : Layout
        The layout.
    source : str
        What says so, where that are not the bytes: the name of the sidecar. If the layout has
        reasons, it says so of the channels alone.
    rest : int
        Bytes of the file that it leaves out.
    """

    layout: Layout
    source: str = ""
    rest: int = 0

    @property
    def text(self) -> str:
        """Lines: its sizes, what else it is, and how sure."""
        one = self.layout
        channels = f" × {one.channels}" if one.channels > 1 else ""
        header = f", header {one.offset:,}" if one.offset else ""
        rest = f"\n{self.rest:,} bytes remain" if self.rest else ""
        gap = f"\n{one.gap:,} bytes after each" if one.gap else ""
        what = f"{_type(one)}{header}{gap}{rest}"
        return f"{one.frames:,} × {one.y} × {one.x}{channels}\n{what}\n{self._sure}"

    @property
    def _sure(self) -> str:
        if self.source and not self.layout.reasons:
            return f"as {self.source} says"
        sure = self.layout.confidence
        word = next((word for least, word in _WORDS if sure >= least), "a guess")
        channels = f"\nchannels as {self.source} says" if self.source else ""
        return f"{word} ({percent(sure)}){channels}"

    @property
    def reasons(self) -> str:
        """Why, in one sentence."""
        if self.source and not self.layout.reasons:
            return f"{self.source} stands beside the file and says so."
        said = "; ".join(self.layout.reasons)
        if self.source:
            return f"{self.source} says that there are {self.layout.channels} channels; {said}."
        return f"{said[:1].upper()}{said[1:]}." if said else ""


def make_candidates(
    found: Sequence[Layout], said: SidecarStatus | None, known: Mapping[str, Any], nbytes: int
) -> list[Candidate]:
    """Return what was found in the bytes, and what the sidecar says where that agrees.

    Parameters
    ----------
    found : sequence of Layout
        The likeliest first.
    said : VendorFacts, optional
        What the sidecar says.
    known : mapping
        What is known, as for `find_layouts`.
    nbytes : int
        Size of the file.
    """
    candidates = [Candidate(one, rest=remaining_bytes(nbytes, one)) for one in found]
    layout = said.layout if said else None
    if said is None or layout is None or not parse_known_fields(**known).allows(layout):
        return candidates
    others = [one for one in candidates if strip_evidence(one.layout) != strip_evidence(layout)]
    mine = Candidate(layout, said.path.name, max(0, remaining_bytes(nbytes, layout)))
    if fits(nbytes, layout) or not said.error:
        return [mine, *others]
    split = [
        Candidate(one, said.path.name, remaining_bytes(nbytes, one))
        for one in _split(found, layout)
    ]
    first = [*split[:1], *others]
    return [first[0], mine, *first[1:]] if first else [mine]


def _split(found: Sequence[Layout], said: Layout) -> list[Layout]:
    """Return layouts of one channel whose frames are the planes of the channels that were said."""
    if said.interleaving != "plane":
        return []
    return [
        replace(
            one, frames=one.frames // said.channels, channels=said.channels, interleaving="plane"
        )
        for one in found
        if (one.dtype, one.y, one.x) == (said.dtype, said.y, said.x)
        and (one.channels, one.gap, one.frames % said.channels) == (1, 0, 0)
    ]


def judge(candidates: Sequence[Candidate], nbytes: int, *, is_anything_known: bool) -> str:
    """Return what is to be said of candidates that are none, or none that is likely."""
    best = candidates[0] if candidates else None
    if best is None and is_anything_known:
        return (
            f"No layout of what is known fits the {nbytes:,} bytes: change a number, or take a "
            "tick away."
        )
    if best is None:
        return "No image structure was found: type what you know, and the rest follows."
    reasons = (r for r in best.layout.reasons if r.startswith("no image structure"))
    said = next(reasons, "")
    if best.source or (not said and best.layout.confidence >= _UNLIKELY):
        return ""
    said = said or "none of these stands out"
    return f"{said[0].upper()}{said[1:]}. Type what you know, and the rest follows."


def percent(share: float) -> str:
    """Return a probability as people say it.

    >>> percent(0.999), percent(0.5), percent(0.001)
    ('99 %', '50 %', 'below 1 %')
    """
    return "below 1 %" if share < 0.01 else f"{min(round(100 * share), 99)} %"


class Candidates(QWidget):
    """A list of candidates, the likeliest first."""

    chosen = Signal(object)
    """The candidate that somebody chose."""

    def __init__(self) -> None:
        super().__init__()
        self.known: list[Candidate] = []
        self.pictures: dict[int, QIcon] = {}
        self.list = QListWidget()
        self.list.setIconSize(QSize(2 * SIDE + _GAP, SIDE))
        self.list.setAccessibleName("Candidates")
        self.list.setToolTip(
            "What the file may hold: its first frame, and where the frames differ. Choose one, and "
            "it is shown in the viewer."
        )
        self.list.setFixedHeight(_SEEN * (SIDE + 2 * _GAP) + 2 * _GAP)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setWordWrap(True)
        self.more = QPushButton()
        self.more.setToolTip("Show the candidates that are less likely, too.")
        self.why = QLabel()
        self.why.setWordWrap(True)
        self.why.setTextFormat(Qt.TextFormat.PlainText)
        self.why.setAccessibleName("Why this candidate")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.list, self.more, self.why):
            column.addWidget(part)
        self.list.currentRowChanged.connect(self._on_row)
        self.more.clicked.connect(self._show_more)
        self.show_found([])

    def show_found(self, found: Sequence[Candidate]) -> None:
        """Show other candidates, none of which is chosen."""
        self.known, self.pictures = list(found), {}
        self.list.blockSignals(True)
        self.list.clear()
        for candidate in self.known[:FIRST]:
            self._add(candidate)
        self.list.blockSignals(False)
        more = len(self.known) - FIRST
        self.list.setVisible(bool(self.known))
        self.more.setVisible(more > 0)
        self.more.setText(f"Show {more} more")
        self.why.setText("")
        self.why.hide()

    def show_pictures(self, row: int, pictures: Pictures) -> None:
        """Show the pictures of a candidate."""
        pixmap = _pixmap(pictures)
        self.pictures[row] = QIcon(pixmap)
        self.pictures[row].addPixmap(pixmap, QIcon.Mode.Selected)  # which else is tinted
        item = self.list.item(row)
        if item is not None:
            item.setIcon(self.pictures[row])

    def mark(self, layout: Layout) -> None:
        """Let the candidate that is this layout be the chosen one; none where there is none."""
        form = strip_evidence(layout)
        rows = [row for row, one in enumerate(self.known) if strip_evidence(one.layout) == form]
        row = rows[0] if rows and rows[0] < self.list.count() else -1
        self.list.blockSignals(True)
        self.list.setCurrentRow(row)
        self.list.blockSignals(False)
        self._say_why(row)

    def _add(self, candidate: Candidate) -> None:
        item = QListWidgetItem(candidate.text)
        item.setToolTip(candidate.reasons)
        blank = QPixmap(self.list.iconSize())
        blank.fill(Qt.GlobalColor.transparent)
        item.setIcon(self.pictures.get(self.list.count(), QIcon(blank)))
        self.list.addItem(item)

    def _show_more(self) -> None:
        self.more.hide()
        self.list.blockSignals(True)
        for candidate in self.known[self.list.count() :]:
            self._add(candidate)
        self.list.blockSignals(False)
        self.list.setFocus()

    def _on_row(self, row: int) -> None:
        self._say_why(row)
        if row >= 0:
            self.chosen.emit(self.known[row])

    def _say_why(self, row: int) -> None:
        self.why.setText(self.known[row].reasons if row >= 0 else "")
        self.why.setVisible(row >= 0)


def _type(layout: Layout) -> str:
    order = " big endian" if layout.byte_order == "big" else ""
    return f"{layout.dtype.name}{order}"


def _pixmap(pictures: Pictures) -> QPixmap:
    """Return both pictures side by side."""
    whole = QPixmap(2 * SIDE + _GAP, SIDE)
    whole.fill(Qt.GlobalColor.transparent)
    painter = QPainter(whole)
    for place, pixels in enumerate((pictures.frame, pictures.changes)):
        if pixels is not None:
            one = _scaled(pixels)
            left = place * (SIDE + _GAP) + (SIDE - one.width()) // 2
            painter.drawPixmap(left, (SIDE - one.height()) // 2, one)
    painter.end()
    return whole


def _scaled(pixels: NDArray[np.uint8]) -> QPixmap:
    height, width = pixels.shape
    data = np.ascontiguousarray(pixels).tobytes()
    image = QImage(data, width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image).scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio)
