"""Images as napari shows them -> one lazy image of colors, which every codec can save."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np

from napari_ferry.arguments import is_text
from napari_ferry.arrays import Frames
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis, Image, Saveable, as_images
from napari_ferry.image.record import SPEED
from napari_ferry.layers.channels import split_all
from napari_ferry.movie.movie import POSITION
from napari_ferry.rendering.compose import Compositor, Layer
from napari_ferry.rendering.layering import arrange
from napari_ferry.rendering.overlays import (
    Annotated,
    ColorBar,
    Corner,
    Overlay,
    ScaleBar,
    Style,
    Words,
)
from napari_ferry.rendering.paint import Scalar
from napari_ferry.rendering.text import Clock, choose_bar
from napari_ferry.rendering.view import Fit, Grid, View, choose_view, make_grid
from napari_ferry.rendering.world import make_world


def render(
    images: Saveable,
    *,
    axis: str | None = None,
    position: str | None = None,
    start: int = 0,
    stop: int | None = None,
    step: int = 1,
    speed: float | None = None,
    plane: str = "y x",
    scale: float = 1.0,
    fit: Fit | None = None,
    background: str = "black",
    time_stamp: Corner | None = None,
    scale_bar: Corner | None = None,
    color_bar: Corner | None = None,
    text: str = "",
    text_corner: Corner = "top_right",
) -> Image:
    """Draw images as napari shows them, one upon the other.

    Parameters
    ----------
    images : Image, array, or sequence of them
        From the bottom to the top, unless they remember the order of layers. Channels are layers
        of their own. Arrays of one shape, (y, x) or (y, x, 3 or 4), in a sequence are frames of one
        image.
    axis : str, optional
        Name of the axis that runs; the only long one, or ``t``, when absent.
    position : str, optional
        Where the other axes stand, such as ``"z=3"``, counted in steps of the viewer's sliders.
    start, stop, step : int
        Which steps of the axis that runs become frames: from `start` on, before `stop`.
    speed : float, optional
        How many times faster than it happened the movie runs, where the axis is calibrated in time.
    plane : str
        Which axes are seen, downwards and to the right: ``"z x"`` shows a stack from its side.
    scale : float
        Pixels of the picture for each of the finest samples.
    fit : {"1080p", "4K"}, optional
        Enlarge by a whole number as far as it fits into a screen of that size; what is larger is
        reduced by a whole number, each pixel the mean of those that it stands for.
    background : str
        Color under all layers: a name, or ``#rrggbb``.
    time_stamp : {"top_left", "top_right", "bottom_left", "bottom_right"}, optional
        Where the time of each frame is written, or the place of another axis that runs.
    scale_bar : {"top_left", "top_right", "bottom_left", "bottom_right"}, optional
        Where a bar of a round length stands.
    color_bar : {"top_left", "top_right", "bottom_left", "bottom_right"}, optional
        Where the colors of each image stand, with the values of the lowest and the highest.
    text : str
        Words that are written on every frame.
    text_corner : {"top_left", "top_right", "bottom_left", "bottom_right"}
        Where they stand.

    Returns
    -------
    Image
        Axes (axis that runs, y, x, s), or y x s where none does; uint8. Nothing is read before it
        is indexed, and then only the frames that are asked for.

    Raises
    ------
    InvalidImageError
        No image, one that cannot be drawn, or an option that does not fit them.
    """
    singles = split_all(as_images(images, is_movie=True))
    view = choose_view(
        make_world(singles),
        plane=plane,
        axis=axis,
        position=position,
        start=start,
        stop=stop,
        step=step,
    )
    grid = make_grid(view, scale, fit)
    ground = _to_rgb(background)
    draw = Compositor(arrange(view, grid), grid.shape, ground, grid.reduced)
    style = Style(draw.size, is_light=_is_dark(ground))
    overlays = [
        *_words(text, text_corner, style),
        *_clock(view, time_stamp, style),
        *_color_bars(draw.layers, color_bar, style),
        *_scale_bar(grid.axis(1, "x", view.world.axes[view.seen[1]].unit), scale_bar, style),
    ]
    read = Annotated(draw, tuple(overlays)) if overlays else draw
    lead = _frame_axes(view, speed)
    shape = [*([len(view.steps)] if lead else []), *draw.size, 3]
    return Image(
        (Frames(read, shape, np.uint8, len(lead)),),
        (*lead, *_pixel_axes(view, grid), Axis("s")),
        name=singles[0].name,
        metadata=_metadata(view, speed),
    )


def _words(text: str, corner: Corner, style: Style) -> Iterator[Overlay]:
    if not is_text(text) or not text.isprintable():
        raise InvalidImageError(f"The text is {text!r}: give the words of one line.")
    if text and (place := _corner(corner, "text_corner")):
        yield Words(place, style, text)


def _clock(view: View, corner: Corner | None, style: Style) -> Iterator[Overlay]:
    place = _corner(corner, "time_stamp")
    if place and view.running is None:
        raise InvalidImageError(
            "A time stamp was asked for, and no axis runs: leave it out, or choose the axis."
        )
    if place:
        steps = view.steps
        yield Words(
            place, style, Clock(view.make_frame_axis(None), steps.start, steps.step, len(steps))
        )


def _color_bars(layers: Sequence[Layer], corner: Corner | None, style: Style) -> Iterator[Overlay]:
    paints = [layer.paint for layer in layers if isinstance(layer.paint, Scalar)]
    place = _corner(corner, "color_bar")
    if place:
        yield from (ColorBar(place, style, paint, len(paints)) for paint in paints)


def _scale_bar(axis: Axis, corner: Corner | None, style: Style) -> Iterator[Overlay]:
    place = _corner(corner, "scale_bar")
    if place:
        yield ScaleBar(place, style, *choose_bar(axis.scale, axis.unit, style.bar))


def _corner(given: Corner | None, what: str) -> Corner | None:
    if given is not None and given not in get_args(Corner):
        raise InvalidImageError(
            f"The {what} is to stand at {given!r}: choose one of {', '.join(get_args(Corner))}."
        )
    return given


def _is_dark(ground: tuple[int, int, int]) -> bool:
    """Whether white is legible on a color: its luma, ITU-R BT.601."""
    red, green, blue = ground
    return 0.299 * red + 0.587 * green + 0.114 * blue < 128


def _pixel_axes(view: View, grid: Grid) -> tuple[Axis, Axis]:
    """Return the axes y and x of the picture, whichever of the world they are."""
    down, right = (view.world.axes[k].unit for k in view.seen)
    return grid.axis(0, "y", down), grid.axis(1, "x", right)


def _frame_axes(view: View, speed: float | None) -> list[Axis]:
    """Return the axis of the frames, none where there is a single picture."""
    if view.running is not None:
        return [replace(view.make_frame_axis(speed), name=_free_name(view))]
    if speed is not None:
        raise InvalidImageError(
            f"A speed of {speed!r} was asked for, and no axis runs: leave it out, or choose the "
            "axis."
        )
    return []


def _free_name(view: View) -> str:
    """Return the name of the frames' axis: its own, or, where the picture has it, one it lacks."""
    assert view.running is not None
    names = [view.world.names[k] for k in (view.running, *view.seen)]
    return next(name for name in names if name not in ("y", "x"))


def _metadata(view: View, speed: float | None) -> dict[str, Any]:
    stood = {
        name: place
        for k, (name, place) in enumerate(zip(view.world.names, view.places, strict=True))
        if k not in (*view.seen, view.running) and view.world.sizes[k] > 1
    }
    at_speed = {} if speed is None else {SPEED: speed}
    return ({POSITION: stood} if stood else {}) | at_speed


def _to_rgb(color: str) -> tuple[int, int, int]:
    """Return red, green and blue of a color, each 0 to 255.

    Raises
    ------
    InvalidImageError
        It is none.
    """
    from PIL import ImageColor

    try:
        red, green, blue = ImageColor.getrgb(color)[:3]
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidImageError(
            f"The background is {color!r}: give the name of a color, or one such as '#20a0ff'."
        ) from error
    return red, green, blue
