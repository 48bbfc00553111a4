"""Overlays of a picture, from the options of `render`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeGuard, get_args

from napari_ferry.arguments import is_text
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis
from napari_ferry.rendering.compose import Layer
from napari_ferry.rendering.overlay_style import OverlayStyle
from napari_ferry.rendering.overlays import (
    SIDEWAYS,
    ColorBar,
    Corner,
    Overlay,
    ScaleBar,
    TextOverlay,
)
from napari_ferry.rendering.paint import Scalar
from napari_ferry.rendering.text import TimeStamp, choose_bar
from napari_ferry.rendering.view import View, missing_frame_axis


def text_overlays(text: str, corner: Corner, style: OverlayStyle) -> Iterator[Overlay]:
    """Yield the text, unless it is empty."""
    if not is_text(text) or not text.isprintable():
        raise InvalidImageError(f"The text is {text!r}, expected one line of printable text.")
    if text and _is_corner(corner, "text_corner"):
        yield TextOverlay(corner, style, text)


def time_stamps(view: View, corner: Corner | None, style: OverlayStyle) -> Iterator[Overlay]:
    """Yield the time of each frame."""
    if not _is_corner(corner, "time_stamp"):
        return
    if view.frame_axis is None:
        raise missing_frame_axis("A time stamp")
    positions = view.frame_positions
    stamp = TimeStamp(
        axis=view.make_frame_axis(None),
        first=positions.start,
        step=positions.step,
        count=len(positions),
    )
    yield TextOverlay(corner, style, stamp)


def color_bars(
    layers: Sequence[Layer], corner: Corner | None, style: OverlayStyle
) -> Iterator[Overlay]:
    """Yield a color bar for each image with a colormap."""
    if not _is_corner(corner, "color_bar"):
        return
    paints = [layer.paint for layer in layers if isinstance(layer.paint, Scalar)]
    count = 1 if corner in SIDEWAYS else len(paints)
    # the order of napari, which is that of its layer list
    for paint in reversed(paints) if corner.endswith("left") else paints:
        yield ColorBar(corner=corner, style=style, paint=paint, count=count)


def scale_bars(axis: Axis, corner: Corner | None, style: OverlayStyle) -> Iterator[Overlay]:
    """Yield the scale bar for a horizontal axis of the picture."""
    if _is_corner(corner, "scale_bar"):
        length, text = choose_bar(axis.scale, axis.unit, style.bar)
        yield ScaleBar(corner=corner, style=style, length=length, text=text)


def _is_corner(corner: Corner | None, option: str) -> TypeGuard[Corner]:
    """Return True for a corner and False for None; refuse other values of an option."""
    if corner is not None and corner not in get_args(Corner):
        raise InvalidImageError(
            f"The {option} is {corner!r}: choose one of {', '.join(get_args(Corner))}."
        )
    return corner is not None
