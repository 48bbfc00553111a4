"""List of key frames, with thumbnails to drag to another place."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QIcon, QKeyEvent, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem

from napari_ferry.plugin.view_state import ViewState, capture_view
from napari_ferry.widgets.pictures import to_qimage

if TYPE_CHECKING:
    from napari import Viewer

_WIDTH, _HEIGHT = 64, 48
"""Maximum size of a thumbnail in pixels."""

_ROWS = 4
"""Number of rows visible without scrolling."""

_TIP = (
    "Click a key frame, or select it and press Enter, to show it. Drag it, or press Alt and an "
    "arrow key, to move it. Press Delete to remove it."
)


class KeyFrameItem(QListWidgetItem):
    """A captured view, and the length and easing of the way to the next one as entered."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.setFlags(self.flags() & ~Qt.ItemFlag.ItemIsDropEnabled)  # Qt would replace this one
        self.length, self.unit, self.easing = "", "", ""
        self.capture(viewer)

    def capture(self, viewer: Viewer) -> None:
        """Take over the current view, with a thumbnail."""
        self.view: ViewState = capture_view(viewer)
        thumbnail = _thumbnail(viewer.screenshot(flash=False))
        icon = QIcon(thumbnail)
        icon.addPixmap(thumbnail, QIcon.Mode.Selected)  # Qt would tint it
        self.setIcon(icon)


class KeyFrameList(QListWidget):
    """List of key frames in their order."""

    reordered = Signal()
    """Key frames were added, removed or moved."""

    chosen = Signal(object)
    """The key frame to show."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Key frames")
        self.setToolTip(_TIP)
        self.setIconSize(QSize(_WIDTH, _HEIGHT))
        self.setFixedHeight(_ROWS * (_HEIGHT + 6))
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        model = self.model()
        assert model is not None
        model.rowsMoved.connect(self._on_moved)
        self.itemClicked.connect(self._choose_current)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Show, move or remove the selected key frame."""
        assert event is not None
        key, is_alt = event.key(), bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose_current()
        elif key == Qt.Key.Key_Delete:
            self.remove_current()
        elif is_alt and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.move_current(-1 if key == Qt.Key.Key_Up else 1)
        else:
            super().keyPressEvent(event)

    def key_frames(self) -> list[KeyFrameItem]:
        """Return the key frames in their order."""
        return [cast("KeyFrameItem", self.item(row)) for row in range(self.count())]

    @property
    def current(self) -> KeyFrameItem | None:
        """The selected key frame."""
        return cast("KeyFrameItem | None", self.currentItem())

    def insert(self, item: KeyFrameItem) -> None:
        """Insert a key frame after the selected one, and select it."""
        row = self.currentRow()
        self.insertItem(self.count() if row < 0 else row + 1, item)
        self.setCurrentItem(item)
        self.reordered.emit()

    def remove_current(self) -> None:
        """Remove the selected key frame."""
        if self.current is not None:
            self.takeItem(self.currentRow())
            self.reordered.emit()

    def move_current(self, rows: int) -> None:
        """Move the selected key frame down by a number of rows, or up by a negative one."""
        row, item = self.currentRow(), self.current
        if item is not None and 0 <= row + rows < self.count():
            self.takeItem(row)
            self.insertItem(row + rows, item)
            self.setCurrentItem(item)
            self.reordered.emit()

    def _choose_current(self, _: object = None) -> None:
        if self.current is not None:
            self.chosen.emit(self.current)

    def _on_moved(self, *_: object) -> None:
        self.reordered.emit()


def _thumbnail(picture: NDArray[np.uint8]) -> QPixmap:
    """Return a picture, axes y x s with four samples, scaled to the size of a thumbnail."""
    return QPixmap.fromImage(to_qimage(picture)).scaled(
        _WIDTH,
        _HEIGHT,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
