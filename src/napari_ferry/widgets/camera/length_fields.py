"""Fields for the length of a move: a number and its unit."""

from __future__ import annotations

import math

from magicgui.widgets import ComboBox, LineEdit
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]

from napari_ferry.errors import InvalidImageError
from napari_ferry.widgets.form import to_number

SECONDS, FRAMES, DEGREES = "seconds", "frames", "degrees"

UNITS = (("Seconds", SECONDS), ("Frames", FRAMES))

_UNIT_TIP = "Unit of the length. Seconds are counted at the frame rate of the movie."


class LengthFields(QObject):
    """A number and its unit.

    Parameters
    ----------
    parent : QObject
        Form with the fields.
    label : str
        Label of the number.
    tooltip : str
        Explanation of the number.
    defaults : dict
        Number for each unit if the field is empty.
    units : tuple
        Choices of units: their labels and values.
    """

    changed = Signal()
    """The number or the unit changed."""

    def __init__(
        self,
        parent: QObject,
        *,
        label: str,
        tooltip: str,
        defaults: dict[str, float],
        units: tuple[tuple[str, str], ...] = UNITS,
    ) -> None:
        super().__init__(parent)
        self.defaults = defaults
        self.number = LineEdit(name="length", label=label, tooltip=tooltip)
        self.unit = ComboBox(name="unit", label="Unit", choices=list(units), tooltip=_UNIT_TIP)
        for field in (self.number, self.unit):
            field.changed.connect(self._on_change)
        self._show_default()

    def nframes(self, rate: float, degrees: float = 0.0) -> int:
        """Return the number of frames.

        Parameters
        ----------
        rate : float
            Frames per second.
        degrees : float
            Angle of the whole move, for a length in degrees per frame.

        Raises
        ------
        InvalidImageError
            The number is not positive, or not a whole number of frames.
        """
        return count_frames(self.text, self.unit.value, self.defaults, rate=rate, degrees=degrees)

    @property
    def text(self) -> str:
        """The number as entered."""
        return str(self.number.value).strip()

    def fill(self, text: str, unit: object) -> None:
        """Set number and unit without a signal; skip an unknown unit."""
        with self.number.changed.blocked(), self.unit.changed.blocked():
            self.number.value = text
            if unit in self.unit.choices:
                self.unit.value = unit
        self._show_default()

    def _on_change(self, _: object = None) -> None:
        self._show_default()
        self.changed.emit()

    def _show_default(self) -> None:
        self.number.native.setPlaceholderText(f"{self.defaults[self.unit.value]:g}")


def count_frames(
    text: str, unit: str, defaults: dict[str, float], *, rate: float, degrees: float = 0.0
) -> int:
    """Return the number of frames of a length as entered; see `LengthFields.nframes`."""
    number = float(to_number(text, float, "length")) if text else defaults[unit]
    if not 0 < number < math.inf or (unit == FRAMES and not number.is_integer()):
        raise InvalidImageError(
            f"The length is {text}: enter a positive number; frames are whole numbers."
        )
    if unit == SECONDS:
        return max(1, round(number * rate))
    if unit == DEGREES:
        return max(1, round(abs(degrees) / number))
    return int(number)
