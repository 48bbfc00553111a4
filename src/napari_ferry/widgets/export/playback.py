"""Playback of a movie: its frame axis, and its speed as rate, length or factor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from magicgui.widgets import ComboBox, LineEdit
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_ferry.errors import InvalidImageError
from napari_ferry.movie.frame_rate import default_rate
from napari_ferry.widgets.form import lay_out, make_flow, to_number
from napari_ferry.widgets.form_words import (
    AXIS,
    FACTOR,
    FRAME_RATE,
    LENGTH,
    NO_TIME,
    REAL_TIME,
    SPEED,
    Words,
)

_PRESETS = (10, 15, 25, 30)
"""Frames per second to choose with one click."""

_NUMBER_WIDTH, _GAP = 42, 24
"""Width of a number, and distance between a label and the first button, in pixels."""

_SCREEN_RATE = 60
"""Frames per second of most screens."""


class PlaybackForm(QWidget):
    """Fields for the frame axis and the speed of a movie.

    Frame rate, length and factor of real time describe the same speed: the user enters one of
    them, and the others are computed.
    """

    changed = Signal()
    """A field changed."""

    step_requested = Signal(int)
    """The user requested to export only every n-th frame."""

    def __init__(self) -> None:
        super().__init__()
        self.axis = ComboBox(name="axis", label=AXIS.label, choices=[], tooltip=AXIS.tooltip)
        self.frame_rate = _line("frame_rate", FRAME_RATE)
        self.length = _line("length", LENGTH)
        self.speed = _line("speed", FACTOR)
        self.presets = [_preset(str(rate), f"{rate} frames per second") for rate in _PRESETS]
        self.real_time = _preset(REAL_TIME, "As fast as recorded")
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByKeyboard)

        self.frame_seconds: float | None = None
        self.nframes = 1
        self.entered = self.frame_rate
        self._lay_out()
        self._connect()
        self.set_frames(None, 1)

    def _lay_out(self) -> None:
        label = QLabel(SPEED.label)
        label.setToolTip(SPEED.tooltip)
        label.setMinimumWidth(label.fontMetrics().horizontalAdvance(SPEED.label) + _GAP)
        # rows that wrap in a narrow dock or with a large font
        buttons = make_flow([label, *self.presets, self.real_time])
        numbers = make_flow(
            [_with_unit(field) for field in (self.frame_rate, self.length, self.speed)]
        )

        self.axis_row = QWidget()
        lay_out(self.axis_row, [self.axis])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.axis_row)
        for part in (buttons, numbers, self.note):
            column.addWidget(part)

    def _connect(self) -> None:
        for rate, button in zip(_PRESETS, self.presets, strict=True):
            button.clicked.connect(lambda _=False, rate=rate: self._enter(self.frame_rate, rate))
        self.real_time.clicked.connect(lambda _=False: self._enter(self.speed, 1))
        for field in (self.frame_rate, self.length, self.speed):
            field.changed.connect(lambda _, field=field: self._on_entered(field))
        self.axis.changed.connect(self.changed.emit)
        self.note.linkActivated.connect(lambda step: self.step_requested.emit(int(step)))

    def set_axes(self, names: Sequence[str], default: str | None) -> None:
        """Offer axes; keep the selected one if it is among them, or else select the default."""
        selected = self.axis.value
        with self.axis.changed.blocked():  # the user has not selected anything
            if list(self.axis.choices) != list(names):
                self.axis.choices = list(names)
            if names:
                self.axis.value = selected if selected in names else default or names[0]
        self.axis_row.setVisible(len(names) > 1)

    def set_frames(self, seconds: float | None, nframes: int) -> None:
        """Set the frames of the movie.

        Parameters
        ----------
        seconds : float, optional
            Recorded time between two frames in seconds, if known.
        nframes : int
            Number of frames.
        """
        self.frame_seconds, self.nframes = seconds, max(1, nframes)
        self.speed.enabled = seconds is not None
        self.real_time.setEnabled(seconds is not None)

        rate = default_rate(seconds)
        self._show_placeholders(float(rate))
        self._compute_others()

    def set_rate(self, rate: Fraction | None, step: int) -> None:
        """Offer to leave out frames of a planned movie too fast for screens.

        Parameters
        ----------
        rate : Fraction, optional
            Frames per second; None if there is no movie.
        step : int
            Step between the frames that are exported now.
        """
        is_fast = rate is not None and rate > _SCREEN_RATE
        if rate is not None and is_fast:
            every = step * -(-rate // _SCREEN_RATE)
            link = f'<a href="{every}">export every {_ordinal(every)} frame</a>'
            self.note.setText(f"Screens show {_SCREEN_RATE} frames per second: {link}")
        self.note.setVisible(is_fast)

    def values(self) -> dict[str, Any]:
        """Return the options ``axis`` and ``frame_rate``, or None for an empty field.

        Raises
        ------
        InvalidImageError
            The text of a field is not a positive number.
        """
        return {"axis": self.axis.value, "frame_rate": self._entered_rate()}

    @property
    def entered_rate(self) -> float | None:
        """Frames per second if the user entered these, or else None.

        Raises
        ------
        InvalidImageError
            The text of the field is not a number.
        """
        return self._entered_rate() if self.entered is self.frame_rate else None

    def slow_down(self, factor: float) -> None:
        """Divide an entered frame rate, to keep the length of a movie with fewer frames."""
        rate = self.entered_rate
        if rate is not None:
            self._enter(self.frame_rate, f"{rate / factor:.6g}")

    def set_moving(self, is_moving: bool) -> None:
        """Offer only frames per second for a moving camera: its moves determine the length."""
        self.length.enabled = not is_moving

    def texts(self) -> dict[str, str]:
        """Return the factor of real time if it was entered; other speeds suit one recording."""
        return {"speed": self.speed.value} if self.entered is self.speed else {}

    def fill(self, texts: Mapping[str, Any]) -> None:
        """Enter texts returned by `texts`."""
        text = texts.get("speed")
        if isinstance(text, str) and text:
            self._enter(self.speed, text)

    def forget_rate(self) -> None:
        """Clear a rate or length entered for another recording."""
        if self.entered is not self.speed:
            self._enter(self.frame_rate, "")

    # --- one speed in three fields ----------------------------------------------------------

    def _enter(self, field: Any, text: object) -> None:
        """Enter a text as the user would."""
        with field.changed.blocked():
            field.value = str(text)
        self._on_entered(field)

    def _on_entered(self, field: Any) -> None:
        self.entered = field
        self._compute_others()
        self.changed.emit()

    def _entered_rate(self) -> float | None:
        """Return the entered frames per second, or None if nothing is entered."""
        text = self.entered.value.strip()
        if not text:
            return None
        number: float = to_number(text, float, f"number {self.entered.label}")
        if not math.isfinite(number):
            number = 0.0  # refused like it
        if self.entered is self.frame_rate:
            return number
        if not number > 0:
            raise InvalidImageError(
                f"The speed is {text!r} {self.entered.label}: enter a positive number, or leave "
                "the field empty."
            )
        if self.entered is self.length:
            return self.nframes / number
        return None if self.frame_seconds is None else number / self.frame_seconds

    def _compute_others(self) -> None:
        """Compute the fields not entered by the user."""
        try:
            rate = self._entered_rate()
        except InvalidImageError:  # reported when the options are read
            return
        texts = dict.fromkeys((self.frame_rate, self.length, self.speed), "")
        if rate is not None and rate > 0:
            texts[self.frame_rate] = f"{rate:.6g}"
            texts[self.length] = f"{self.nframes / rate:.6g}"
            if self.frame_seconds is not None:
                texts[self.speed] = f"{rate * self.frame_seconds:.6g}"
        for field, text in texts.items():
            if field is not self.entered:
                with field.changed.blocked():
                    field.value = text
                field.native.setCursorPosition(0)  # a short field shows the first digits
        self._check_presets(rate)

    def _check_presets(self, rate: float | None) -> None:
        """Show the preset equal to the entered rate as pressed."""
        for preset, button in zip(_PRESETS, self.presets, strict=True):
            button.setChecked(rate == preset)
        seconds = self.frame_seconds
        self.real_time.setChecked(
            rate is not None and seconds is not None and abs(rate * seconds - 1) < 1e-6
        )

    def _show_placeholders(self, rate: float) -> None:
        """Show default values in the empty fields."""
        seconds = self.frame_seconds
        self.frame_rate.native.setPlaceholderText(f"{rate:.6g}")
        self.length.native.setPlaceholderText(f"{self.nframes / rate:.6g}")
        self.speed.native.setPlaceholderText(
            NO_TIME if seconds is None else f"{rate * seconds:.4g}"
        )


def _line(name: str, words: Words) -> LineEdit:
    return LineEdit(name=name, label=words.label, tooltip=words.tooltip)


def _with_unit(field: LineEdit) -> QWidget:
    """Return a short field for a number, followed by its unit."""
    field.native.setFixedWidth(_NUMBER_WIDTH)
    field.native.setAccessibleName(field.label)
    unit = QLabel(field.label)
    unit.setToolTip(field.tooltip)
    unit.setBuddy(field.native)
    pair = QWidget()
    row = QHBoxLayout(pair)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(3)
    row.addWidget(field.native)
    row.addWidget(unit)
    return pair


def _preset(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setAccessibleName(tooltip)
    button.setCheckable(True)
    button.setMinimumWidth(button.fontMetrics().horizontalAdvance(text) + 14)
    return button


def _ordinal(number: int) -> str:
    """Return the ordinal of a number above 1 in digits.

    >>> _ordinal(2), _ordinal(3), _ordinal(11), _ordinal(22)
    ('2nd', '3rd', '11th', '22nd')
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"
