"""Images whose frames are drawn by the viewer's canvas."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, get_args

import numpy as np

from napari_ferry.arguments import is_real
from napari_ferry.arrays import Frames
from napari_ferry.errors import InvalidImageError, warn
from napari_ferry.image import Axis, Image
from napari_ferry.image.record import SPEED
from napari_ferry.plugin.camera_moves import CameraMoves, missing_layers
from napari_ferry.plugin.view_state import ViewState, capture_view
from napari_ferry.rendering.view import choose_positions, make_frame_axis
from napari_ferry.widgets.canvas.canvas_reader import Area, CanvasReader
from napari_ferry.widgets.sliders import choose_slider, slider_axis

if TYPE_CHECKING:
    from napari import Viewer

_LARGEST_SIDE = 16384
"""Maximum side of a picture supported by graphics cards, in pixels."""


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
    moves: CameraMoves | None = None,
) -> Iterator[Image]:
    """Yield an image whose frames are drawn by the viewer's canvas as they are read.

    The viewer has to be visible. Its camera and sliders, and the appearance of its layers, are
    restored on exit, even after an error. Frames are drawn in the GUI thread, so its event loop has
    to run: save them with `run_in_thread`, or in a thread of your own. If the GUI thread does not
    start to draw a frame within half a minute, because it waits for the save, reading the frame
    raises `UnreadableFileError`.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer to draw.
    axis : str, optional
        Label of the slider to animate; by default the time axis, or else the first slider.
    start, stop, step : int
        Range of its steps, or of the frames of `moves`, that become frames; `stop` is excluded.
    speed : float, optional
        Playback speed relative to real time; needs an axis that is calibrated in time.
    area : {"view", "data"}
        The current view, or all data, cropped as tightly as by `Viewer.export_figure`.
    size : tuple of int, optional
        Height and width of a view in pixels, which may exceed those of the screen; by default those
        of the canvas. The view is magnified to fit.
    scale : float
        Magnification of the picture.
    moves : CameraMoves, optional
        Moves of the camera, such as `Turn` or `KeyFrames`, which also determine the frame rate.
        Layers that were removed since their key frame are named in a `FerryWarning`.

    Yields
    ------
    Image
        Axes (slider, y, x, s), (t, y, x, s) with moves, or (y, x, s) without either; uint8.

    Raises
    ------
    InvalidImageError
        The slider or a step does not exist, `size` is given for all data, `size` or `scale` is not
        positive, or `moves` cannot start from the current view, or have an axis, a speed or all
        data.
    """
    _check_picture(area, size, scale)
    if area == "data" and size is not None:
        raise InvalidImageError(
            "A size was given for a picture of all data, which has the size of the data: give a "
            "scale instead, or choose the view."
        )
    _check_size(_estimate_size(viewer, area, size, scale))

    if moves is None:
        source = _slider_frames(viewer, axis, start, stop, step, speed)
    else:
        _check_moves(axis, speed, area)
        source = _moving_frames(viewer, moves, start, stop, step)

    reader = CanvasReader(viewer, source.view, source.start, area=area, size=size, scale=scale)
    try:
        first = reader(0)
        reader.shape = first.shape
        lead = () if source.axis is None else (source.axis,)
        shape = (*(source.nframes for _ in lead), *first.shape)
        frames = Frames(reader, shape, np.uint8, len(lead))
        axes = (*lead, Axis("y"), Axis("x"), Axis("s"))
        metadata = {} if speed is None else {SPEED: speed}
        with _name_missing_layers(viewer, moves):
            yield Image((frames,), axes, name=viewer.title, metadata=metadata)
    finally:
        reader.close()


class _FrameSource(NamedTuple):
    """Source of frames: the views to draw.

    Parameters
    ----------
    axis : Axis, optional
        The frame axis; None for a single picture.
    nframes : int
        Number of frames.
    start : ViewState
        View to restore.
    view : callable
        Returns the view of a frame from its number.
    """

    axis: Axis | None
    nframes: int
    start: ViewState
    view: Callable[[int], ViewState]


def _slider_frames(
    viewer: Viewer, axis: str | None, start: int, stop: int | None, step: int, speed: float | None
) -> _FrameSource:
    """Return the steps of a slider as frames, or a single picture without sliders."""
    before = capture_view(viewer, ())
    slider = choose_slider(viewer, axis)
    if slider is None:
        return _FrameSource(None, 1, before, lambda _: before)

    axis_of_slider = slider_axis(viewer, slider)
    steps = choose_positions(axis_of_slider.name, viewer.dims.nsteps[slider], start, stop, step)
    frame_axis = make_frame_axis(axis_of_slider, steps, speed)
    return _FrameSource(frame_axis, len(steps), before, lambda i: before.at_step(slider, steps[i]))


def _moving_frames(
    viewer: Viewer, moves: CameraMoves, start: int, stop: int | None, step: int
) -> _FrameSource:
    """Return the frames of moves."""
    before = capture_view(viewer, moves.layers)
    moves.check(before)
    axis = Axis("t", 1 / moves.frame_rate, "second")
    chosen = choose_positions("the move", moves.nframes, start, stop, step)
    frame_axis = make_frame_axis(axis, chosen, None)
    return _FrameSource(frame_axis, len(chosen), before, lambda i: moves.view(chosen[i], before))


@contextmanager
def _name_missing_layers(viewer: Viewer, moves: CameraMoves | None) -> Iterator[None]:
    """Warn of layers of moves missing before or after drawing, each once."""
    before = [] if moves is None else missing_layers(moves, viewer)
    _warn_of_missing(before, "before the export")
    yield
    if moves is not None:
        after = [name for name in missing_layers(moves, viewer) if name not in before]
        _warn_of_missing(after, "during the export")


def _warn_of_missing(names: list[str], when: str) -> None:
    if names:
        warn(f"Layers of key frames were removed {when} and are left out: {', '.join(names)}.")


def _check_moves(axis: str | None, speed: float | None, area: Area) -> None:
    """Refuse options incompatible with moves of the camera."""
    if axis is not None or speed is not None:
        raise InvalidImageError(
            "An axis or a speed was given, but the frames are those of the camera moves: omit "
            "both, and let the moves play the slider."
        )
    if area != "view":
        raise InvalidImageError(
            "The camera moves, but the area is all data: choose the view, and give its size."
        )


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
