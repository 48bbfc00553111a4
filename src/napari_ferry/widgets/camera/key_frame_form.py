"""Form of key frames: their list, and the way from each to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_ferry.errors import InvalidImageError
from napari_ferry.plugin.camera_moves import KeyFrame, KeyFrames
from napari_ferry.widgets.camera.key_frame_list import KeyFrameItem, KeyFrameList
from napari_ferry.widgets.camera.length_fields import (
    FRAMES,
    SECONDS,
    LengthFields,
    count_frames,
)
from napari_ferry.widgets.camera.turn_form import EASINGS
from napari_ferry.widgets.form import lay_out, make_flow

if TYPE_CHECKING:
    from napari import Viewer

_DEFAULTS = {SECONDS: 2.0, FRAMES: 60.0}

_LENGTH_TIP = "Time from the selected key frame to the next one"
_EASING_TIP = "Constant speed to the next key frame, or a slow start and end (smooth)"


class KeyFrameForm(QWidget):
    """List of key frames, buttons to edit it, and fields for the selected one.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer whose views are captured.
    """

    changed = Signal()
    """The key frames or their lengths changed."""

    chosen = Signal(object)
    """The view to show."""

    captured = Signal()
    """A view is about to be captured."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.list = KeyFrameList()
        self.length = LengthFields(
            self, label="Time to next", tooltip=_LENGTH_TIP, defaults=_DEFAULTS
        )
        self.easing = ComboBox(
            name="easing", label="Speed", choices=list(EASINGS), tooltip=_EASING_TIP
        )
        self.easing.value = "smooth"
        self._lay_out()

        self.list.reordered.connect(self._on_change)
        self.list.currentItemChanged.connect(self._show_current)
        self.list.chosen.connect(lambda item: self.chosen.emit(item.view))
        self.length.changed.connect(self._on_field)
        self.easing.changed.connect(self._on_field)
        self._on_change()

    def _lay_out(self) -> None:
        self.add_button = _button("Add", "Add the current view after the selected one.", self.add)
        self.update_button = _button(
            "Update", "Replace the selected key frame by the current view.", self.update_current
        )
        self.remove_button = _button(
            "Remove", "Remove the selected key frame.", self.list.remove_current
        )
        self.up_button = _button("↑", "Move up", lambda: self.list.move_current(-1))
        self.down_button = _button("↓", "Move down", lambda: self.list.move_current(1))
        buttons = make_flow(self._buttons())  # in two rows with a large font

        fields = QWidget()
        lay_out(fields, [self.length.number, self.length.unit, self.easing])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(buttons)
        column.addWidget(self.list)
        column.addWidget(fields)

    def _buttons(self) -> tuple[QPushButton, ...]:
        edit = (self.update_button, self.remove_button, self.up_button, self.down_button)
        return (self.add_button, *edit)

    def add(self) -> None:
        """Add the current view, with the length and easing shown."""
        self.captured.emit()
        item = KeyFrameItem(self.viewer)
        self._store_fields(item)
        self.list.insert(item)

    def update_current(self) -> None:
        """Replace the view of the selected key frame."""
        item = self.list.current
        if item is not None:
            self.captured.emit()
            item.capture(self.viewer)
            self._on_change()

    def key_frames(self, rate: float) -> KeyFrames:
        """Return the key frames at a number of frames per second.

        Raises
        ------
        InvalidImageError
            There are fewer than two key frames, or a length is not a valid number.
        """
        items = self.list.key_frames()
        if len(items) < 2:
            raise InvalidImageError(
                f"There {'is one key frame' if items else 'are no key frames'}, but a move needs "
                "two: arrange the view, and click Add."
            )

        keys = [
            KeyFrame(
                view=item.view,
                nframes=count_frames(item.length, item.unit, _DEFAULTS, rate=rate),
                easing="smooth" if item.easing == "smooth" else "linear",
            )
            for item in items
        ]
        return KeyFrames(tuple(keys), rate)

    def _store_fields(self, item: KeyFrameItem) -> None:
        item.length, item.unit = self.length.text, self.length.unit.value
        item.easing = self.easing.value

    def _show_current(self, _: object = None) -> None:
        """Show length and easing of the selected key frame in the fields."""
        item = self.list.current
        if item is not None:
            self.length.fill(item.length, item.unit)
            with self.easing.changed.blocked():
                self.easing.value = item.easing
        self._enable_buttons()

    def _on_field(self, _: object = None) -> None:
        if self.list.current is not None:
            self._store_fields(self.list.current)
        self._on_change()

    def _on_change(self) -> None:
        """Update the texts of the key frames: their numbers, and the way to the next one."""
        items = self.list.key_frames()
        for number, item in enumerate(items, 1):
            length = item.length or f"{_DEFAULTS[item.unit]:g}"
            unit = "s" if item.unit == SECONDS else "frames"
            item.setText(f"{number} ({'end' if number == len(items) else f'{length} {unit}'})")
        self._enable_buttons()
        self.changed.emit()

    def _enable_buttons(self) -> None:
        row, count = self.list.currentRow(), self.list.count()
        for button in (self.update_button, self.remove_button):
            button.setEnabled(row >= 0)
        self.up_button.setEnabled(row > 0)
        self.down_button.setEnabled(0 <= row < count - 1)


def _button(text: str, tooltip: str, on_click: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setAccessibleName(text if text.isalpha() else tooltip)
    button.setMinimumWidth(28)
    button.clicked.connect(lambda _: on_click())  # without Qt's state of the button
    return button
