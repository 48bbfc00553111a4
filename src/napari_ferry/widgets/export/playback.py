"""How a movie plays: which axis runs, and how fast, in frames per second or times real time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from magicgui.widgets import ComboBox, LineEdit
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QWidget

from napari_ferry.errors import InvalidImageError
from napari_ferry.movie.frame_rate import default_rate
from napari_ferry.widgets.form import lay_out, to_number

_RATE_TIP = "Frames per second. Empty: real time where that is 5 to 60 per second, otherwise 10."
_SPEED_TIP = "How many times faster than it happened the movie runs; the frame rate follows."
_NO_CLOCK = "time axis without unit"


class PlayForm(QWidget):
    """Axis, frame rate and speed; of the last two, either can be typed, and the other follows."""

    changed = Signal()
    """Something else was chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.axis = ComboBox(
            name="axis", label="runs along", choices=[], tooltip="Which slider runs in the movie."
        )
        self.frame_rate = LineEdit(name="frame_rate", label="frame rate", tooltip=_RATE_TIP)
        self.speed = LineEdit(name="speed", label="x real time", tooltip=_SPEED_TIP)
        fields = (self.axis, self.frame_rate, self.speed)
        lay_out(self, fields)
        self.seconds: float | None = None
        self.typed = self.frame_rate
        self.frame_rate.changed.connect(self._rate_was_typed)
        self.speed.changed.connect(self._speed_was_typed)
        for field in fields:
            field.changed.connect(self.changed.emit)
        self.set_clock(None)

    def set_axes(self, names: Sequence[str], shown: str | None) -> None:
        """Offer axes, and choose the one that was chosen, or else the one that time suggests."""
        chosen = self.axis.value
        with self.axis.changed.blocked():  # nobody has chosen anything
            if list(self.axis.choices) != list(names):
                self.axis.choices = list(names)
            if names:
                self.axis.value = chosen if chosen in names else shown or names[0]

    def set_clock(self, seconds: float | None) -> None:
        """Say how many seconds passed from one frame to the next, ``None`` where nobody knows."""
        self.seconds = seconds
        self.speed.enabled = seconds is not None
        rate = float(default_rate(seconds))
        self.frame_rate.native.setPlaceholderText(f"{rate:.6g} per second")
        speed = _NO_CLOCK if seconds is None else f"{rate * seconds:.4g}"
        self.speed.native.setPlaceholderText(speed)
        self._follow()

    def values(self) -> dict[str, Any]:
        """Return the options of a movie: the axis, and the frame rate where one was typed.

        Raises
        ------
        InvalidImageError
            A field holds something that is no number.
        """
        text = self.frame_rate.value.strip()
        rate = to_number(text, float, "frame rate") if text else None
        return {"axis": self.axis.value, "frame_rate": rate}

    def texts(self) -> dict[str, str]:
        """Return what was typed, frame rate or speed, to fill it in at another time."""
        return {self.typed.name: self.typed.value}

    def fill(self, texts: Mapping[str, Any]) -> None:
        """Put back what was typed."""
        for field in (self.frame_rate, self.speed):
            text = texts.get(field.name)
            if isinstance(text, str):
                self.typed = field
                field.value = text

    def _rate_was_typed(self, _: Any = None) -> None:
        self.typed = self.frame_rate
        self._follow()

    def _speed_was_typed(self, _: Any = None) -> None:
        self.typed = self.speed
        self._follow()

    def _follow(self) -> None:
        """Write into the other field what was typed into one means."""
        is_rate = self.typed is self.frame_rate
        other = self.speed if is_rate else self.frame_rate
        seconds = self.seconds
        factor = 0 if seconds is None else seconds if is_rate else 1 / seconds
        try:
            text = self.typed.value.strip()
            number = to_number(text, float, self.typed.label) * factor if text else 0
        except InvalidImageError:  # said where the options are read
            return
        with other.changed.blocked():
            other.value = f"{number:.6g}" if number else ""
