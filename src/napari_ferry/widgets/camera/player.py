"""Playback of camera moves in the viewer itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal  # type: ignore[attr-defined]

from napari_ferry.plugin.camera_moves import CameraMoves
from napari_ferry.plugin.view_state import ViewState, capture_view, show_view

if TYPE_CHECKING:
    from napari import Viewer

_SHORTEST_INTERVAL = 10
"""Minimum number of milliseconds between frames, to leave time for other events."""


class MovesPlayer(QObject):
    """Player of moves in the viewer; the view is restored at the end.

    Frames are left out where the viewer is too slow to show them in time.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer to move.
    parent : QObject
        Owner of the player.
    """

    stopped = Signal()
    """The moves ended, or were stopped, and the viewer is restored."""

    def __init__(self, viewer: Viewer, parent: QObject) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.moves: CameraMoves | None = None
        self._start: ViewState | None = None
        self._started = 0.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._show_next)

    @property
    def is_playing(self) -> bool:
        """True while the viewer moves."""
        return self.moves is not None

    def play(self, moves: CameraMoves) -> None:
        """Play moves once, from the current view.

        Raises
        ------
        InvalidImageError
            The moves cannot start from the current view.
        """
        self.stop()
        start = capture_view(self.viewer, moves.layers)
        moves.check(start)
        self.moves, self._start, self._started = moves, start, time.monotonic()
        self._timer.start(max(_SHORTEST_INTERVAL, round(1000 / moves.frame_rate)))

    def stop(self) -> None:
        """Stop, and restore the viewer."""
        self._timer.stop()
        start, self._start = self._start, None
        if start is None:
            return
        show_view(self.viewer, start)
        self.moves = None
        self.stopped.emit()

    def _show_next(self) -> None:
        """Show the frame whose time has come."""
        if self.moves is None or self._start is None:
            return
        i = int((time.monotonic() - self._started) * self.moves.frame_rate)
        if i >= self.moves.nframes:
            self.stop()
        else:
            show_view(self.viewer, self.moves.view(i, self._start))
