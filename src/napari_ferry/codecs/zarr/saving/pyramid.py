"""The smaller levels of an image: their number, and the axes halved for each.

Planes are halved in y and x. Levels are also halved in z once the distance between planes is less
than twice that of pixels, which keeps voxels nearly cubic: napari shows other planes of a level
with fewer planes, so that these are not made before they are needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from napari_ferry.codecs.zarr.saving.downsampling import half_shape
from napari_ferry.image import Axis
from napari_ferry.units import METERS

_ONE_LEVEL_SIDE = 1024
"""Side of the largest plane without smaller levels, in pixels."""

_SMALLEST_SIDE = 512
"""Side up to which a plane is not halved again, in pixels."""

MOST_LEVELS = 32


class Step(NamedTuple):
    """A level: its shape, and for each axis True if it is half of the level before."""

    shape: tuple[int, ...]
    halved: tuple[bool, ...]


class Position(NamedTuple):
    """Position of a level: its factors, and its first pixel in pixels of full resolution."""

    factors: tuple[float, ...]
    shifts: tuple[float, ...]


def plan_pyramid(shape: Sequence[int], axes: Sequence[Axis], count: int | None) -> list[Step]:
    """Return the levels of an image, full resolution first.

    Parameters
    ----------
    shape : sequence of int
        Shape at full resolution.
    axes : sequence of Axis
        Its axes.
    count : int, optional
        Number of levels; fewer are made if nothing is left to halve. By default, planes of more
        than 1024 pixels get levels until one has at most 512.
    """
    names = [axis.name for axis in axes]
    steps = [Step(tuple(shape), (False,) * len(names))]
    spacing = _spacing(axes)
    while len(steps) < (MOST_LEVELS if count is None else count):
        before = steps[-1].shape
        largest = max(n for n, name in zip(before, names, strict=True) if name in "yx")
        limit = _ONE_LEVEL_SIDE if len(steps) == 1 else _SMALLEST_SIDE
        if largest <= (limit if count is None else 1):
            break
        wanted = ("z", "y", "x") if _is_cubic(spacing) else ("y", "x")
        halved = tuple(name in wanted and n > 1 for name, n in zip(names, before, strict=True))
        spacing = {k: 2 * step if k in wanted else step for k, step in spacing.items()}
        steps.append(Step(half_shape(before, halved), halved))
    return steps


def follow_pyramid(
    shape: Sequence[int], names: Sequence[str], halved: Sequence[Mapping[str, bool]]
) -> list[Step]:
    """Return levels with the same halved axes as another image, such as the image of labels.

    Parameters
    ----------
    shape, names : sequence
        Lengths and names of the axes.
    halved : sequence of mapping
        For each level after the first, axes with True if they are halved.
    """
    steps = [Step(tuple(shape), (False,) * len(names))]
    for each in halved:
        before = steps[-1].shape
        half = tuple(each.get(name, False) and n > 1 for name, n in zip(names, before, strict=True))
        steps.append(Step(half_shape(before, half), half))
    return steps


def _spacing(axes: Sequence[Axis]) -> dict[str, float]:
    """Return the distance between neighbors along z, y and x in meters; empty if one is unknown."""
    known = {
        axis.name: abs(axis.scale) * METERS[axis.unit]
        for axis in axes
        if axis.name in "zyx" and axis.unit in METERS
    }
    return known if len(known) == 3 else {}


def _is_cubic(spacing: Mapping[str, float]) -> bool:
    """Return True if planes are less than twice as far apart as pixels."""
    return bool(spacing) and spacing["z"] < 2 * min(spacing["y"], spacing["x"])
