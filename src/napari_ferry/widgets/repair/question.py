"""Question about the layout in the viewer, and the reasons for it."""

from __future__ import annotations

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_ferry.widgets.form import FoldedSection, make_label
from napari_ferry.widgets.repair.arrow_keys import ArrowKeys
from napari_ferry.widgets.repair.repair_words import CONFIRM, DETAILS, NEXT, USE
from napari_ferry.widgets.repair.sentences import keep_together


class LayoutQuestion(QWidget):
    """Sentence about the layout in the viewer, and buttons to answer it."""

    confirmed = Signal()
    """The layout is right."""

    suggestion_accepted = Signal()
    """The user accepts the numbers supported by the bytes."""

    stepped = Signal(int)
    """The user wants to see the next candidate (1) or the previous one (-1)."""

    def __init__(self) -> None:
        super().__init__()
        self.headline = make_label()
        font = self.headline.font()
        font.setBold(True)
        self.headline.setFont(font)
        self.confirm_button, self.next_button = QPushButton(), QPushButton()
        self.use_button = QPushButton()
        row = QHBoxLayout()
        for button, words in (
            (self.confirm_button, CONFIRM),
            (self.use_button, USE),
            (self.next_button, NEXT),
        ):
            button.setText(words.label)
            button.setToolTip(words.tooltip)
            ArrowKeys(button).pressed.connect(self.stepped)
            row.addWidget(button)
        self.confirm_button.clicked.connect(lambda _: self.confirmed.emit())
        self.use_button.clicked.connect(lambda _: self.suggestion_accepted.emit())
        self.next_button.clicked.connect(lambda _: self.stepped.emit(1))

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.headline)
        column.addLayout(row)
        self.hide()

    def ask(self, sentence: str, *, has_others: bool) -> None:
        """Ask about a layout; `has_others` is True if there is another candidate to show."""
        self._show(keep_together(sentence), self.confirm_button, self.next_button)
        self.next_button.setEnabled(has_others)

    def suggest(self, sentence: str, button_text: str) -> None:
        """Suggest numbers other than the user's."""
        self._show(sentence, self.use_button, self.next_button)
        self.use_button.setText(button_text)
        self.next_button.setEnabled(True)

    def state(self, sentence: str) -> None:
        """Show a sentence without a question."""
        self._show(sentence)

    def _show(self, sentence: str, *buttons: QPushButton) -> None:
        """Show a sentence with these buttons only."""
        self.headline.setText(sentence)
        for button in (self.confirm_button, self.use_button, self.next_button):
            button.setVisible(button in buttons)
        self.show()


class ReasonsPanel(QWidget):
    """Reasons for a layout in plain words, and the measured numbers in a folded section."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons, self.details = make_label(), make_label()
        self.more = FoldedSection(DETAILS.label, DETAILS.tooltip, self.details)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.reasons)
        column.addWidget(self.more)
        self.hide()

    def show_reasons(self, reasons: str, details: str) -> None:
        """Show sentences with the reasons and the numbers; hide empty ones."""
        self.reasons.setText(reasons)
        self.details.setText(details)
        self.more.setVisible(bool(details))
        self.setVisible(bool(reasons))
