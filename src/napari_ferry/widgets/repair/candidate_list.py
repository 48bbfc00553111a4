"""List of candidate layouts of a raw file, with thumbnails, confidence and reasons."""

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
from napari_ferry.widgets.repair.thumbnails import SIDE, Thumbnails

FIRST = 4
"""Candidates in the list before the user asks for more."""

_ROWS = 3
"""Rows of the list that are visible at once."""

_GAP = 4
"""Pixels between two thumbnails."""

_LIKELIHOODS = ((0.9, "very likely"), (0.6, "likely"), (0.25, "possible"), (0.05, "unlikely"))
"""Words for a confidence, each with the least one."""

_UNLIKELY = 0.25
"""Confidence below which a message states that no candidate is likely."""


@dataclass(frozen=True)
class Candidate:
    """A possible layout of a file.

    Parameters
    ----------
    layout : Layout
        The layout.
    source : str
        Name of the sidecar that specifies it, empty if it was found in the bytes. A layout with
        reasons was found in the bytes, and only its channels are from the sidecar.
    rest : int
        Bytes of the file that it leaves out.
    """

    layout: Layout
    source: str = ""
    rest: int = 0

    @property
    def text(self) -> str:
        """Lines with shape, data type and confidence."""
        layout = self.layout
        channels = f" × {layout.channels}" if layout.channels > 1 else ""
        header = f", header {layout.offset:,}" if layout.offset else ""
        rest = f"\n{self.rest:,} bytes remain" if self.rest else ""
        gap = f"\n{layout.gap:,} bytes after each" if layout.gap else ""
        return (
            f"{layout.frames:,} × {layout.y} × {layout.x}{channels}\n"
            f"{_type_text(layout)}{header}{gap}{rest}\n{self._confidence_text}"
        )

    @property
    def _confidence_text(self) -> str:
        if self.source and not self.layout.reasons:
            return f"from {self.source}"
        confidence = self.layout.confidence
        word = next((word for least, word in _LIKELIHOODS if confidence >= least), "a guess")
        channels = f"\nchannels from {self.source}" if self.source else ""
        return f"{word} ({percent(confidence)}){channels}"

    @property
    def reasons(self) -> str:
        """Reasons for the layout, in one sentence."""
        if self.source and not self.layout.reasons:
            return f"{self.source} specifies this layout."
        reasons = "; ".join(self.layout.reasons)
        if self.source:
            return f"{self.source} specifies {self.layout.channels} channels; {reasons}."
        return f"{reasons[:1].upper()}{reasons[1:]}." if reasons else ""


def make_candidates(
    layouts: Sequence[Layout],
    sidecar: SidecarStatus | None,
    known: Mapping[str, Any],
    nbytes: int,
) -> list[Candidate]:
    """Return candidates for the layouts found in the bytes, and for the layout of the sidecar.

    Parameters
    ----------
    layouts : sequence of Layout
        Layouts found in the bytes, the most likely first.
    sidecar : SidecarStatus, optional
        Status of the sidecar.
    known : mapping
        Known values, as for `find_layouts`. A sidecar that contradicts them is ignored.
    nbytes : int
        Size of the file in bytes.
    """
    candidates = [Candidate(layout, rest=remaining_bytes(nbytes, layout)) for layout in layouts]
    described = sidecar.layout if sidecar else None
    if sidecar is None or described is None or not parse_known_fields(**known).allows(described):
        return candidates

    name, key = sidecar.path.name, strip_evidence(described)
    others = [each for each in candidates if strip_evidence(each.layout) != key]
    own = Candidate(described, name, max(0, remaining_bytes(nbytes, described)))
    if fits(nbytes, described) or not sidecar.error:
        return [own, *others]

    # a sidecar that does not fit comes second, as its channels may still be right
    split = [
        Candidate(layout, name, remaining_bytes(nbytes, layout))
        for layout in _split_channels(layouts, described)
    ]
    ranked = [*split[:1], *others]
    return [*ranked[:1], own, *ranked[1:]]


def _split_channels(layouts: Sequence[Layout], described: Layout) -> list[Layout]:
    """Return single-channel layouts with their frames regrouped as planes of several channels."""
    if described.interleaving != "plane":
        return []
    channels = described.channels
    return [
        replace(layout, frames=layout.frames // channels, channels=channels, interleaving="plane")
        for layout in layouts
        if (layout.dtype, layout.y, layout.x) == (described.dtype, described.y, described.x)
        and (layout.channels, layout.gap, layout.frames % channels) == (1, 0, 0)
    ]


def describe_doubts(candidates: Sequence[Candidate], nbytes: int, *, has_known_values: bool) -> str:
    """Describe a search without a likely candidate, empty if there is one."""
    best = candidates[0] if candidates else None
    if best is None and has_known_values:
        return (
            f"No layout with the known values fits the {nbytes:,} bytes: change a value, or "
            "uncheck it."
        )
    if best is None:
        return "No image structure was found: enter the values you know; the others are computed."

    reasons = (r for r in best.layout.reasons if r.startswith("no image structure"))
    doubt = next(reasons, "")
    if best.source or (not doubt and best.layout.confidence >= _UNLIKELY):
        return ""
    doubt = doubt or "no candidate is clearly more likely than the others"
    return f"{doubt[0].upper()}{doubt[1:]}. Enter the values you know; the others are computed."


def percent(share: float) -> str:
    """Return a probability as text, never rounded up to certainty.

    >>> percent(0.999), percent(0.5), percent(0.001)
    ('99 %', '50 %', 'below 1 %')
    """
    return "below 1 %" if share < 0.01 else f"{min(round(100 * share), 99)} %"


class CandidateList(QWidget):
    """List of candidates, the most likely first."""

    candidate_selected = Signal(object)
    """The candidate that the user selected."""

    def __init__(self) -> None:
        super().__init__()
        self.candidates: list[Candidate] = []
        self.icons: dict[int, QIcon] = {}
        self._make_parts()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.list, self.more, self.reasons):
            column.addWidget(part)
        self.list.currentRowChanged.connect(self._on_row)
        self.more.clicked.connect(self._show_more)
        self.show_candidates([])

    def _make_parts(self) -> None:
        self.list = QListWidget()
        self.list.setIconSize(QSize(2 * SIDE + _GAP, SIDE))
        self.list.setAccessibleName("Candidates")
        self.list.setToolTip(
            "Possible layouts of the file, with the first frame and the changes between frames. "
            "Select one to show it in the viewer."
        )
        self.list.setFixedHeight(_ROWS * (SIDE + 2 * _GAP) + 2 * _GAP)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setWordWrap(True)

        self.more = QPushButton()
        self.more.setToolTip("Show the less likely candidates.")
        self.reasons = QLabel()
        self.reasons.setWordWrap(True)
        self.reasons.setTextFormat(Qt.TextFormat.PlainText)
        self.reasons.setAccessibleName("Reasons for this candidate")

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
        self.reasons.setText("")
        self.reasons.hide()

    def show_thumbnails(self, row: int, thumbnails: Thumbnails) -> None:
        """Show the thumbnails of a candidate."""
        pixmap = _pixmap(thumbnails)
        self.icons[row] = QIcon(pixmap)
        self.icons[row].addPixmap(pixmap, QIcon.Mode.Selected)  # or else Qt would tint it
        item = self.list.item(row)
        if item is not None:
            item.setIcon(self.icons[row])

    def select_layout(self, layout: Layout) -> None:
        """Select the candidate with this layout, or none, without emitting a signal."""
        key = strip_evidence(layout)
        rows = [
            row for row, each in enumerate(self.candidates) if strip_evidence(each.layout) == key
        ]
        row = rows[0] if rows and rows[0] < self.list.count() else -1
        self.list.blockSignals(True)
        self.list.setCurrentRow(row)
        self.list.blockSignals(False)
        self._show_reasons(row)

    def _add(self, candidate: Candidate) -> None:
        item = QListWidgetItem(candidate.text)
        item.setToolTip(candidate.reasons)
        blank = QPixmap(self.list.iconSize())
        blank.fill(Qt.GlobalColor.transparent)
        item.setIcon(self.icons.get(self.list.count(), QIcon(blank)))
        self.list.addItem(item)

    def _show_more(self) -> None:
        self.more.hide()
        self.list.blockSignals(True)
        for candidate in self.candidates[self.list.count() :]:
            self._add(candidate)
        self.list.blockSignals(False)
        self.list.setFocus()

    def _on_row(self, row: int) -> None:
        self._show_reasons(row)
        if row >= 0:
            self.candidate_selected.emit(self.candidates[row])

    def _show_reasons(self, row: int) -> None:
        self.reasons.setText(self.candidates[row].reasons if row >= 0 else "")
        self.reasons.setVisible(row >= 0)


def _type_text(layout: Layout) -> str:
    order = " big endian" if layout.byte_order == "big" else ""
    return f"{layout.dtype.name}{order}"


def _pixmap(thumbnails: Thumbnails) -> QPixmap:
    """Return both thumbnails side by side."""
    pixmap = QPixmap(2 * SIDE + _GAP, SIDE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    for column, pixels in enumerate((thumbnails.frame, thumbnails.changes)):
        if pixels is not None:
            thumbnail = _scale_to_side(pixels)
            left = column * (SIDE + _GAP) + (SIDE - thumbnail.width()) // 2
            painter.drawPixmap(left, (SIDE - thumbnail.height()) // 2, thumbnail)
    painter.end()
    return pixmap


def _scale_to_side(pixels: NDArray[np.uint8]) -> QPixmap:
    height, width = pixels.shape
    data = np.ascontiguousarray(pixels).tobytes()
    image = QImage(data, width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image).scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio)
