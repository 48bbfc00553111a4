"""Playback of a movie: its frame axis and its speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from magicgui.widgets import ComboBox, LineEdit
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QWidget

from napari_ferry.errors import InvalidImageError
from napari_ferry.movie.frame_rate import default_rate
from napari_ferry.widgets.form import lay_out, to_number

_AXIS_TIP = "Slider whose steps become the frames of the movie"
_RATE_TIP = "Frames per second. Empty: real time if that is 5 to 60 per second, otherwise 10."
_SPEED_TIP = "Playback speed relative to real time. The frame rate follows from it."
_NO_TIME_UNIT = "time axis without unit"


class PlaybackForm(QWidget):
    """Fields for frame axis, frame rate and playback speed.

    The user enters frame rate or speed; the other field is computed.
    """

    changed = Signal()
    """A field changed."""

    def __init__(self) -> None:
        super().__init__()
        self.axis = ComboBox(name="axis", label="Animate axis", choices=[], tooltip=_AXIS_TIP)
        self.frame_rate = LineEdit(name="frame_rate", label="Frame rate (1/s)", tooltip=_RATE_TIP)
        self.speed = LineEdit(name="speed", label="Speed (× real time)", tooltip=_SPEED_TIP)
        fields = (self.axis, self.frame_rate, self.speed)
        lay_out(self, fields)

        self.frame_seconds: float | None = None
        self.entered = self.frame_rate
        self.frame_rate.changed.connect(self._on_frame_rate)
        self.speed.changed.connect(self._on_speed)
        for field in fields:
            field.changed.connect(self.changed.emit)
        self.set_frame_seconds(None)

    def set_axes(self, names: Sequence[str], default: str | None) -> None:
        """Offer axes; keep the selected one if it is among them, or else select the default."""
        selected = self.axis.value
        with self.axis.changed.blocked():  # the user has not selected anything
            if list(self.axis.choices) != list(names):
                self.axis.choices = list(names)
            if names:
                self.axis.value = selected if selected in names else default or names[0]

    def set_frame_seconds(self, seconds: float | None) -> None:
        """Set the recorded time between two frames in seconds, or ``None`` if unknown."""
        self.frame_seconds = seconds
        self.speed.enabled = seconds is not None

        rate = float(default_rate(seconds))
        self.frame_rate.native.setPlaceholderText(f"{rate:.6g} per second")
        speed = _NO_TIME_UNIT if seconds is None else f"{rate * seconds:.4g}"
        self.speed.native.setPlaceholderText(speed)
        self._update_computed_field()

    def values(self) -> dict[str, Any]:
        """Return the options ``axis`` and ``frame_rate``, or None for an empty field.

        Raises
        ------
        InvalidImageError
            The text of a field is not a number.
        """
        text = self.frame_rate.value.strip()
        rate = to_number(text, float, "frame rate") if text else None
        return {"axis": self.axis.value, "frame_rate": rate}

    def texts(self) -> dict[str, str]:
        """Return the frame rate or speed as entered, by field name."""
        return {self.entered.name: self.entered.value}

    def fill(self, texts: Mapping[str, Any]) -> None:
        """Enter texts returned by `texts`."""
        for field in (self.frame_rate, self.speed):
            text = texts.get(field.name)
            if isinstance(text, str):
                self.entered = field
                field.value = text

    def _on_frame_rate(self, _: Any = None) -> None:
        self.entered = self.frame_rate
        self._update_computed_field()

    def _on_speed(self, _: Any = None) -> None:
        self.entered = self.speed
        self._update_computed_field()

    def _update_computed_field(self) -> None:
        """Compute the frame rate from the entered speed, or the speed from the frame rate."""
        is_rate = self.entered is self.frame_rate
        computed = self.speed if is_rate else self.frame_rate
        seconds = self.frame_seconds
        factor = 0 if seconds is None else seconds if is_rate else 1 / seconds

        try:
            text = self.entered.value.strip()
            number = to_number(text, float, "number") * factor if text else 0
        except InvalidImageError:  # reported when the options are read
            return
        with computed.changed.blocked():
            computed.value = f"{number:.6g}" if number else ""
