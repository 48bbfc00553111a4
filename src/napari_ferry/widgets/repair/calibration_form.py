"""Form for the calibration of a recording: pixel size, unit, frame rate or z step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from magicgui.widgets import ComboBox, LineEdit
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QLabel, QWidget

from napari_ferry.codecs.binary.calibration import Calibration, Field
from napari_ferry.errors import InvalidImageError
from napari_ferry.widgets.form import lay_out, to_number
from napari_ferry.widgets.repair.repair_words import CALIBRATION_FIELDS, FRAME_AXES, UNITS, UNKNOWN


class CalibrationForm(QWidget):
    """Form with optional fields: unknown values are not written."""

    changed = Signal()
    """A field changed."""

    def __init__(self) -> None:
        super().__init__()
        words: dict[str, Any] = {
            name: {"label": each.label, "tooltip": each.tooltip}
            for name, each in CALIBRATION_FIELDS.items()
        }
        self.pixel_size = LineEdit(**words["pixel_size"])
        self.unit = ComboBox(choices=UNITS, **words["unit"])
        self.frame_axis = ComboBox(choices=FRAME_AXES, **words["frame_axis"])
        self.frame_rate = LineEdit(**words["frame_rate"])
        self.z_step = LineEdit(**words["z_step"])
        self.fields: dict[str, Any] = {
            "pixel_size": self.pixel_size,
            "unit": self.unit,
            "frame_axis": self.frame_axis,
            "frame_rate": self.frame_rate,
            "z_step": self.z_step,
        }
        lay_out(self, self.fields.values())
        labels = {label.buddy(): label for label in self.findChildren(QLabel)}
        self._labels = {name: labels[field.native] for name, field in self.fields.items()}

        for line in (self.pixel_size, self.frame_rate, self.z_step):
            line.native.setPlaceholderText(UNKNOWN)
        for field in self.fields.values():
            field.changed.connect(self._on_change)
        self._enable()

    def calibration(self) -> Calibration:
        """Return the calibration entered in the form.

        Raises
        ------
        InvalidImageError
            The text of a field is not a number above 0.
        """
        is_time = self.frame_axis.value == "t"
        step = _positive(self.frame_rate if is_time else self.z_step)
        if step is not None and is_time:
            step = 1 / step
        return Calibration(
            frame_axis=self.frame_axis.value,
            frame_step=step,
            pixel_size=_positive(self.pixel_size),
            unit=self.unit.value,
        )

    def show_calibration(self, calibration: Calibration) -> None:
        """Fill in a calibration without emitting `changed`."""
        texts = _texts(calibration)
        for name, field in self.fields.items():
            with field.changed.blocked():
                field.value = texts[name]
        self._enable()

    def differs_from(self, calibration: Calibration) -> frozenset[Field]:
        """Return the fields of a `Calibration` edited since it was filled in."""
        now = _group({name: field.value for name, field in self.fields.items()})
        before = _group(_texts(calibration))
        return frozenset(name for name, value in before.items() if value != now[name])

    def _on_change(self, _: object = None) -> None:
        self._enable()
        self.changed.emit()

    def _enable(self) -> None:
        self.frame_rate.enabled = self.frame_axis.value == "t"
        self.z_step.enabled = self.frame_axis.value == "z"
        for name in ("pixel_size", "z_step"):
            label = f"{CALIBRATION_FIELDS[name].label} ({self.unit.current_choice})"
            self.fields[name].native.setAccessibleName(label)
            self._labels[name].setText(label)


def _texts(calibration: Calibration) -> dict[str, str]:
    """Return the text of each field of the form for a calibration."""
    units = [name for _, name in UNITS]
    is_known_unit = calibration.unit in units
    is_time = calibration.frame_axis == "t"
    step = calibration.frame_step
    return {
        "pixel_size": _text(calibration.pixel_size if is_known_unit else None),
        "unit": calibration.unit if is_known_unit else units[0],
        "frame_axis": calibration.frame_axis,
        "frame_rate": _text(1 / step if is_time and step else None),
        "z_step": _text(None if is_time or not is_known_unit else step),
    }


def _group(texts: Mapping[str, str]) -> dict[Field, tuple[str, str]]:
    """Return text and unit of each field of a `Calibration`, from the texts of the form."""
    stripped = {name: text.strip() for name, text in texts.items()}
    pixel_size, z_step, unit = (stripped[name] for name in ("pixel_size", "z_step", "unit"))
    is_time = stripped["frame_axis"] == "t"
    return {
        "pixel_size": (pixel_size, pixel_size and unit),
        "frame_axis": (stripped["frame_axis"], ""),
        "frame_step": (stripped["frame_rate"], "") if is_time else (z_step, z_step and unit),
    }


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _positive(field: LineEdit) -> float | None:
    """Return the number in a field, or None if it is empty."""
    text = field.value.strip()
    if not text:
        return None
    name = field.label.partition(" (")[0].lower()
    value = float(to_number(text, float, name))
    if not 0 < value < math.inf:
        raise InvalidImageError(f"The {name} is {text!r}: enter a number above 0.")
    return value
