"""Summary of an export: one headline, and folded lines about details and losses."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_ferry.widgets.form import FoldedSection, escape_html, make_scroll_area
from napari_ferry.widgets.plan_summary import Description

_SCROLL_BAR = 30
"""Width of margins and a scroll bar in pixels."""


class SummaryView(QWidget):
    """Headline of an export, its details, and its losses.

    Parameters
    ----------
    max_height : int, optional
        Largest height of the details in pixels, which scroll then; None for all of them.
    """

    suggestion_accepted = Signal()
    """The user clicked the link of a suggestion."""

    def __init__(self, max_height: int | None = None) -> None:
        super().__init__()
        self.max_height = max_height
        self.headline = _label("Summary of the export")
        self.suggestion = _label("Suggestion")
        self.suggestion.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByKeyboard)
        self.suggestion.linkActivated.connect(lambda _: self.suggestion_accepted.emit())
        self.detail_text = _label("Files of the export, and what is not saved")
        self.area = make_scroll_area(self.detail_text) if max_height is not None else None
        self.details = FoldedSection("", "", self.area or self.detail_text)

        column = QVBoxLayout(self)
        column.setContentsMargins(6, 0, 6, 0)
        column.setSpacing(0)
        for part in (self.headline, self.suggestion, self.details):
            column.addWidget(part)
        self.show_error("")

    def show_plan(self, description: Description, title: str = "") -> None:
        """Show the files and the losses of an export, the losses under a title."""
        self.headline.setText(escape_html(description.headline))
        self.suggestion.hide()
        lines = [*description.details, *(f"• {loss}" for loss in description.losses)]
        self.detail_text.setText("<br>".join(map(escape_html, lines)))
        self._limit_height()
        count = len(description.losses)
        things = "1 loss or assumption" if count == 1 else f"{count} losses or assumptions"
        self.details.setText(title or (things if count else "Details"))
        self.details.show()

    def _limit_height(self) -> None:
        """Make the details as high as their text, up to the limit."""
        if self.area is not None and self.max_height is not None:
            height = self.detail_text.heightForWidth(self.width() - _SCROLL_BAR)
            self.area.setFixedHeight(min(self.max_height, height))

    def show_suggestion(self, text: str, link: str) -> None:
        """Show a sentence with a link at its end, until the next plan."""
        self.suggestion.setText(f'{escape_html(text)} <a href="accept">{escape_html(link)}</a>')
        self.suggestion.show()

    def show_error(self, sentence: str) -> None:
        """Show one sentence instead."""
        self.headline.setText(escape_html(sentence))
        self.detail_text.clear()
        self.suggestion.hide()
        self.details.hide()

    def text(self) -> str:
        """Return all text, shown or folded, as rich text."""
        return f"{self.headline.text()}<br>{self.detail_text.text()}"


def _label(name: str) -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setAccessibleName(name)
    return label
