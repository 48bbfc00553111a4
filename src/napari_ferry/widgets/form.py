"""How forms look: their fields below each other, and numbers that are typed into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QFrame, QLabel, QScrollArea, QSizePolicy, QWidget

from napari_ferry.errors import InvalidImageError

_NARROW, _LABEL = 90, 96

_WIDTH = 320
"""Least pixels of a form, which fits beside the layers on a small screen."""


def lay_out(form: QWidget, fields: Iterable[Any]) -> None:
    """Lay fields of magicgui below each other, with their labels in one column."""
    rows = QFormLayout(form)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    for field in fields:
        label = QLabel(field.label)
        label.setMinimumWidth(_LABEL)
        label.setToolTip(field.tooltip)
        label.setBuddy(field.native)
        field.native.setAccessibleName(field.label)
        field.native.setMinimumWidth(_NARROW)
        field.native.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        rows.addRow(label, field.native)


def scrolling(form: QWidget) -> QScrollArea:
    """Return an area in which a form scrolls from top to bottom, never sideways."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(form)
    area.setMinimumWidth(_WIDTH)
    return area


def to_number(text: str, kind: Callable[[str], Any], name: str) -> Any:
    """Return the number that was typed; a comma may stand for the point.

    Raises
    ------
    InvalidImageError
        It is none.
    """
    try:
        return kind(text.replace(",", "."))
    except ValueError as error:
        what = "a whole number" if kind is int else "a number"
        raise InvalidImageError(f"The {name} is {text!r}: type {what}, or nothing.") from error
