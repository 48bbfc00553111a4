"""Movies drawn by the viewer's canvas, for points, shapes, tracks and 3-D views.

Frames are screenshots of the viewer. They are taken one at a time in the GUI thread, so that the
window stays responsive between them; a thread that reads a frame waits for its screenshot.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from dask.local import SynchronousExecutor
from numpy.typing import NDArray
from qtpy.QtCore import QEventLoop, QTimer
from superqt.utils import ensure_main_thread

from napari_ferry.arguments import is_real
from napari_ferry.arrays import Frames
from napari_ferry.errors import InvalidImageError, UnreadableFileError
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import SPEED
from napari_ferry.rendering.view import choose_positions, make_frame_axis
from napari_ferry.saving import Plan, Progress, run
from napari_ferry.widgets.sliders import choose_slider, slider_axis

if TYPE_CHECKING:
    from napari import Viewer

Area = Literal["view", "data"]

_LARGEST_SIDE = 16384
"""Maximum side of a picture that graphics cards draw, in pixels."""

_CHECK_INTERVAL = 0.2
"""Seconds between checks whether the canvas still exists while a thread waits for a frame."""

_START_TIMEOUT = 30.0
"""Seconds within which the GUI thread has to start drawing a frame. After that time it is assumed
to wait for something else, possibly for this frame."""

_CLOSED = "The canvas image was closed and draws no more frames: create a new one."

_BUSY = (
    "The window did not start to draw the frame because its thread is busy, or is waiting for this "
    "frame: save with run_in_thread, or in a thread of your own."
)

_POLL_INTERVAL = 20
"""Milliseconds between checks whether a save in another thread is done."""


@contextmanager
def canvas_image(
    viewer: Viewer,
    *,
    axis: str | None = None,
    start: int = 0,
    stop: int | None = None,
    step: int = 1,
    speed: float | None = None,
    area: Area = "view",
    size: tuple[int, int] | None = None,
    scale: float = 1.0,
) -> Iterator[Image]:
    """Yield an image whose frames are drawn by the viewer's canvas as they are read.

    The viewer has to be visible. Its sliders are restored on exit, even after an error. Frames are
    drawn in the GUI thread, so its event loop has to run: save them with `run_in_thread`, or in a
    thread of your own. If the GUI thread does not start to draw a frame within half a minute,
    because it waits for the save, reading the frame raises `UnreadableFileError`.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer to draw.
    axis : str, optional
        Label of the slider to animate; by default the time axis, or else the first slider.
    start, stop, step : int
        Range of its steps that become frames; `stop` is excluded.
    speed : float, optional
        Playback speed relative to real time; needs an axis that is calibrated in time.
    area : {"view", "data"}
        The current view, or all data, cropped as tightly as by `Viewer.export_figure`.
    size : tuple of int, optional
        Height and width of a view in pixels; by default those of the canvas.
    scale : float
        Magnification of the picture.

    Yields
    ------
    Image
        Axes (slider, y, x, s), or (y, x, s) without a slider; uint8.

    Raises
    ------
    InvalidImageError
        The slider or a step does not exist, `size` is given for all data, or `size` or `scale` is
        not positive.
    """
    _check_picture(area, size, scale)
    if area == "data" and size is not None:
        raise InvalidImageError(
            "A size was given for a picture of all data, which has the size of the data: give a "
            "scale instead, or choose the view."
        )
    _check_size(_estimate_size(viewer, area, size, scale))

    slider = choose_slider(viewer, axis)
    steps = range(1)
    lead: tuple[Axis, ...] = ()
    if slider is not None:
        source = slider_axis(viewer, slider)
        steps = choose_positions(source.name, viewer.dims.nsteps[slider], start, stop, step)
        lead = (make_frame_axis(source, steps, speed),)

    canvas = _Canvas(viewer, slider=slider, steps=steps, area=area, size=size, scale=scale)
    try:
        first = canvas(0)
        canvas.shape = first.shape
        shape = (*(len(steps) for _ in lead), *first.shape)
        frames = Frames(canvas, shape, np.uint8, len(lead))
        axes = (*lead, Axis("y"), Axis("x"), Axis("s"))
        metadata = {} if speed is None else {SPEED: speed}
        yield Image((frames,), axes, name=viewer.title, metadata=metadata)
    finally:
        canvas.close()


class _Canvas:
    """Reader of frames drawn in the GUI thread, usable from any thread."""

    def __init__(
        self,
        viewer: Viewer,
        *,
        slider: int | None,
        steps: range,
        area: Area,
        size: tuple[int, int] | None,
        scale: float,
    ) -> None:
        self.viewer = viewer
        self.slider = slider
        self.steps = steps
        self.area = area
        self.size = size
        self.scale = scale
        self.shape: tuple[int, ...] | None = None
        self.initial_step = viewer.dims.current_step
        self.is_closed = False
        # one request at a time, so that the window can handle other events in between
        self._lock = threading.Lock()
        self._last_drawn = 0.0  # time at which the GUI thread last drew a frame

    def __call__(self, i: int) -> NDArray[np.uint8]:
        """Draw frame i: axes y x s."""
        requested = time.monotonic()
        with self._lock:
            future: Future[NDArray[np.uint8]] = Future()
            ensure_main_thread(self._fulfill)(i, future)

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

        # set all sliders, as the user may have moved another one in between
        step = list(self.initial_step)
        if self.slider is not None:
            step[self.slider] = self.steps[i]
        self.viewer.dims.current_step = tuple(step)

        if self.area == "data":
            picture = self.viewer.export_figure(scale_factor=self.scale, flash=False)
        else:
            picture = self.viewer.screenshot(size=self.size, scale=self.scale, flash=False)
        return self._crop_or_pad(picture[..., :3])

    def _crop_or_pad(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture in the shape of the first one: the window may have been resized."""
        if self.shape is None or picture.shape == self.shape:
            return picture
        frame = np.zeros(self.shape, np.uint8)
        height, width = (min(a, b) for a, b in zip(picture.shape[:2], self.shape[:2], strict=True))
        frame[:height, :width] = picture[:height, :width]
        return frame

    def close(self) -> None:
        """Stop drawing, and restore the sliders in the GUI thread."""
        self.is_closed = True
        ensure_main_thread(self._restore_sliders)()

    def _restore_sliders(self) -> None:
        self.viewer.dims.current_step = self.initial_step


def _check_picture(area: Area, size: tuple[int, int] | None, scale: float) -> None:
    """Raise an error for an invalid area, size or scale."""
    if area not in get_args(Area):
        raise InvalidImageError(f"The area is {area!r}: choose one of {', '.join(get_args(Area))}.")
    sides = size if isinstance(size, tuple | list) else (size,)
    if size is not None and (len(sides) != 2 or not all(_is_positive(side) for side in sides)):
        raise InvalidImageError(f"The size is {size!r}: give height and width in pixels.")
    if not _is_positive(scale):
        raise InvalidImageError(f"The scale is {scale!r}: give a positive number.")


def _estimate_size(
    viewer: Viewer, area: Area, size: tuple[int, int] | None, scale: float
) -> tuple[float, float]:
    """Return the approximate height and width of a picture in pixels."""
    if area == "data":
        extent, displayed = viewer.layers.extent, list(viewer.dims.displayed)
        finest = min(extent.step[displayed])
        sides = (extent.world[1] - extent.world[0])[displayed] / finest + 1
        height, width = sides[-2:]
    else:
        height, width = (1.0, 1.0) if size is None else size
    return float(height * scale), float(width * scale)


def _check_size(size: tuple[float, float]) -> None:
    """Raise an error for a picture too large to draw: some graphics drivers would crash."""
    if max(size) > _LARGEST_SIDE:
        raise InvalidImageError(
            f"The picture would have {size[1]:.6g} x {size[0]:.6g} pixels, more than the limit of "
            f"{_LARGEST_SIDE} per side: choose a smaller scale or size."
        )


def _is_positive(value: object) -> bool:
    return is_real(value) and 0 < value < math.inf  # type: ignore[operator]


def run_in_thread(
    plan: Plan,
    *,
    overwrite: bool = False,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> list[Path]:
    """Run a save in another thread and wait for it, while the event loop of this one runs.

    Parameters
    ----------
    plan, overwrite, progress, cancel
        As for `napari_ferry.run`. `progress` and `cancel` are called in the other thread.

    Returns
    -------
    list of Path
        Files written.
    """
    loop, timer = QEventLoop(), QTimer()
    with ThreadPoolExecutor(1, "ferry-save") as pool:
        saved = pool.submit(run, plan, overwrite=overwrite, progress=progress, cancel=cancel)

        def quit_when_done() -> None:
            if saved.done():
                loop.quit()

        timer.timeout.connect(quit_when_done)
        timer.start(_POLL_INTERVAL)
        loop.exec()
        timer.stop()
        return saved.result()
