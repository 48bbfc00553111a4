"""Arrow keys to go through the candidates."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QWidget

_STEPS = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Down: 1,
}
"""Candidates to go forward, for each arrow key."""


class ArrowKeys(QObject):
    """Arrow keys of a widget, intercepted before the widget gets them.

    Parameters
    ----------
    widget : QWidget
        The widget, which also owns this object.
    """

    pressed = Signal(int)
    """Candidates to go forward: 1 or -1."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        widget.installEventFilter(self)

    def eventFilter(self, _: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's name
        """Take arrow keys without modifiers."""
        if not isinstance(event, QKeyEvent) or event.type() != QEvent.Type.KeyPress:
            return False
        step = _STEPS.get(Qt.Key(event.key()))
        # Qt adds a modifier to the keys of a number pad
        plain = Qt.KeyboardModifier.NoModifier | Qt.KeyboardModifier.KeypadModifier
        if step is None or event.modifiers() & ~plain:
            return False
        self.pressed.emit(step)
        return True
