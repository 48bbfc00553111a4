"""Form for the values of a layout, with a check box for each known value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)
from superqt import QLargeIntSpinBox

from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.widgets.form import make_label
from napari_ferry.widgets.repair.repair_words import (
    BYTE_ORDERS,
    CHANNEL_ORDERS,
    KNOWN,
    KNOWN_TIP,
    LAYOUT_FIELDS,
    USE,
)
from napari_ferry.widgets.repair.sentences import use

Value = int | str
"""Value of a field: a number, or the text of a choice."""

_DTYPES = (
    *("uint8", "uint16", "int16", "uint32", "int32", "float32", "float64"),
    *("int8", "uint64", "int64", "float16"),
)

_MAXIMUM = 2**48
_FIELD_WIDTH = 80
"""Minimum width of a field in pixels."""

_WIDE = ("byte_order", "interleaving")
"""Fields below their label."""

DEFAULT_LAYOUT = Layout(dtype=np.dtype("uint16"), offset=0, frames=1, y=512, x=512)
"""Layout to start from when nothing is known."""


class LayoutForm(QWidget):
    """Form with a field for each value of a layout, and a check box for each known value.

    Editing a field checks its box.
    """

    edited = Signal(str)
    """Name of the field edited by the user."""

    fixed_changed = Signal()
    """Other values are known, but none changed."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, Any] = {name: _make_field(name) for name in LAYOUT_FIELDS}
        self.fixed_boxes = {name: QCheckBox() for name in LAYOUT_FIELDS}
        self.notes = {name: _Note() for name in LAYOUT_FIELDS}
        self._lay_out()
        for name, field in self.fields.items():
            is_choice = isinstance(field, QComboBox)
            changed = field.currentIndexChanged if is_choice else field.valueChanged
            changed.connect(lambda *_, name=name: self._on_edit(name))
            self.fixed_boxes[name].toggled.connect(self.fixed_changed)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        heading = QLabel(KNOWN)
        heading.setToolTip(KNOWN_TIP)
        grid.addWidget(heading, 0, 1, 1, 2, Qt.AlignmentFlag.AlignRight)
        for i, name in enumerate(LAYOUT_FIELDS):
            self._add_row(grid, 3 * i + 1, name)

    def _add_row(self, grid: QGridLayout, row: int, name: str) -> None:
        title, tip = LAYOUT_FIELDS[name].label, LAYOUT_FIELDS[name].tooltip
        field, box, note = self.fields[name], self.fixed_boxes[name], self.notes[name]
        label = QLabel(title)
        label.setWordWrap(True)
        label.setBuddy(field)
        for part in (label, field):
            part.setToolTip(tip)
        field.setAccessibleName(title)
        if isinstance(field, _Count):  # a choice is as wide as its texts
            field.setMinimumWidth(_FIELD_WIDTH)
        box.setToolTip(KNOWN_TIP)
        box.setAccessibleName(f"{title} is known")
        choose = field.setValue if isinstance(field, _Count) else field.setCurrentText
        note.accepted.connect(choose)

        # The note of a field is below it. Long texts need the whole width.
        is_wide = name in _WIDE
        grid.addWidget(label, row, 0, 1, 2 if is_wide else 1)
        grid.addWidget(field, row + is_wide, 0 if is_wide else 1, 1, 3 if is_wide else 1)
        grid.addWidget(box, row, 2, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(note, row + 2, 0, 1, 3)

    # --- values -----------------------------------------------------------------------------

    def show_layout(self, layout: Layout) -> None:
        """Fill in the values of a layout without emitting `edited`."""
        for name, value in field_values(layout).items():
            field = self.fields[name]
            field.blockSignals(True)
            if isinstance(field, QComboBox):
                field.setCurrentText(str(value))
            elif field.value() != value:
                field.setValue(value)
            field.blockSignals(False)
        self._enable()

    def draft(self) -> Layout:
        """Return the layout entered in the fields."""
        order = ">" if BYTE_ORDERS[self.fields["byte_order"].currentText()] == "big" else "<"
        frames, y, x, channels = (
            int(self.fields[name].value()) for name in ("frames", "y", "x", "channels")
        )
        channel_order = CHANNEL_ORDERS[self.fields["interleaving"].currentText()]
        return Layout(
            dtype=np.dtype(self.fields["dtype"].currentText()).newbyteorder(order),
            offset=int(self.fields["offset"].value()),
            gap=int(self.fields["gap"].value()),
            channels=channels,
            interleaving=channel_order if channels > 1 else "",  # type: ignore[arg-type]
            frames=frames,
            y=y,
            x=x,
        )

    @property
    def fixed(self) -> frozenset[str]:
        """Names of the known fields."""
        return frozenset(name for name, box in self.fixed_boxes.items() if box.isChecked())

    @property
    def known(self) -> dict[str, Any]:
        """Known values, as arguments of `find_layouts`."""
        draft = self.draft()
        values = {"dtype": draft.dtype.name, "byte_order": draft.byte_order}
        names = self.fixed - {"gap", "interleaving"}
        return {name: values.get(name, getattr(draft, name)) for name in names}

    def agrees_with(self, layout: Layout) -> bool:
        """Return True if a layout has the known gap and channel order, unknown to the search."""
        draft = self.draft()
        names = self.fixed & ({"gap", "interleaving"} if draft.channels > 1 else {"gap"})
        return all(getattr(layout, name) == getattr(draft, name) for name in names)

    def forget(self, *names: str) -> None:
        """Uncheck the given fields, or all, without emitting `fixed_changed`."""
        for name in names or tuple(self.fixed_boxes):
            box = self.fixed_boxes[name]
            box.blockSignals(True)
            box.setChecked(False)
            box.blockSignals(False)

    def show_notes(self, notes: Mapping[str, tuple[str, Value | None]]) -> None:
        """Show notes below fields, each with a fitting value if there is one; hide the others."""
        for name, note in self.notes.items():
            note.show_note(*notes.get(name, ("", None)))

    def _on_edit(self, name: str) -> None:
        box = self.fixed_boxes[name]
        box.blockSignals(True)
        box.setChecked(True)
        box.blockSignals(False)
        self._enable()
        self.edited.emit(name)

    def _enable(self) -> None:
        """Enable byte order and channel order only if they make a difference."""
        draft = self.draft()
        for name, matters in (
            ("byte_order", draft.dtype.itemsize > 1),
            ("interleaving", draft.channels > 1),
        ):
            self.fields[name].setEnabled(matters)
            self.fixed_boxes[name].setEnabled(matters)


class _Note(QWidget):
    """Note about a value without fit, and a button for the nearest fitting value."""

    accepted = Signal(object)
    """The value of the button, when it is clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.value: Value | None = None
        self.text, self.button = make_label(), QPushButton()
        self.button.setToolTip(USE.tooltip)
        self.button.clicked.connect(lambda: self.accepted.emit(self.value))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 4)
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        self.hide()

    def show_note(self, text: str, value: Value | None) -> None:
        """Show a text and offer a value; hide the note if both are empty."""
        self.text.setText(text)
        self.button.setText("" if value is None else use(value))
        self.button.setVisible(value is not None)
        self.value = value
        self.setVisible(bool(text) or value is not None)


class _IgnoreWheelMixin:
    """Mixin for fields without focus: the wheel scrolls the form instead of their values."""

    hasFocus: Callable[[], bool]  # noqa: N815 - Qt's name

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802 - Qt's name
        """Ignore the wheel unless the field has focus."""
        if self.hasFocus():
            super().wheelEvent(event)  # type: ignore[misc]
        elif event is not None:
            event.ignore()


class _Count(_IgnoreWheelMixin, QLargeIntSpinBox):
    """Field for a whole number."""

    def __init__(self, minimum: int) -> None:
        super().__init__()
        self.setRange(minimum, _MAXIMUM)  # type: ignore[no-untyped-call]
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


class _Choice(_IgnoreWheelMixin, QComboBox):
    """Field for a choice."""

    def __init__(self, words: tuple[str, ...]) -> None:
        super().__init__()
        self.addItems(words)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


def field_values(layout: Layout) -> dict[str, Value]:
    """Return the value of each field of the form for a layout."""
    numbers = ("offset", "gap", "frames", "y", "x", "channels")
    return {
        "dtype": layout.dtype.name,
        "byte_order": _key(BYTE_ORDERS, layout.byte_order),
        "interleaving": _key(CHANNEL_ORDERS, layout.interleaving or "pixel"),
        **{name: getattr(layout, name) for name in numbers},
    }


def _make_field(name: str) -> QWidget:
    choices = {
        "dtype": _DTYPES,
        "byte_order": tuple(BYTE_ORDERS),
        "interleaving": tuple(CHANNEL_ORDERS),
    }
    if name in choices:
        return _Choice(choices[name])
    return _Count(0 if name in ("offset", "gap") else 1)


def _key(table: Mapping[str, str], value: str) -> str:
    return next(key for key, other in table.items() if other == value)
