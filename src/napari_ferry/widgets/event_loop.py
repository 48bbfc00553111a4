"""Calls from the event loop of the window."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QTimer

_DELAY = 50
"""Milliseconds for the window to lay out new layers; this moves its lower right corner."""


def call_soon(function: Callable[[], object]) -> None:
    """Call a function once the current event and its consequences have been handled."""
    QTimer.singleShot(_DELAY, function)
