"""A picture of what an export will show, with a slider through its frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QLabel, QSizePolicy, QSlider, QVBoxLayout, QWidget

_HEIGHT = 150


class Preview(QWidget):
    """A frame of the movie to come, and a slider that asks for others."""

    wanted = Signal(int)
    """Number of the frame that somebody wants to see."""

    def __init__(self) -> None:
        super().__init__()
        self.picture = QLabel()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setFixedHeight(_HEIGHT)
        self.picture.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.picture.setAccessibleName("Preview of a frame")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip("Which frame of the movie is shown.")
        self.slider.setAccessibleName("Frame of the preview")
        self.slider.valueChanged.connect(self.wanted)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider)  # above, where it is in sight however long the form is
        layout.addWidget(self.picture)

    def set_count(self, count: int) -> None:
        """Say how many frames there are."""
        self.slider.setVisible(count > 1)
        if self.slider.maximum() != count - 1:
            self.slider.blockSignals(True)
            self.slider.setRange(0, max(0, count - 1))
            self.slider.blockSignals(False)

    @property
    def frame(self) -> int:
        """The frame that is to be shown."""
        return int(self.slider.value())

    def show_pixels(self, pixels: NDArray[np.uint8]) -> None:
        """Show a picture: axes y x, or y x s, as large as fits, without blurring what is small."""
        colors: NDArray[Any] = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, -1)
        height, width = colors.shape[:2]
        data = np.ascontiguousarray(colors[..., :3])
        image = QImage(data.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        smaller = height > _HEIGHT or width > self.width()
        way = Qt.TransformationMode
        self.picture.setPixmap(
            QPixmap.fromImage(image).scaled(
                self.width(),
                _HEIGHT,
                Qt.AspectRatioMode.KeepAspectRatio,
                way.SmoothTransformation if smaller else way.FastTransformation,
            )
        )

    def say(self, text: str) -> None:
        """Show words instead of a picture."""
        self.picture.clear()  # words that are as they were would leave the picture
        self.picture.setText(text)
