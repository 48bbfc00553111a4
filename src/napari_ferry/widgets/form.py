"""Layout of forms, numbers entered in their fields, and texts of files shown in them."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QFrame,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QWidget,
)
from superqt import QCollapsible

from napari_ferry.errors import InvalidImageError

_FIELD_WIDTH, _LABEL_WIDTH = 90, 96
"""Minimum widths of a field and of its label, in pixels."""

_FORM_WIDTH = 320
"""Minimum width of a form in pixels: it fits next to the layer list on a small screen."""


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


def make_scroll_area(form: QWidget) -> QScrollArea:
    """Return an area for a form, scrolled vertically and never horizontally."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(form)
    area.setMinimumWidth(_FORM_WIDTH)
    return area


def make_section(title: str) -> QCollapsible:
    """Return a folded section of a form, opened without animation."""
    section = QCollapsible(title, expandedIcon="▾", collapsedIcon="▸")
    section.setDuration(0)
    section.toggleButton().setAccessibleName(title)
    for layout in (section.layout(), section.content().layout()):
        assert layout is not None
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
    return section


def escape_text(text: str) -> str:
    """Return a text for a tooltip or message box, where Qt would interpret tags in it as HTML."""
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
