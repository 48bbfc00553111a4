"""Draw images as in napari, as one lazy RGB image for any codec."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from napari_ferry.arrays import Frames
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis, Image, Saveable, as_images
from napari_ferry.image.record import SPEED
from napari_ferry.layers.channels import split_all
from napari_ferry.movie.movie import POSITION
from napari_ferry.rendering.annotations import (
    color_bars,
    scale_bars,
    text_overlays,
    time_stamps,
)
from napari_ferry.rendering.compose import Compositor
from napari_ferry.rendering.layer_grid import make_layer_grid
from napari_ferry.rendering.layering import make_layers
from napari_ferry.rendering.overlay_style import OverlayStyle
from napari_ferry.rendering.overlays import (
    AnnotatedFrames,
    Corner,
)
from napari_ferry.rendering.pixel_grid import Fit, Flip, Grid, make_grid
from napari_ferry.rendering.projection import Projection
from napari_ferry.rendering.style import check_projection, is_visible
from napari_ferry.rendering.view import View, choose_view, missing_frame_axis
from napari_ferry.rendering.whole_axes import expand_thickness
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
    thickness: str | None = None,
    projection: Projection | None = None,
    scale: float = 1.0,
    fit: Fit | None = None,
    flip: Flip | None = None,
    crop: str | None = None,
    grid: str | None = None,
    grid_stride: int = 1,
    grid_spacing: float = 0.0,
    background: str = "black",
    time_stamp: Corner | None = None,
    scale_bar: Corner | None = None,
    color_bar: Corner | None = None,
    text: str = "",
    text_corner: Corner = "top_right",
) -> Image:
    """Draw images as napari displays them, on top of each other.

    Parameters
    ----------
    images : Image, array, or sequence of them
        Images from bottom to top, unless they record the order of layers. Each channel is a
        separate layer. In a sequence, arrays of one shape, (y, x) or (y, x, 3 or 4), are the frames
        of one image.
    axis : str, optional
        Name of the frame axis; by default the only axis with several positions, or ``t``.
    position : str, optional
        Position on the other axes, such as ``"z=3"``, counted in steps of the viewer's sliders.
    start, stop, step : int
        First position on the frame axis, first excluded position, and step between positions.
    speed : float, optional
        Playback speed as a multiple of real time, for a frame axis calibrated in time.
    plane : str
        Displayed axes, vertical and horizontal: ``"z x"`` shows a stack from the side.
    thickness : str, optional
        Thickness of slices, in steps of the viewer's sliders: ``"z=4"`` is centered at the
        position, ``"z=1+3"`` extends 1 step before and 3 after it, ``"z=all"`` is everything.
        ``"all"`` is everything on all axes but the frame axis, unless they have a position. Only
        images with a projection are affected, not labels.
    projection : {"mean", "max", "min", "sum"}, optional
        Projection of thick slices onto the plane; by default, that of each image, which its display
        settings contain as ``projection_mode``.
    scale : float
        Pixels of the picture per sample of the finest image.
    fit : {"1080p", "4K"}, optional
        Enlarge the picture by the largest integer factor that fits into a screen of this size.
        Reduce a larger picture by an integer factor; each pixel is the mean of a block.
    flip : {"vertical", "horizontal", "both"}, optional
        Flip the picture: upside down, left to right, or both.
    crop : str, optional
        Rows and columns of the finest image to show, such as ``"10:200 30:90"``; the last ones
        are excluded, and ends may be omitted as in ``":200 30:"``. By default, everything.
    grid : str, optional
        Rows and columns of a grid with layers side by side, such as ``"2 x 3"``; ``"auto"`` for
        as many as needed. By default, layers are on top of each other.
    grid_stride : int
        Number of layers in each cell of the grid. A negative number starts with the highest layer.
    grid_spacing : float
        Distance between cells of the grid: a fraction of their size if it is below 1, otherwise
        pixels.
    background : str
        Color behind all layers: a name, or ``#rrggbb``.
    time_stamp : {"top_left", "top_right", "bottom_left", "bottom_right"}, optional
        Corner for the time of each frame, or for its position if the frame axis is not time.
    scale_bar : {"top_left", "top_right", "bottom_left", "bottom_right"}, optional
        Corner for a scale bar of a round length.
    color_bar : {"top_left", "top_right", "bottom_left", "bottom_right"}, optional
        Corner for a color bar of each image, with its contrast limits.
    text : str
        Text drawn on every frame.
    text_corner : {"top_left", "top_right", "bottom_left", "bottom_right"}
        Corner for the text.

    Returns
    -------
    Image
        Axes (frame axis, y, x, s), or y x s for a single picture; uint8. Only the requested frames
        are read, when they are indexed.

    Raises
    ------
    InvalidImageError
        No images are given, an image cannot be drawn, or an option does not fit the images.

    Examples
    --------
    >>> axes = (Axis("t", 0.1, "s"), Axis("y", 0.5, "um"), Axis("x", 0.5, "um"))
    >>> cells = Image((np.zeros((10, 64, 64), np.uint16),), axes, display={"colormap": "magma"})
    >>> movie = render(cells, scale=2, time_stamp="top_left", scale_bar="bottom_right")
    >>> movie.shape, movie.frame_rate  # no pixels are read before a frame is
    ((10, 128, 128, 3), 10.0)
    """
    singles = split_all(as_images(images, is_movie=True))
    world = make_world(singles)
    place: dict[str, Any] = {"plane": plane, "axis": axis, "position": position}
    slices = expand_thickness(world, **place, thickness=thickness, projection=projection)
    thickness, projection = slices["thickness"], slices["projection"]
    view = choose_view(world, **place, start=start, stop=stop, step=step, thickness=thickness)
    check_projection(singles, thickness, projection)
    shown = [is_visible(single) for single in singles]
    layer_grid = make_layer_grid(shown, grid, grid_stride, grid_spacing)
    pixels = make_grid(view, layer_grid, scale, fit, flip, crop)
    rgb = _to_rgb(background)
    draw = Compositor(
        layers=make_layers(view, layer_grid, pixels, projection),
        shape=pixels.shape,
        background=rgb,
        reduction=pixels.reduction,
    )

    style = OverlayStyle(draw.size, is_light=_is_dark(rgb))
    pixel_axes = _pixel_axes(view, pixels)
    overlays = [
        *scale_bars(pixel_axes[1], scale_bar, style),
        *text_overlays(text, text_corner, style),
        *time_stamps(view, time_stamp, style),
        *color_bars(draw.layers, color_bar, style),
    ]

    read = AnnotatedFrames(draw, tuple(overlays)) if overlays else draw
    lead = _frame_axes(view, speed)
    shape = [*([len(view.frame_positions)] if lead else []), *draw.size, 3]
    return Image(
        (Frames(read, shape, np.uint8, len(lead)),),
        (*lead, *pixel_axes, Axis("s")),
        name=singles[0].name,
        metadata=_metadata(view, speed),
    )


def _is_dark(rgb: tuple[int, int, int]) -> bool:
    """Return True if white is legible on a color, by its luma (ITU-R BT.601)."""
    red, green, blue = rgb
    return 0.299 * red + 0.587 * green + 0.114 * blue < 128


def _pixel_axes(view: View, grid: Grid) -> tuple[Axis, Axis]:
    """Return the axes y and x of the picture, regardless of their names in the world."""
    vertical, horizontal = (view.world.axes[k].unit for k in view.plane_axes)
    return grid.axis(0, "y", vertical), grid.axis(1, "x", horizontal)


def _frame_axes(view: View, speed: float | None) -> list[Axis]:
    """Return the frame axis as a list, empty for a single picture."""
    if view.frame_axis is not None:
        return [replace(view.make_frame_axis(speed), name=_frame_axis_name(view))]
    if speed is not None:
        raise missing_frame_axis(f"A playback speed of {speed!r}")
    return []


def _frame_axis_name(view: View) -> str:
    """Return the name of the frame axis; if the picture uses it, a free one of the plane."""
    assert view.frame_axis is not None
    names = [view.world.names[k] for k in (view.frame_axis, *view.plane_axes)]
    return next(name for name in names if name not in ("y", "x"))


def _metadata(view: View, speed: float | None) -> dict[str, Any]:
    """Return the metadata of a picture: its position on other axes, and its playback speed."""
    position = {
        name: step
        for k, (name, step) in enumerate(zip(view.world.names, view.position, strict=True))
        if k not in (*view.plane_axes, view.frame_axis, *view.whole_axes)
        and view.world.sizes[k] > 1
    }
    entries: dict[str, Any] = {POSITION: position} if position else {}
    return entries if speed is None else {**entries, SPEED: speed}


def _to_rgb(color: str) -> tuple[int, int, int]:
    """Return red, green and blue of a color, each 0 to 255.

    Raises
    ------
    InvalidImageError
        The value is not a color.
    """
    from PIL import ImageColor

    try:
        red, green, blue = ImageColor.getrgb(color)[:3]
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidImageError(
            f"The background is {color!r}: give the name of a color, or a code such as '#20a0ff'."
        ) from error
    return red, green, blue
