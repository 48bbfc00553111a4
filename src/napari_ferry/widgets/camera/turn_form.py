"""Form of a turn of the camera."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from magicgui.widgets import ComboBox, LineEdit
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QWidget

from napari_ferry.plugin.camera_moves import Turn
from napari_ferry.widgets.camera.length_fields import (
    DEGREES,
    FRAMES,
    SECONDS,
    UNITS,
    LengthFields,
)
from napari_ferry.widgets.form import lay_out, to_number

EASINGS = (("Constant", "linear"), ("Smooth", "smooth"))

_AXES = (
    ("Vertical", "vertical"),
    ("Horizontal", "horizontal"),
    ("View direction", "view"),
)
_DEFAULT_DEGREES = 360.0
_DEFAULTS = {SECONDS: 12.0, FRAMES: 360.0, DEGREES: 1.0}

_DEGREES_TIP = "Angle of the whole turn; a negative one turns the other way."
_AXIS_TIP = "Axis of the turn on the screen: upward, to the right, or into the screen."
_LENGTH_TIP = "Length of the whole turn, or the angle of each frame."
_EASING_TIP = "Constant speed, which repeats without a pause, or a slow start and end (smooth)."
_SLIDER_TIP = "Slider that plays from its first to its last step during the turn."


class TurnForm(QWidget):
    """Fields of a turn."""

    changed = Signal()
    """The value of a field changed."""

    def __init__(self) -> None:
        super().__init__()
        self.degrees = LineEdit(name="degrees", label="Degrees", tooltip=_DEGREES_TIP)
        self.degrees.native.setPlaceholderText(f"{_DEFAULT_DEGREES:g}")
        self.axis = ComboBox(name="axis", label="Axis", choices=list(_AXES), tooltip=_AXIS_TIP)
        self.length = LengthFields(
            self,
            label="Length",
            tooltip=_LENGTH_TIP,
            defaults=_DEFAULTS,
            units=(*UNITS, ("Degrees per frame", DEGREES)),
        )
        self.easing = ComboBox(
            name="easing", label="Speed", choices=list(EASINGS), tooltip=_EASING_TIP
        )
        self.slider = ComboBox(name="slider", label="Play slider", tooltip=_SLIDER_TIP)
        self.set_sliders([])

        length = (self.length.number, self.length.unit)
        lay_out(self, [self.degrees, self.axis, *length, self.easing, self.slider])
        for field in (self.degrees, self.axis, self.easing, self.slider):
            field.changed.connect(self._on_change)
        self.length.changed.connect(self.changed)

    def set_sliders(self, labels: Sequence[str]) -> None:
        """Offer sliders to play; keep the selected one if it is among them."""
        choices = [("None", ""), *((label, label) for label in labels)]
        selected = self.slider.value
        with self.slider.changed.blocked():
            self.slider.choices = choices
            self.slider.value = selected if selected in labels else ""

    def turn(self, rate: float) -> Turn:
        """Return the turn at a number of frames per second.

        Raises
        ------
        InvalidImageError
            The text of a field is not a valid number.
        """
        text = self.degrees.value.strip()
        degrees = float(to_number(text, float, "angle")) if text else _DEFAULT_DEGREES
        return Turn(
            nframes=self.length.nframes(rate, degrees),
            degrees=degrees,
            axis=self.axis.value,
            easing=self.easing.value,
            slider=self.slider.value or None,
            frame_rate=rate,
        )

    def texts(self) -> dict[str, str]:
        """Return the contents of the fields worth storing, as plain JSON values."""
        return {
            "degrees": self.degrees.value,
            "axis": self.axis.value,
            "length": self.length.number.value,
            "unit": self.length.unit.value,
            "easing": self.easing.value,
        }

    def fill(self, texts: Mapping[str, Any]) -> None:
        """Set the contents of fields; skip invalid values."""
        if isinstance(text := texts.get("degrees"), str):
            self.degrees.value = text
        if isinstance(text := texts.get("length"), str):
            self.length.fill(text, texts.get("unit"))
        for field in (self.axis, self.easing):
            if texts.get(field.name) in field.choices:
                field.value = texts[field.name]
        self.changed.emit()

    def _on_change(self, _: object = None) -> None:
        self.changed.emit()
