"""What only the viewer can draw (points, shapes, tracks, three dimensions) as frames of a movie.

The viewer's own screenshots are taken, in the thread of its window and one at a time, so that the
window stays usable between them; whoever reads a frame in another thread waits for it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
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
"""Most pixels of a side that graphics cards draw."""

_LOOK_AGAIN = 0.2
"""Seconds after which who waits for a frame looks whether the canvas is still there."""

_BEGIN = 30.0
"""Seconds after which a frame has to be begun by the thread of the window: else that thread waits
for something, which may be this very frame."""

_CLOSED = "The viewer's canvas is no longer drawn for this image: take it anew."

_BUSY = (
    "The window did not begin to draw a frame, as its thread is busy, or waits for the frame "
    "itself: save with run_beside, or in a thread of your own."
)

_POLL = 20
"""Milliseconds between looks whether a save in another thread is done."""


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
    """Give what the viewer's canvas shows as an image, whose frames are drawn when they are read.

    The viewer stands where it stood when this is left, whatever happened in between. It has to be
    visible. Frames are drawn in the thread of its window, which has to run: save them with
    `run_beside`, or in a thread of your own. Where that thread does not come to it for half a
    minute, as it waits for the save, reading a frame raises `UnreadableFileError`.

    Parameters
    ----------
    viewer : napari.Viewer
        What is drawn.
    axis : str, optional
        Label of the slider that runs; ``t``, or the first one, when absent.
    start, stop, step : int
        Which of its steps become frames: from `start` on, before `stop`.
    speed : float, optional
        How many times faster than it happened the movie runs, where the axis is calibrated in time.
    area : {"view", "data"}
        What is seen now, or all data, as tightly as `Viewer.export_figure` does it.
    size : tuple of int, optional
        Height and width of a view; that of the canvas when absent.
    scale : float
        How many times larger the picture is.

    Yields
    ------
    Image
        Axes (slider, y, x, s), or y x s where there is none; uint8.

    Raises
    ------
    InvalidImageError
        A slider or a step that does not exist, a size of what shows all data, or one or a scale
        that is not positive.
    """
    _check_picture(area, size, scale)
    if area == "data" and size is not None:
        raise InvalidImageError(
            "A size was given for a picture of all data, whose size is that of the data: give a "
            "scale, or choose the view."
        )
    _check_room(_size(viewer, area, size, scale))
    running = choose_slider(viewer, axis)
    canvas = _Canvas(viewer, running, range(1), area, size, scale)
    lead: tuple[Axis, ...] = ()
    if running is not None:
        slider = slider_axis(viewer, running)
        canvas.steps = choose_positions(slider.name, viewer.dims.nsteps[running], start, stop, step)
        lead = (make_frame_axis(slider, canvas.steps, speed),)
    try:
        first = canvas(0)
        shape = (*(len(canvas.steps) for _ in lead), *first.shape)
        canvas.shape = first.shape
        frames = Frames(canvas, shape, np.uint8, len(lead))
        axes = (*lead, Axis("y"), Axis("x"), Axis("s"))
        metadata = {} if speed is None else {SPEED: speed}
        yield Image((frames,), axes, name=viewer.title, metadata=metadata)
    finally:
        canvas.close()


class _Canvas:
    """Draws frames, in the thread of the window, for whoever asks."""

    def __init__(
        self,
        viewer: Viewer,
        running: int | None,
        steps: range,
        area: Area,
        size: tuple[int, int] | None,
        scale: float,
    ) -> None:
        self.viewer = viewer
        self.running = running
        self.steps = steps
        self.area = area
        self.size = size
        self.scale = scale
        self.shape: tuple[int, ...] | None = None
        self.before = viewer.dims.current_step
        self.is_closed = False
        # one frame at a time is asked for, so that the window can do something else in between
        self._alone = threading.Lock()
        # when the thread of the window was last seen to draw
        self._lived = 0.0

    def __call__(self, i: int) -> NDArray[np.uint8]:
        """Draw frame i: axes y x s."""
        asked = time.monotonic()
        with self._alone:
            answer: Future[NDArray[np.uint8]] = Future()
            ensure_main_thread(self._answer)(i, answer)
            while True:
                if self.is_closed:
                    raise UnreadableFileError(_CLOSED)
                with suppress(NotYetError):
                    return answer.result(_LOOK_AGAIN)
                waited = time.monotonic() - max(asked, self._lived)
                if waited > _BEGIN and answer.cancel():  # so it is not drawn later on
                    raise UnreadableFileError(_BUSY)

    def _answer(self, i: int, answer: Future[NDArray[np.uint8]]) -> None:
        """Draw a frame; what goes wrong is for who asked, who would wait for ever."""
        if not answer.set_running_or_notify_cancel():
            return
        drawn = SynchronousExecutor().submit(self._draw, i)  # type: ignore[no-untyped-call]
        self._lived = time.monotonic()
        error = drawn.exception()
        if error is None:
            answer.set_result(drawn.result())
        else:
            answer.set_exception(error)

    def _draw(self, i: int) -> NDArray[np.uint8]:
        if self.is_closed:
            raise UnreadableFileError(_CLOSED)
        # all sliders, as somebody may have moved another one in between
        place = list(self.before)
        if self.running is not None:
            place[self.running] = self.steps[i]
        self.viewer.dims.current_step = tuple(place)
        if self.area == "data":
            picture = self.viewer.export_figure(scale_factor=self.scale, flash=False)
        else:
            picture = self.viewer.screenshot(size=self.size, scale=self.scale, flash=False)
        return self._framed(picture[..., :3])

    def _framed(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture in the size of the first: the window may have changed its own."""
        if self.shape is None or picture.shape == self.shape:
            return picture
        frame = np.zeros(self.shape, np.uint8)
        height, width = (min(a, b) for a, b in zip(picture.shape[:2], self.shape[:2], strict=True))
        frame[:height, :width] = picture[:height, :width]
        return frame

    def close(self) -> None:
        """Draw no more, and put the sliders back, in the thread of the window."""
        self.is_closed = True
        ensure_main_thread(self._put_back)()

    def _put_back(self) -> None:
        self.viewer.dims.current_step = self.before


def _check_picture(area: Area, size: tuple[int, int] | None, scale: float) -> None:
    """Refuse what no picture can be made of."""
    if area not in get_args(Area):
        raise InvalidImageError(f"The area is {area!r}: choose one of {', '.join(get_args(Area))}.")
    sides = size if isinstance(size, tuple | list) else (size,)
    if size is not None and (len(sides) != 2 or not all(_is_positive(side) for side in sides)):
        raise InvalidImageError(f"The size is {size!r}: give height and width in pixels.")
    if not _is_positive(scale):
        raise InvalidImageError(f"The scale is {scale!r}: give one positive number.")


def _size(
    viewer: Viewer, area: Area, size: tuple[int, int] | None, scale: float
) -> tuple[float, float]:
    """Return about how high and wide a picture will be."""
    if area == "data":
        extent, shown = viewer.layers.extent, list(viewer.dims.displayed)
        finest = min(extent.step[shown])
        height, width = ((extent.world[1] - extent.world[0])[shown] / finest + 1)[-2:]
    else:
        height, width = (1.0, 1.0) if size is None else size
    return float(height * scale), float(width * scale)


def _check_room(size: tuple[float, float]) -> None:
    """Refuse a picture that graphics cards cannot draw: some end the program where it is asked."""
    if max(size) > _LARGEST_SIDE:
        raise InvalidImageError(
            f"The canvas would have {size[1]:.6g} x {size[0]:.6g} pixels, and has at most "
            f"{_LARGEST_SIDE} a side: choose a smaller scale or size."
        )


def _is_positive(value: object) -> bool:
    return is_real(value) and 0 < value < math.inf  # type: ignore[operator]


def run_beside(
    plan: Plan,
    *,
    overwrite: bool = False,
    progress: Callable[[Progress], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> list[Path]:
    """Run a save in another thread while the windows of this one go on living; wait for it.

    Parameters
    ----------
    plan, overwrite, progress, cancel
        As for `napari_ferry.run`; `progress` and `cancel` are called in the other thread.

    Returns
    -------
    list of Path
        The files that were made.
    """
    loop, timer = QEventLoop(), QTimer()
    with ThreadPoolExecutor(1, "ferry-save") as pool:
        saved = pool.submit(run, plan, overwrite=overwrite, progress=progress, cancel=cancel)

        def look() -> None:
            if saved.done():
                loop.quit()

        timer.timeout.connect(look)
        timer.start(_POLL)
        loop.exec()
        timer.stop()
        return saved.result()
