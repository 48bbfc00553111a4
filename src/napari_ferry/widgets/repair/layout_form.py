"""The numbers of a layout, each of which can be fixed."""

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

_TYPES = (
    *("uint8", "uint16", "int16", "uint32", "int32", "float32", "float64"),
    *("int8", "uint64", "int64", "float16"),
)
_ORDERS = {"little endian": "little", "big endian": "big"}
_WAYS = {"pixel by pixel": "pixel", "plane by plane": "plane"}

_MOST = 2**48
_NARROW = 90

_FIELDS = {
    "dtype": ("data type", "Type of a sample."),
    "byte_order": ("byte order", "Order of the bytes of a sample."),
    "offset": ("header", "Bytes before the first sample."),
    "gap": ("gap", "Bytes after each frame that are none of its samples."),
    "frames": ("frames", "How many frames there are."),
    "y": ("height (y)", "Rows of a frame, in pixels."),
    "x": ("width (x)", "Columns of a frame, in pixels."),
    "channels": ("channels", "How many samples there are of each pixel."),
    "interleaving": ("channels lie", "How the samples of several channels follow each other."),
}
"""Label and tooltip of each field."""


_FIX_TIP = "You know this: it stays, and the rest follows from it."


class LayoutForm(QWidget):
    """A field for each number of a layout, and a tick at those that are known.

    Whoever changes a field knows it: its tick is set.
    """

    edited = Signal(str)
    """Name of the field that a hand changed."""

    fixed_changed = Signal()
    """Something else is known, though no number changed."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, Any] = {name: _make_field(name) for name in _FIELDS}
        self.fixed_boxes = {name: QCheckBox() for name in _FIELDS}
        self.notes = {name: _Note(title) for name, (title, _) in _FIELDS.items()}
        self._lay_out()
        for name, field in self.fields.items():
            box = isinstance(field, QComboBox)
            changed = field.currentIndexChanged if box else field.valueChanged
            changed.connect(lambda *_, name=name: self._on_edit(name))
            self.fixed_boxes[name].toggled.connect(self.fixed_changed)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        heading = QLabel("known")
        heading.setToolTip(_FIX_TIP)
        grid.addWidget(heading, 0, 2, Qt.AlignmentFlag.AlignHCenter)
        for place, (name, (title, tip)) in enumerate(_FIELDS.items()):
            row, field, box, note = 2 * place + 1, *self._parts(name)
            label = QLabel(title)
            label.setBuddy(field)
            for part in (label, field):
                part.setToolTip(tip)
            field.setAccessibleName(title)
            field.setMinimumWidth(_NARROW)
            box.setToolTip(_FIX_TIP)
            box.setAccessibleName(f"{title} is known")
            note.taken.connect(field.setValue if isinstance(field, _Count) else lambda _: None)
            grid.addWidget(label, row, 0)
            grid.addWidget(field, row, 1)
            grid.addWidget(box, row, 2, Qt.AlignmentFlag.AlignHCenter)
            grid.addWidget(note, row + 1, 0, 1, 3)

    def _parts(self, name: str) -> tuple[Any, QCheckBox, _Note]:
        return self.fields[name], self.fixed_boxes[name], self.notes[name]

    # --- what stands in it ------------------------------------------------------------------

    def show_layout(self, layout: Layout) -> None:
        """Fill in the numbers of a layout; nobody is told."""
        values = {
            "dtype": layout.dtype.name,
            "byte_order": _key(_ORDERS, layout.byte_order),
            "interleaving": _key(_WAYS, layout.interleaving or "pixel"),
            **{
                name: getattr(layout, name)
                for name in ("offset", "gap", "frames", "y", "x", "channels")
            },
        }
        for name, value in values.items():
            field = self.fields[name]
            field.blockSignals(True)
            if isinstance(field, QComboBox):
                field.setCurrentText(str(value))
            elif field.value() != value:
                field.setValue(value)
            field.blockSignals(False)
        self._enable()

    def draft(self) -> Layout:
        """Return the layout that stands in the fields."""
        order = ">" if _ORDERS[self.fields["byte_order"].currentText()] == "big" else "<"
        frames, y, x, channels = (
            int(self.fields[name].value()) for name in ("frames", "y", "x", "channels")
        )
        way = _WAYS[self.fields["interleaving"].currentText()] if channels > 1 else ""
        return Layout(
            dtype=np.dtype(self.fields["dtype"].currentText()).newbyteorder(order),
            offset=int(self.fields["offset"].value()),
            gap=int(self.fields["gap"].value()),
            channels=channels,
            interleaving=way,  # type: ignore[arg-type]
            frames=frames,
            y=y,
            x=x,
        )

    @property
    def fixed(self) -> frozenset[str]:
        """The names of the fields that are known."""
        return frozenset(name for name, box in self.fixed_boxes.items() if box.isChecked())

    @property
    def known(self) -> dict[str, Any]:
        """What is known, as `find_layouts` takes it."""
        draft = self.draft()
        values = {"dtype": draft.dtype.name, "byte_order": draft.byte_order}
        names = self.fixed - {"gap", "interleaving"}
        return {name: values.get(name, getattr(draft, name)) for name in names}

    def forget(self, *names: str) -> None:
        """Take the ticks away, all or some; nobody is told."""
        for name in names or tuple(self.fixed_boxes):
            box = self.fixed_boxes[name]
            box.blockSignals(True)
            box.setChecked(False)
            box.blockSignals(False)

    def say(self, notes: Mapping[str, tuple[str, int | None]]) -> None:
        """Say at fields what does not fit, and offer there the value that does."""
        for name, note in self.notes.items():
            note.say(*notes.get(name, ("", None)))

    def _on_edit(self, name: str) -> None:
        box = self.fixed_boxes[name]
        box.blockSignals(True)
        box.setChecked(True)
        box.blockSignals(False)
        self._enable()
        self.edited.emit(name)

    def _enable(self) -> None:
        """Offer only what makes a difference."""
        draft = self.draft()
        for name, matters in (
            ("byte_order", draft.dtype.itemsize > 1),
            ("interleaving", draft.channels > 1),
        ):
            self.fields[name].setEnabled(matters)
            self.fixed_boxes[name].setEnabled(matters)


class _Note(QWidget):
    """What does not fit at a field, and a button that takes the nearest value that does."""

    taken = Signal(object)
    """That value."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.value = 0
        self.text, self.button = QLabel(), QPushButton()
        self.text.setWordWrap(True)
        self.text.setAccessibleName(f"What does not fit: {title}")
        self.button.setToolTip(f"The nearest {title} with which nothing remains.")
        self.button.clicked.connect(lambda: self.taken.emit(self.value))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 4)
        row.addWidget(self.text, 1)
        row.addWidget(self.button)
        self.hide()

    def say(self, text: str, value: int | None) -> None:
        """Say something, and offer a value; nothing is shown where there is neither."""
        self.text.setText(text)
        self.button.setText("" if value is None else f"{value:,} fits")
        self.button.setVisible(value is not None)
        self.value = value or 0
        self.setVisible(bool(text) or value is not None)


class _Calm:
    """Makes of a field one that the wheel changes only where somebody has clicked."""

    hasFocus: Callable[[], bool]  # noqa: N815 - Qt's name

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802 - Qt's name
        """Let the form scroll where the field is not being edited."""
        if self.hasFocus():
            super().wheelEvent(event)  # type: ignore[misc]
        elif event is not None:
            event.ignore()


class _Count(_Calm, QLargeIntSpinBox):
    """A whole number."""

    def __init__(self, least: int) -> None:
        super().__init__()
        self.setRange(least, _MOST)  # type: ignore[no-untyped-call]
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


class _Choice(_Calm, QComboBox):
    """A choice."""

    def __init__(self, words: tuple[str, ...]) -> None:
        super().__init__()
        self.addItems(words)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)


def _make_field(name: str) -> QWidget:
    words = {"dtype": _TYPES, "byte_order": tuple(_ORDERS), "interleaving": tuple(_WAYS)}
    if name in words:
        return _Choice(words[name])
    return _Count(0 if name in ("offset", "gap") else 1)


def _key(table: Mapping[str, str], value: str) -> str:
    return next(key for key, found in table.items() if found == value)
