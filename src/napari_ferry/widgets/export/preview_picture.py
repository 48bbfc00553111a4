"""Picture of a preview, with parts to drag."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QImage, QMouseEvent, QPixmap, QResizeEvent
from qtpy.QtWidgets import QLabel, QRubberBand, QSizePolicy

from napari_ferry.widgets.pictures import to_qimage

_HEIGHT = 160
"""Height of the picture in pixels."""

_SMALLEST = 4
"""Minimum side of a rectangle in pixels of the screen; a click is not a rectangle."""


class PreviewPicture(QLabel):
    """A picture scaled to fit, with overlays to drag; a part to export can be drawn on it."""

    dragged = Signal(str, str)
    """Corners in which the mouse button was pressed and released."""

    cropped = Signal(object)
    """A rectangle was drawn: first and last edge along y and x, as fractions of the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.image: QImage | None = None
        self.pressed: QPointF | None = None
        self.is_cropping = False
        self.band = QRubberBand(QRubberBand.Shape.Rectangle, self)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Preview of a frame")

    def show_pixels(self, pixels: NDArray[np.uint8]) -> None:
        """Show a picture: axes y x, or y x s; without blur when enlarged."""
        self.image = to_qimage(pixels[..., :3] if pixels.ndim == 3 else pixels)
        self._fit()

    def show_text(self, text: str) -> None:
        """Show text instead of a picture."""
        self.image = None
        self.clear()  # setting the same text again would not remove the picture
        self.setText(text)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Scale the picture to the new width."""
        super().resizeEvent(event)
        self._fit()

    def set_cropping(self, is_cropping: bool) -> None:
        """Let the next drag draw a rectangle instead of moving an overlay."""
        self.is_cropping = is_cropping
        shape = Qt.CursorShape.CrossCursor if is_cropping else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Start to drag the overlay of a corner, or a rectangle."""
        self.pressed = None if event is None else event.position()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Show the rectangle."""
        if event is not None and self.pressed is not None and self.is_cropping:
            rectangle = QRectF(self.pressed, event.position()).normalized()
            self.band.setGeometry(rectangle.toRect())
            self.band.show()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Report the drawn rectangle, or the old and new corners of a dragged overlay."""
        pressed, self.pressed = self.pressed, None
        self.band.hide()
        if event is None or pressed is None:
            return
        if self.is_cropping:
            self._report_rectangle(QRectF(pressed, event.position()).normalized())
            return
        corners = self._corner(pressed), self._corner(event.position())
        if corners[0] != corners[1]:
            self.dragged.emit(*corners)

    def _report_rectangle(self, rectangle: QRectF) -> None:
        """Report the part of a rectangle inside the picture."""
        size = self.pixmap().size()
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        inner = rectangle.intersected(QRectF(left, top, size.width(), size.height()))
        if min(inner.width(), inner.height()) < _SMALLEST:
            return
        rows = ((inner.top() - top) / size.height(), (inner.bottom() - top) / size.height())
        columns = ((inner.left() - left) / size.width(), (inner.right() - left) / size.width())
        self.cropped.emit((rows, columns))

    def _corner(self, point: QPointF) -> str:
        vertical = "top" if point.y() < self.height() / 2 else "bottom"
        return f"{vertical}_{'left' if point.x() < self.width() / 2 else 'right'}"

    def _fit(self) -> None:
        if self.image is None:
            return
        is_reduced = self.image.height() > _HEIGHT or self.image.width() > self.width()
        mode = Qt.TransformationMode
        self.setPixmap(
            QPixmap.fromImage(self.image).scaled(
                max(1, self.width()),
                _HEIGHT,
                Qt.AspectRatioMode.KeepAspectRatio,
                mode.SmoothTransformation if is_reduced else mode.FastTransformation,
            )
        )
