"""Follower of growing files: checks them once a second, and adds new frames to their layers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal  # type: ignore[attr-defined]

from napari_ferry.errors import InvalidImageError
from napari_ferry.layers.layer_data import LayerData
from napari_ferry.plugin.following import (
    Growth,
    Stamps,
    check_growth,
    find_growing_axis,
    finish_growth,
    status_line,
)
from napari_ferry.plugin.notice import notify
from napari_ferry.plugin.origins import Source
from napari_ferry.plugin.reload import layers_of, replace_layers
from napari_ferry.widgets.worker import BackgroundWorker

if TYPE_CHECKING:
    from napari import Viewer

_INTERVAL = 1000
"""Milliseconds between two checks of the files."""

_AT_REST = 60
"""Seconds without a change after which a file counts as complete."""

_PAUSE = 3
"""Minimum pause after a check, as a multiple of its duration: 100,000 pages take a second."""


@dataclass(eq=False)
class _Followed:
    """State of files followed together."""

    source: Source
    changed_at: float
    checked_at: float = 0.0
    next_at: float = -math.inf
    stamps: Stamps = field(default_factory=dict)
    count: int = 0
    axis: int = 0
    problem: str = ""
    is_checked: bool = False  # by the thread, at present


class Follower(QObject):
    """Follower of growing files, as long as the viewer has layers of them.

    Files are checked and opened in a thread; only the data of layers are replaced in the GUI
    thread. There are no listeners: each check asks the viewer for its layers.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer with the layers.
    parent : QObject
        Owner; with it, everything ends.
    clock : callable
        Returns the current time in seconds.
    """

    changed = Signal()
    """Frames were added, a file cannot be opened, or following has ended."""

    def __init__(
        self, viewer: Viewer, parent: QObject, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.stays_at_end = False
        self._clock = clock
        self._followed: list[_Followed] = []
        self._worker = BackgroundWorker(self)
        self._worker.failed.connect(self._on_failed)
        self._timer = QTimer(self)
        self._timer.setInterval(_INTERVAL)
        self._timer.timeout.connect(self.check)

    @property
    def is_active(self) -> bool:
        """True while files are followed."""
        return bool(self._followed)

    def start(self, sources: Iterable[Source]) -> None:
        """Follow files instead of the present ones, and check them at once."""
        self.stop()
        self._worker.discard()
        self._followed = [_Followed(source, self._clock()) for source in sources]
        if self._followed:
            self._timer.start()
            self.check()

    def stop(self) -> None:
        """Stop following; layers keep their frames.

        Files that have not changed for a minute are opened again, as any others: with warnings if
        they are incomplete, and refused if they are changed later.
        """
        self._timer.stop()
        self._worker.discard()
        now, position = self._clock(), self.viewer.dims.current_step
        for each in self._followed:
            if each.count and now - each.changed_at >= _AT_REST:
                finish = partial(finish_growth, each.source, position)
                self._worker.call(finish, partial(self._on_finished, each))
        self._followed = []

    def _on_finished(self, followed: _Followed, growth: Growth) -> None:
        """Show the files opened again after the end of following."""
        if growth.layers is None:
            notify(growth.problem, "warning")
            return
        members = layers_of(followed.source, self.viewer.layers)
        with suppress(InvalidImageError):  # layers keep their frames
            replace_layers(followed.source, members, growth.layers)

    def check(self) -> None:
        """Check the files once, unless the last check is unfinished, or took long."""
        self._drop_without_layers()
        now = self._clock()
        for each in self._followed:
            if not each.is_checked and now >= each.next_at:
                each.is_checked, each.checked_at = True, now
                position = self.viewer.dims.current_step
                look = partial(check_growth, each.source, each.stamps, position)
                self._worker.call(look, partial(self._on_growth, each))
        self.changed.emit()

    def status(self) -> list[str]:
        """Return a sentence about each followed file."""
        now = self._clock()
        return [
            status_line(each.source.name, each.count, now - each.changed_at, each.problem)
            for each in self._followed
            if each.count or each.problem
        ]

    def _drop_without_layers(self) -> None:
        """Forget files whose layers were removed from the viewer."""
        layers = self.viewer.layers
        self._followed = [each for each in self._followed if layers_of(each.source, layers)]
        if not self._followed:
            self._timer.stop()

    def _on_growth(self, followed: _Followed, growth: Growth) -> None:
        """Show the result of a check, unless following has ended meanwhile."""
        now = self._clock()
        followed.is_checked = False
        followed.next_at = now + _PAUSE * (now - followed.checked_at)
        self._drop_without_layers()
        if followed in self._followed:
            if growth.layers is not None:
                followed.stamps, followed.problem = growth.stamps, ""
                self._replace(followed, growth.layers)
            elif growth.problem:
                followed.problem = growth.problem
        self.changed.emit()

    def _replace(self, followed: _Followed, layers: list[LayerData]) -> None:
        """Replace the data of layers by the longer ones."""
        members = layers_of(followed.source, self.viewer.layers)
        before = _shape(members[0])
        try:
            replace_layers(followed.source, members, layers)
        except InvalidImageError as error:
            followed.problem = str(error)

        layer = members[0]
        axis = find_growing_axis(before, _shape(layer))
        followed.axis = followed.axis if axis is None else axis
        if axis is not None or not followed.count:
            followed.changed_at = self._clock()
        followed.count = _shape(layer)[followed.axis] if layer.ndim > 2 else 1
        if self.stays_at_end and layer.ndim > 2:
            self._go_to_end(layer, followed.axis)

    def _go_to_end(self, layer: Any, axis: int) -> None:
        """Move the slider of an axis to the last position of a layer."""
        last = _shape(layer)[axis] - 1
        point = layer.translate[axis] + layer.scale[axis] * last
        self.viewer.dims.set_point(self.viewer.dims.ndim - layer.ndim + axis, point)

    def _on_failed(self, error: Exception) -> None:
        """Stop after an error in our own code, and let napari report it."""
        self.stop()
        self.changed.emit()
        raise error


def _shape(layer: Any) -> tuple[int, ...]:
    """Return the shape of a layer at full resolution, without samples of colors."""
    data = layer.data[0] if layer.multiscale else layer.data
    return tuple(data.shape[: layer.ndim])
