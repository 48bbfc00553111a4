"""Form with one field per option, built from the signature and docstring of a function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from magicgui.widgets import CheckBox, ComboBox, LineEdit, create_widget
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QWidget

from napari_ferry.signatures import Option
from napari_ferry.widgets.form import ChoiceField, lay_out, to_number
from napari_ferry.widgets.form_words import words_of

_MAXIMUM = 1_000_000_000


class OptionsForm(QWidget):
    """Fields of options, in one column.

    Parameters
    ----------
    options : sequence of Option
        Options in the order of their fields.
    """

    changed = Signal()
    """The value of a field changed."""

    def __init__(self, options: Sequence[Option]) -> None:
        super().__init__()
        self.options = {option.name: option for option in options}
        self.fields = {option.name: _make_field(option) for option in options}
        lay_out(self, self.fields.values())
        for field in self.fields.values():
            field.changed.connect(self.changed.emit)

    def set_tab_order_after(self, widget: QWidget) -> None:
        """Put the fields after another widget in the tab order."""
        for field in self.fields.values():
            QWidget.setTabOrder(widget, field.native)
            widget = field.native

    def values(self) -> dict[str, Any]:
        """Return the value of every option.

        Raises
        ------
        InvalidImageError
            The text of a field is not a number.
        """
        return {name: _read(option, self.fields[name]) for name, option in self.options.items()}

    def texts(self) -> dict[str, Any]:
        """Return the contents of the fields as plain JSON values, to restore them with `fill`."""
        return {name: field.value for name, field in self.fields.items()}

    def fill(self, texts: Mapping[str, Any]) -> None:
        """Set the contents of fields; skip invalid values."""
        for name, text in texts.items():
            if name in self.fields and _accepts(self.fields[name], text):
                self.fields[name].value = text


class _FieldType(NamedTuple):
    """Type of magicgui widget, initial value, and further arguments of the widget."""

    widget: str
    value: Any
    arguments: dict[str, Any]


def _make_field(option: Option) -> Any:
    """Return the field of an option."""
    words = words_of(option)
    if words.choices:
        offered = {k: v for k, v in words.choices.items() if k is not None or option.is_optional}
        return ChoiceField(option.name, words._replace(choices=offered), option.default)

    kind = _field_type(option)
    field = create_widget(
        value=kind.value,
        name=option.name,
        label=words.label,
        widget_type=kind.widget,
        options={"tooltip": words.tooltip, **kind.arguments},
    )

    if kind.widget == "LineEdit":
        field.native.setPlaceholderText(words.empty)
    return field


def _field_type(option: Option) -> _FieldType:
    """Choose the type of field for an option."""
    if option.kind is bool:
        return _FieldType("CheckBox", option.default, {})
    if option.is_optional or option.kind is str:
        return _FieldType("LineEdit", "" if option.default is None else str(option.default), {})
    if option.kind is int:
        return _FieldType("SpinBox", option.default, {"min": 0, "max": _MAXIMUM})
    return _FieldType("FloatSpinBox", option.default, {"min": 0, "max": _MAXIMUM, "step": 0.5})


def _read(option: Option, field: Any) -> Any:
    """Return the value of an option from its field.

    Raises
    ------
    InvalidImageError
        The text of the field is not a number.
    """
    value = field.value
    if not isinstance(field, LineEdit):
        return value
    text = value.strip()
    if option.kind is str:
        return text or (None if option.is_optional else "")
    if not text:
        return None
    return to_number(text, option.kind, f"value of {field.label!r}")


def _accepts(field: Any, text: Any) -> bool:
    """Return True if a field accepts a stored value."""
    if isinstance(field, ComboBox):
        return text in field.choices
    if isinstance(field, LineEdit):
        return isinstance(text, str)
    if isinstance(field, CheckBox):
        return isinstance(text, bool)
    return isinstance(text, int | float) and field.min <= text <= field.max
