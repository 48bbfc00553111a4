"""Pixels as pictures of Qt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap

_FORMATS = {
    1: QImage.Format.Format_Grayscale8,
    3: QImage.Format.Format_RGB888,
    4: QImage.Format.Format_RGBA8888,
}
"""Number of samples of a pixel -> format."""


def to_qimage(pixels: NDArray[np.uint8]) -> QImage:
    """Return a picture of pixels: axes y x, or y x s with 3 or 4 samples."""
    height, width = pixels.shape[:2]
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    image = QImage(pixels.tobytes(), width, height, samples * width, _FORMATS[samples])
    return image.copy()  # the first one does not keep the bytes


def to_thumbnail(pixels: NDArray[np.uint8], side: int) -> QPixmap:
    """Return a picture of pixels that fits into a square, in pixels of the screen."""
    picture = QPixmap.fromImage(to_qimage(pixels))
    return picture.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio)
