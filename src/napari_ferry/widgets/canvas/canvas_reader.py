"""Frames drawn in the GUI thread for readers in any thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

import numpy as np
from dask.local import SynchronousExecutor
from numpy.typing import NDArray

from napari_ferry.errors import UnreadableFileError
from napari_ferry.plugin.view_state import ViewState, find_camera, show_view
from napari_ferry.widgets.canvas.gui_thread import call_in_gui_thread

if TYPE_CHECKING:
    from napari import Viewer

Area = Literal["view", "data"]

_CHECK_INTERVAL = 0.2
"""Seconds between checks for a deleted canvas while a thread waits for a frame."""

_START_TIMEOUT = 30.0
"""Seconds within which the GUI thread has to start drawing a frame. After that time it is assumed
to wait for something else, possibly for this frame."""

_CLOSED = "The canvas image was closed and draws no more frames: create a new one."

_BUSY = (
    "The window did not start to draw the frame because its thread is busy, or is waiting for this "
    "frame: save with run_in_thread, or in a thread of your own."
)


class CanvasReader:
    """Reader of frames drawn in the GUI thread, usable from any thread and in any order.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer to draw.
    view : callable
        Returns the view of a frame from its number.
    start : ViewState
        View to restore on closing.
    area : {"view", "data"}
        The current view, or all data.
    size : tuple of int, optional
        Height and width of a view in pixels; by default the size of the canvas.
    scale : float
        Magnification of the picture.
    """

    def __init__(
        self,
        viewer: Viewer,
        view: Callable[[int], ViewState],
        start: ViewState,
        *,
        area: Area,
        size: tuple[int, int] | None,
        scale: float,
    ) -> None:
        self.viewer = viewer
        self.view = view
        self.start = start
        self.area = area
        self.size = size
        self.scale = scale
        self.shape: tuple[int, ...] | None = None
        self.is_closed = False
        self._canvas_size: tuple[int, int] | None = None
        # one request at a time, so that the window can handle other events in between
        self._lock = threading.Lock()
        self._last_drawn = 0.0  # time at which the GUI thread last drew a frame

    def __call__(self, i: int) -> NDArray[np.uint8]:
        """Draw frame i: axes y x s."""
        requested = time.monotonic()
        with self._lock:
            future: Future[NDArray[np.uint8]] = Future()
            call_in_gui_thread(lambda: self._fulfill(i, future))

            while True:
                if self.is_closed:
                    raise UnreadableFileError(_CLOSED)
                with suppress(TimeoutError):
                    return future.result(_CHECK_INTERVAL)
                waited = time.monotonic() - max(requested, self._last_drawn)
                # cancel, so that the frame is not drawn later
                if waited > _START_TIMEOUT and future.cancel():
                    raise UnreadableFileError(_BUSY)

    def _fulfill(self, i: int, future: Future[NDArray[np.uint8]]) -> None:
        """Draw a frame; pass on any error, or else the reading thread would wait forever."""
        if not future.set_running_or_notify_cancel():
            return
        drawn = SynchronousExecutor().submit(self._draw, i)  # type: ignore[no-untyped-call]
        self._last_drawn = time.monotonic()
        error = drawn.exception()
        if error is None:
            future.set_result(drawn.result())
        else:
            future.set_exception(error)

    def _draw(self, i: int) -> NDArray[np.uint8]:
        if self.is_closed:
            raise UnreadableFileError(_CLOSED)
        if self._canvas_size is None:  # before a view adds or removes sliders below the canvas
            height, width = self.viewer.screenshot(flash=False).shape[:2]
            self._canvas_size = height, width

        # set everything, as the user may have moved another slider or the camera in between
        show_view(self.viewer, self.view(i))
        if self.area == "data":
            picture = self.viewer.export_figure(scale_factor=self.scale, flash=False)
        else:
            picture = self._draw_view(self._canvas_size)
        return self._crop_or_pad(picture[..., :3])

    def _draw_view(self, canvas_size: tuple[int, int]) -> NDArray[np.uint8]:
        """Draw the current view; napari would show more of the scene in a larger picture."""
        if self.size is None and self.scale == 1:
            picture: NDArray[np.uint8] = self.viewer.screenshot(flash=False)
            if picture.shape[:2] == canvas_size:  # no resizing, which rounds at some screen scales
                return picture

        size = self.size or canvas_size
        magnification = self.scale * min(size[0] / canvas_size[0], size[1] / canvas_size[1])
        camera = find_camera(self.viewer)
        zoom = camera.zoom
        camera.zoom = zoom * magnification
        try:
            picture = self.viewer.screenshot(size=size, scale=self.scale, flash=False)
        finally:
            camera.zoom = zoom
        return picture

    def _crop_or_pad(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture in the shape of the first one: all data may have another extent."""
        if self.shape is None or picture.shape == self.shape:
            return picture
        frame = np.zeros(self.shape, np.uint8)
        height, width = (min(a, b) for a, b in zip(picture.shape[:2], self.shape[:2], strict=True))
        frame[:height, :width] = picture[:height, :width]
        return frame

    def close(self) -> None:
        """Stop drawing, and restore the view in the GUI thread."""
        self.is_closed = True
        call_in_gui_thread(lambda: show_view(self.viewer, self.start))
