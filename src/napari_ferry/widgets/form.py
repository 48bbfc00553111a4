"""Layout of forms, numbers entered in their fields, and texts of files shown in them."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from magicgui.widgets import ComboBox
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QFrame,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible, QFlowLayout

from napari_ferry.errors import InvalidImageError
from napari_ferry.widgets.form_words import Words

_FIELD_WIDTH, _LABEL_WIDTH = 90, 96
"""Minimum widths of a field and of its label, in pixels."""

FORM_WIDTH = 320
"""Minimum width of a form in pixels: it fits next to the layer list on a small screen."""


MAIN_BUTTON = "QPushButton:enabled { background-color: #3f7fd0; color: white; font-weight: bold }"
"""Style of the main button of a form, legible in dark and light themes."""

EMPTY_BOXES = "QListView::indicator:unchecked { border: 1px solid #808080 }"
"""Style of unchecked boxes in a list: in napari's themes they have the color of the list."""

_NO_LIMIT = (1 << 24) - 1
"""Maximum height of a widget in pixels: Qt's QWIDGETSIZE_MAX, which PySide6 does not export."""


def lay_out(form: QWidget, fields: Iterable[Any]) -> None:
    """Arrange magicgui fields in one column, with their labels to the left."""
    rows = QFormLayout(form)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    rows.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)

    for field in fields:
        native = field.native
        native.setAccessibleName(field.label)
        if isinstance(native, QCheckBox):
            native.setText(field.label)
            rows.addRow(native)
            continue
        label = QLabel(field.label)
        label.setMinimumWidth(_LABEL_WIDTH)
        label.setToolTip(field.tooltip)
        label.setBuddy(native)
        native.setMinimumWidth(_FIELD_WIDTH)
        native.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        rows.addRow(label, native)


class ChoiceField(ComboBox):
    """Choice among values, including ``None``.

    A plain combo box reports no change to None.

    Parameters
    ----------
    name : str
        Name of the field.
    words : Words
        Its label, tooltip and choices; None comes first.
    value : object
        Initial choice.
    """

    def __init__(self, name: str, words: Words, value: Any = None) -> None:
        self.null_string = words.choices.get(None, "")
        super().__init__(
            value=value,
            choices=_named_choices(words.choices),
            nullable=None in words.choices,
            name=name,
            label=words.label,
            tooltip=words.tooltip,
        )

    def offer(self, choices: Mapping[Any, str]) -> None:
        """Offer other texts or values."""
        self.null_string = choices.get(None, "")
        with self.changed.blocked():
            self.choices = _named_choices(choices)


def _named_choices(choices: Mapping[Any, str]) -> list[tuple[str, Any]]:
    """Return texts and values of choices except None; the widget adds None by itself."""
    return [(text, value) for value, text in choices.items() if value is not None]


def make_scroll_area(form: QWidget) -> QScrollArea:
    """Return an area for a form, scrolled vertically and never horizontally."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its fields have it
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(form)
    area.setMinimumWidth(FORM_WIDTH)
    return area


def make_flow(widgets: Sequence[QWidget]) -> QWidget:
    """Return widgets in a flow of rows."""
    flow = QWidget()
    layout = QFlowLayout(flow)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setHorizontalSpacing(3)
    layout.setVerticalSpacing(2)
    for widget in widgets:
        layout.addWidget(widget)
    return flow


class FoldedSection(QCollapsible):
    """Section with hidden fields while it is folded, so the keyboard skips them.

    Parameters
    ----------
    title, tooltip : str
        Title of the section, and its tooltip.
    parts : QWidget
        Its content, which may grow.
    """

    def __init__(self, title: str, tooltip: str = "", *parts: QWidget) -> None:
        super().__init__(title, expandedIcon="▾", collapsedIcon="▸")
        self.toggleButton().setToolTip(tooltip)
        self.setDuration(0)
        # its height depends on its width, as labels are wrapped
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        content = QWidget()
        self.column = QVBoxLayout(content)
        content.hide()
        self.setContent(content)
        for layout in (self.layout(), self.column):
            assert layout is not None
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(2)
            layout.setAlignment(Qt.AlignmentFlag(0))  # or else the height ignores the width
        self.add(*parts)
        self.toggled.connect(self._on_toggle)

    def add(self, *parts: QWidget) -> None:
        """Add parts at the end; `addWidget` would limit the section to its present height."""
        for part in parts:
            self.column.addWidget(part)

    def _on_toggle(self, is_open: bool) -> None:
        self.content().setMaximumHeight(_NO_LIMIT)
        self.content().setVisible(is_open)


def make_label(text_format: Qt.TextFormat = Qt.TextFormat.PlainText) -> QLabel:
    """Return an empty label, safe for sentences with any name of a file if they are plain text."""
    label = QLabel()
    label.setWordWrap(True)
    label.setTextFormat(text_format)
    policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    policy.setHeightForWidth(True)
    label.setSizePolicy(policy)  # a long name of a file does not widen the form
    return label


def escape_text(text: str) -> str:
    """Escape a text for a tooltip or message box; Qt would interpret tags in it as HTML."""
    return f"<qt>{escape_html(text)}</qt>".replace("\n", "<br>")


def escape_html(text: str) -> str:
    """Return a text for a part of rich text, without tags of its own."""
    return html.escape(text, quote=False)


def to_number(text: str, kind: Callable[[str], Any], name: str) -> Any:
    """Convert the text of a field to a number; a comma is accepted as the decimal point.

    Raises
    ------
    InvalidImageError
        The text is not a number.
    """
    try:
        return kind(text.replace(",", "."))
    except ValueError as error:
        expected = "a whole number" if kind is int else "a number"
        raise InvalidImageError(
            f"The {name} is {text!r}: enter {expected}, or leave the field empty."
        ) from error
