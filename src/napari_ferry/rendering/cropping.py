"""Displayed part of the plane of a picture."""

from __future__ import annotations

import math
import re

from napari_ferry.arguments import is_text
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis
from napari_ferry.rendering.world import World

_CROP = re.compile(r"\s*(\d*):(\d*)[\s,]+(\d*):(\d*)\s*", re.ASCII)


def crop_edges(
    world: World, plane_axes: tuple[int, int], crop: str | None
) -> list[tuple[float, float]]:
    """Return the outer edges of the part of the plane to draw, one pair for each axis.

    Parameters
    ----------
    world : World
        Images in world coordinates.
    plane_axes : tuple of int
        Axes of the world that are displayed, downwards and to the right.
    crop : str, optional
        Option of `render`.

    Raises
    ------
    InvalidImageError
        The crop is not valid, or is outside the images.
    """
    if crop is None:
        return [world.edges(axis) for axis in plane_axes]

    match = _CROP.fullmatch(crop) if is_text(crop) else None
    sizes = [world.sizes[axis] for axis in plane_axes]
    if match is None:
        raise InvalidImageError(
            f"The crop is {crop!r}: give the rows and columns to show, such as '0:{sizes[0]} "
            f"0:{sizes[1]}' for all of them."
        )

    ends = [match.groups()[:2], match.groups()[2:]]
    spans = [
        (int(start or 0), int(stop or size))
        for (start, stop), size in zip(ends, sizes, strict=True)
    ]
    if not all(0 <= start < stop <= size for (start, stop), size in zip(spans, sizes, strict=True)):
        raise InvalidImageError(
            f"The crop is {crop!r}, but the picture has {sizes[0]} rows and {sizes[1]} columns: "
            f"give ranges within 0:{sizes[0]} and 0:{sizes[1]}, the larger number last."
        )
    return [
        (_edge(world.axes[axis], start), _edge(world.axes[axis], stop))
        for axis, (start, stop) in zip(plane_axes, spans, strict=True)
    ]


def find_crop(
    world: World,
    plane_axes: tuple[int, int],
    picture_axes: tuple[Axis, Axis],
    edges: tuple[tuple[float, float], tuple[float, float]],
) -> str:
    """Return the crop for a part of a picture.

    Parameters
    ----------
    world : World
        Images in world coordinates.
    plane_axes : tuple of int
        Axes of the world that are displayed, downwards and to the right.
    picture_axes : tuple of Axis
        Axes y and x of the picture, which may be cropped already.
    edges : tuple of tuple of float
        First and last edge of the part along each axis, in pixels of the picture.
    """
    spans = []
    for number, axis, (first, last) in zip(plane_axes, picture_axes, edges, strict=True):
        steps = world.axes[number]
        ends = [
            (axis.translation + (edge - 0.5) * axis.scale - steps.translation) / steps.scale + 0.5
            for edge in (first, last)
        ]
        start = min(max(math.floor(ends[0] + 0.5), 0), world.sizes[number] - 1)
        stop = min(max(math.floor(ends[1] + 0.5), start + 1), world.sizes[number])
        spans.append(f"{start}:{stop}")
    return " ".join(spans)


def _edge(axis: Axis, step: int) -> float:
    """Return the coordinate of the edge before a step."""
    return axis.translation + (step - 0.5) * axis.scale
