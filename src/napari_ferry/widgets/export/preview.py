"""Preview of a movie: one frame, playback, and handles for the first and the last frame."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSignalBlocker, Qt, QTimer, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget
from superqt import QRangeSlider

from napari_ferry.widgets.export.preview_picture import PreviewPicture

_PLAY, _PAUSE = "▶", "⏸"

_INTERVAL = 40
"""Milliseconds between frames while the preview plays."""


class Preview(QWidget):
    """One frame of a movie, with a slider to choose it and a range to export."""

    frame_changed = Signal(int)
    """Position on the frame axis to show."""

    range_changed = Signal(int, object)
    """First position to export, and first excluded position or None for the end."""

    overlay_moved = Signal(str, str)
    """An overlay was dragged from one corner to another one, such as ``"top_left"``."""

    cropped = Signal(object)
    """A rectangle was drawn: first and last edge along y and x, as fractions of the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.size_on_axis = 1
        self.rate = 10.0
        self.step_seconds: float | None = None
        self.is_playing = False
        self.played_from = (0.0, 0)
        self._make_parts()
        self._lay_out()
        self._connect()
        self.set_axis(1, None)

    def _make_parts(self) -> None:
        self.picture = PreviewPicture()
        self.play_button = QToolButton()
        self.play_button.setText(_PLAY)
        self.play_button.setToolTip("Play the preview at the speed of the movie")
        self.play_button.setAccessibleName("Play the preview")
        self.crop_button = QToolButton()
        self.crop_button.setText("Crop")
        self.crop_button.setCheckable(True)
        self.crop_button.setToolTip("Drag a rectangle over the preview to export only this part")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip("Frame shown in the preview")
        self.slider.setAccessibleName("Frame of the preview")
        self.count = QLabel()
        self.count.setAccessibleName("Number and time of the frame")
        self.range = QRangeSlider(Qt.Orientation.Horizontal)  # type: ignore[no-untyped-call]
        self.range.setToolTip("Drag the ends to export a part of the movie")
        self.range.setAccessibleName("First and last frame of the movie")
        self.timer = QTimer(self)
        self.timer.setInterval(_INTERVAL)

    def _lay_out(self) -> None:
        self.controls = QWidget()
        row = QHBoxLayout(self.controls)
        row.setContentsMargins(0, 0, 0, 0)
        for part in (self.play_button, self.slider, self.count, self.crop_button):
            row.addWidget(part)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.picture)
        layout.addWidget(self.controls)
        layout.addWidget(self.range)

    def _connect(self) -> None:
        self.slider.valueChanged.connect(self._on_slider)
        self.range.valueChanged.connect(self._on_range)
        self.play_button.clicked.connect(self._toggle_playback)
        self.timer.timeout.connect(self._play)
        self.picture.dragged.connect(self.overlay_moved)
        self.picture.cropped.connect(self._on_cropped)
        self.crop_button.toggled.connect(self.picture.set_cropping)

    def _on_cropped(self, edges: object) -> None:
        self.crop_button.setChecked(False)
        self.cropped.emit(edges)

    # --- the movie --------------------------------------------------------------------------

    def set_axis(self, size: int, step_seconds: float | None) -> None:
        """Set the number of positions on the frame axis, and the time between two of them."""
        self.step_seconds = step_seconds
        if size != self.size_on_axis:
            self.size_on_axis = size
            last = max(0, size - 1)
            with QSignalBlocker(self.slider), QSignalBlocker(self.range):
                self.slider.setRange(0, last)
                self.range.setRange(0, max(1, last))
                self.range.setValue((0, max(1, last)))
        for part in (self.play_button, self.slider, self.count):
            part.setVisible(size > 1)
        self.range.setVisible(size > 1)
        self._show_count()

    def show_still(self) -> None:
        """Hide the controls for other frames, as the picture shows the viewer."""
        self.stop()
        for part in (self.play_button, self.slider, self.count):
            part.setVisible(False)

    def set_range(self, positions: range) -> None:
        """Show the range of exported positions."""
        if len(positions) and not self.range.isSliderDown():
            with QSignalBlocker(self.range):
                self.range.setValue((positions[0], max(positions[-1], positions[0] + 1)))

    def set_rate(self, rate: Fraction | None, step: int) -> None:
        """Set the speed of playback: the frames per second, each ``step`` positions apart."""
        self.rate = 10.0 if rate is None else float(rate) * step

    @property
    def position(self) -> int:
        """Position on the frame axis to show."""
        return int(self.slider.value())

    def move_to(self, position: int) -> None:
        """Show another position, without a signal."""
        with QSignalBlocker(self.slider):
            self.slider.setValue(position)
        self._show_count()

    @property
    def range_ends(self) -> tuple[int, int]:
        """First and last position to export."""
        first, last = map(int, self.range.value())
        return first, last

    def show_pixels(self, pixels: NDArray[np.uint8]) -> None:
        """Show a picture: axes y x, or y x s; uint8."""
        self.picture.show_pixels(pixels)

    def show_text(self, text: str) -> None:
        """Show text instead of a picture, and stop playing."""
        self.stop()
        self.picture.show_text(text)

    # --- playback ---------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop playing."""
        self.is_playing = False
        self.timer.stop()
        self.play_button.setText(_PLAY)

    def _toggle_playback(self) -> None:
        if self.is_playing:
            self.stop()
            self.frame_changed.emit(self.position)
            return
        self.is_playing = True
        self.played_from = (time.monotonic(), self.position)
        self.play_button.setText(_PAUSE)
        self.timer.start()

    def _play(self) -> None:
        """Show the frame due now; frames are skipped if drawing is too slow."""
        started, first = self.played_from
        begin, end = self.range_ends
        passed = int((time.monotonic() - started) * self.rate)
        position = begin + (first - begin + passed) % (end - begin + 1)
        if position != self.position:
            self.slider.setValue(position)

    def _on_slider(self, position: int) -> None:
        if self.is_playing and self.slider.isSliderDown():
            self.stop()
        self._show_count()
        self.frame_changed.emit(position)

    def _on_range(self, ends: tuple[int, int]) -> None:
        first, last = ends
        self.range_changed.emit(int(first), None if last >= self.size_on_axis - 1 else last + 1)

    def _show_count(self) -> None:
        text = f"{self.position + 1} / {self.size_on_axis}"
        if self.step_seconds is not None:
            text += f", {self.position * self.step_seconds:.4g} s"
        self.count.setText(text)
