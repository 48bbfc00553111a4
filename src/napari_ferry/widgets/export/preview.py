"""Preview of a movie: one frame, and a slider to choose it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QLabel, QSizePolicy, QSlider, QVBoxLayout, QWidget

_HEIGHT = 150
"""Height of the preview in pixels."""


class Preview(QWidget):
    """One frame of the movie, and a slider to choose it."""

    frame_changed = Signal(int)
    """Number of the frame chosen with the slider."""

    def __init__(self) -> None:
        super().__init__()
        self.picture = QLabel()
        self.picture.setTextFormat(Qt.TextFormat.PlainText)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setFixedHeight(_HEIGHT)
        self.picture.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.picture.setAccessibleName("Preview of a frame")

        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip("Frame shown in the preview")
        self.slider.setAccessibleName("Frame of the preview")
        self.slider.valueChanged.connect(self.frame_changed)

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider)  # above the picture, to stay visible in a long form
        layout.addWidget(self.picture)

    def set_frame_count(self, count: int) -> None:
        """Set the number of frames of the movie."""
        self.slider.setVisible(count > 1)
        if self.slider.maximum() != count - 1:
            self.slider.blockSignals(True)
            self.slider.setRange(0, max(0, count - 1))
            self.slider.blockSignals(False)

    @property
    def frame(self) -> int:
        """Number of the frame to show."""
        return int(self.slider.value())

    def show_pixels(self, pixels: NDArray[np.uint8]) -> None:
        """Show a picture: axes y x, or y x s, scaled to fit, and without blur when enlarged."""
        colors: NDArray[Any] = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, -1)
        height, width = colors.shape[:2]
        data = np.ascontiguousarray(colors[..., :3])
        image = QImage(data.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)

        is_reduced = height > _HEIGHT or width > self.width()
        mode = Qt.TransformationMode
        self.picture.setPixmap(
            QPixmap.fromImage(image).scaled(
                self.width(),
                _HEIGHT,
                Qt.AspectRatioMode.KeepAspectRatio,
                mode.SmoothTransformation if is_reduced else mode.FastTransformation,
            )
        )

    def show_text(self, text: str) -> None:
        """Show text instead of a picture."""
        self.picture.clear()  # setting the same text again would not remove the picture
        self.picture.setText(text)
