"""A form of the options of a format: one field for each, built from signature and docstring."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from magicgui.widgets import CheckBox, ComboBox, Container, FloatSpinBox, LineEdit, SpinBox, Widget

from napari_ferry.errors import InvalidImageError
from napari_ferry.options import Option

AUTOMATIC = "automatic"
"""What a field says whose option is left to napari-ferry."""

_MOST = 1_000_000_000


class OptionsForm(Container):
    """Fields of options.

    Parameters
    ----------
    options : sequence of Option
        Which fields there are, in this order.
    """

    def __init__(self, options: Sequence[Option]) -> None:
        super().__init__(labels=True)
        self.options = {option.name: option for option in options}
        self.margins = (0, 0, 0, 0)
        for option in options:
            self.append(_field(option))

    def values_of_options(self) -> dict[str, Any]:
        """Return the value of every option.

        Raises
        ------
        InvalidImageError
            A field holds something that is none.
        """
        return {name: read(option, self[name]) for name, option in self.options.items()}

    def texts(self) -> dict[str, Any]:
        """Return what stands in the fields, as plain JSON, to fill them with at another time."""
        return {name: self[name].value for name in self.options}

    def fill(self, texts: Mapping[str, Any]) -> None:
        """Put back what stood in the fields; what they do not take is left out."""
        for name, text in texts.items():
            if name in self.options and _takes(self[name], text):
                self[name].value = text


def _field(option: Option) -> Widget:
    """Return the field of an option."""
    said = {
        "name": option.name,
        "label": option.name.replace("_", " "),
        "tooltip": option.help,
    }
    choices = _choices(option)
    if choices:
        return ComboBox(choices=choices, value=option.default, **said)
    if option.kind is bool:
        return CheckBox(value=option.default, text="", **said)
    if option.is_optional or option.kind is str:
        field = LineEdit(value="" if option.default is None else str(option.default), **said)
        field.native.setPlaceholderText(AUTOMATIC if option.is_optional else "")
        return field
    if option.kind is int:
        return SpinBox(value=option.default, min=0, max=_MOST, **said)
    return FloatSpinBox(value=option.default, min=0, max=_MOST, step=0.5, **said)


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


def _takes(field: Any, text: Any) -> bool:
    """Whether a field can show a value that was remembered."""
    if isinstance(field, ComboBox):
        return text in field.choices
    if isinstance(field, LineEdit):
        return isinstance(text, str)
    if isinstance(field, CheckBox):
        return isinstance(text, bool)
    return isinstance(text, int | float) and field.min <= text <= field.max
