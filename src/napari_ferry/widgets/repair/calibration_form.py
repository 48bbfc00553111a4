"""What the axes of a recording mean: pixel size, unit, frame rate or steps in depth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from magicgui.widgets import ComboBox, LineEdit
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QWidget

from napari_ferry.codecs.binary.calibration import Calibration, Field
from napari_ferry.errors import InvalidImageError
from napari_ferry.widgets.form import lay_out, to_number

_UNITS = (("µm", "micrometer"), ("nm", "nanometer"), ("mm", "millimeter"))
_LEADS = (("a movie in time", "t"), ("planes in depth", "z"))
_UNKNOWN = "not known"


class MeaningForm(QWidget):
    """Fields that may stay empty: what is not known is not written."""

    changed = Signal()
    """Something else stands in a field."""

    def __init__(self) -> None:
        super().__init__()
        self.pixel = LineEdit(label="pixel size", tooltip="From pixel to pixel, along y and x.")
        self.unit = ComboBox(label="unit", choices=_UNITS, tooltip="Unit of the pixel size.")
        self.lead = ComboBox(label="frames are", choices=_LEADS, tooltip="What frames follow.")
        self.rate = LineEdit(label="frame rate", tooltip="Frames per second.")
        self.z_step = LineEdit(label="z step", tooltip="From plane to plane, in the same unit.")
        self.fields: list[Any] = [self.pixel, self.unit, self.lead, self.rate, self.z_step]
        lay_out(self, self.fields)
        for line, says in ((self.pixel, ""), (self.rate, " (per second)"), (self.z_step, "")):
            line.native.setPlaceholderText(_UNKNOWN + says)
        for field in self.fields:
            field.changed.connect(self._on_change)
        self._enable()

    def meaning(self) -> Calibration:
        """Return what stands in the fields.

        Raises
        ------
        InvalidImageError
            A field holds no number above 0.
        """
        is_time = self.lead.value == "t"
        step = _positive(self.rate if is_time else self.z_step)
        if step is not None and is_time:
            step = 1 / step
        return Calibration(
            frame_axis=self.lead.value,
            frame_step=step,
            pixel_size=_positive(self.pixel),
            unit=self.unit.value,
        )

    def show_meaning(self, meaning: Calibration) -> None:
        """Fill the fields; nobody is told."""
        for field, value in zip(self.fields, _values(meaning), strict=True):
            with field.changed.blocked():
                field.value = value
        self._enable()

    def differs_from(self, meaning: Calibration) -> frozenset[Field]:
        """Return the fields of a `Calibration` that differ from the form filled with it."""
        now = _by_field([field.value for field in self.fields])
        return frozenset(
            name for name, value in _by_field(_values(meaning)).items() if value != now[name]
        )

    def _on_change(self, _: object = None) -> None:
        self._enable()
        self.changed.emit()

    def _enable(self) -> None:
        self.rate.enabled = self.lead.value == "t"
        self.z_step.enabled = self.lead.value == "z"


def _values(meaning: Calibration) -> list[str]:
    """Return what stands in each field of a form that is filled with a meaning."""
    units = [name for _, name in _UNITS]
    known = meaning.unit in units
    is_time = meaning.frame_axis == "t"
    return [
        _text(meaning.pixel_size if known else None),
        meaning.unit if known else units[0],
        meaning.frame_axis,
        _text(1 / meaning.frame_step if is_time and meaning.frame_step else None),
        _text(None if is_time or not known else meaning.frame_step),
    ]


def _by_field(values: Sequence[str]) -> dict[Field, tuple[str, str]]:
    """Return what the values of a form say of each field of a `Calibration`."""
    pixel, unit, lead, rate, z_step = (value.strip() for value in values)
    step = (rate, "") if lead == "t" else (z_step, z_step and unit)
    return {
        "pixel_size": (pixel, pixel and unit),
        "frame_axis": (lead, ""),
        "frame_step": step,
    }


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _positive(field: LineEdit) -> float | None:
    """Return the number that stands in a field, None where nothing does."""
    text = field.value.strip()
    if not text:
        return None
    value = float(to_number(text, float, field.label))
    if not 0 < value < math.inf:
        raise InvalidImageError(f"The {field.label} is {text!r}: enter a number above 0.")
    return value
