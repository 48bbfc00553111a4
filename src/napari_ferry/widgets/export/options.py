"""A form of the options of a format: one field for each, built from signature and docstring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, LineEdit, create_widget
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QWidget

from napari_ferry.signatures import Option
from napari_ferry.widgets.form import lay_out, to_number

AUTOMATIC = "automatic"
"""What a field says whose option is left to napari-ferry."""

_MOST = 1_000_000_000


class OptionsForm(QWidget):
    """Fields of options, one below the other.

    Parameters
    ----------
    options : sequence of Option
        Which fields there are, in this order.
    """

    changed = Signal()
    """Something else stands in a field."""

    def __init__(self, options: Sequence[Option]) -> None:
        super().__init__()
        self.known = {option.name: option for option in options}
        self.fields = {option.name: _field(option) for option in options}
        lay_out(self, self.fields.values())
        for field in self.fields.values():
            field.changed.connect(self.changed.emit)

    def follow_in_tabs(self, before: QWidget) -> None:
        """Let the tabulator go through the fields after another widget."""
        for field in self.fields.values():
            QWidget.setTabOrder(before, field.native)
            before = field.native

    def values(self) -> dict[str, Any]:
        """Return the value of every option.

        Raises
        ------
        InvalidImageError
            A field holds something that is none.
        """
        return {name: read(option, self.fields[name]) for name, option in self.known.items()}

    def texts(self) -> dict[str, Any]:
        """Return what stands in the fields, as plain JSON, to fill them with at another time."""
        return {name: field.value for name, field in self.fields.items()}

    def fill(self, texts: Mapping[str, Any]) -> None:
        """Put back what stood in the fields; what they do not take is left out."""
        for name, text in texts.items():
            if name in self.fields and _takes(self.fields[name], text):
                self.fields[name].value = text


def _field(option: Option) -> Any:
    """Return the field of an option."""
    kind, value, more = _looks(option)
    field = create_widget(
        value=value,
        name=option.name,
        label=option.name.replace("_", " "),
        widget_type=kind,
        options={"tooltip": option.help, **more},
    )
    if kind == "LineEdit" and option.is_optional:
        field.native.setPlaceholderText(AUTOMATIC)
    if kind == "CheckBox":
        field.native.setText("")  # its name stands before it
    return field


def _looks(option: Option) -> tuple[str, Any, dict[str, Any]]:
    """Return which kind of field an option has, what stands in it first, and more of it."""
    choices = _choices(option)
    if choices:
        return "ComboBox", option.default, {"choices": choices, "nullable": False}
    if option.kind is bool:
        return "CheckBox", option.default, {}
    if option.is_optional or option.kind is str:
        return "LineEdit", "" if option.default is None else str(option.default), {}
    if option.kind is int:
        return "SpinBox", option.default, {"min": 0, "max": _MOST}
    return "FloatSpinBox", option.default, {"min": 0, "max": _MOST, "step": 0.5}


def _choices(option: Option) -> list[tuple[str, Any]]:
    """Return the choices of an option with their values, none for what is typed."""
    first = [("–", None)] if option.is_optional else []
    if option.words:
        return [*first, *((word.replace("_", " "), word) for word in option.words)]
    if option.kind is bool and option.is_optional:
        return [(AUTOMATIC, None), ("yes", True), ("no", False)]
    return []


def read(option: Option, field: Any) -> Any:
    """Return the value of an option that stands in its field.

    Raises
    ------
    InvalidImageError
        It is none.
    """
    value = field.value
    if not isinstance(field, LineEdit):
        return value
    text = value.strip()
    if option.kind is str:
        return text or (None if option.is_optional else "")
    if not text:
        return None
    return to_number(text, option.kind, option.name.replace("_", " "))


def _takes(field: Any, text: Any) -> bool:
    """Whether a field can show a value that was remembered."""
    if isinstance(field, ComboBox):
        return text in field.choices
    if isinstance(field, LineEdit):
        return isinstance(text, str)
    if isinstance(field, CheckBox):
        return isinstance(text, bool)
    return isinstance(text, int | float) and field.min <= text <= field.max
