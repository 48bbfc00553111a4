"""Indices along an axis of positions in its unit, or in another unit of the same kind."""

from __future__ import annotations

import math

from napari_ferry.errors import InvalidImageError
from napari_ferry.image.axes import Axis
from napari_ferry.units import METERS, SECONDS, known_unit

_TOLERANCE = 1e-6
"""Fraction of a step by which a position may miss an index, because of rounding."""


def indices_between(axis: Axis, size: int, start: float | None, stop: float | None) -> slice:
    """Return the indices of the positions from `start` up to, but not including, `stop`.

    Parameters
    ----------
    axis : Axis
        The axis, with index 0 at its translation.
    size : int
        Length of the axis.
    start, stop : float, optional
        Positions in the unit of the axis; its ends by default.

    >>> indices_between(Axis("x", 0.5, "um", 10.0), 100, 12, 15)
    slice(4, 10, None)
    """
    low, high = (None if p is None else (p - axis.translation) / axis.scale for p in (start, stop))
    if axis.scale > 0:
        first = 0 if low is None else math.ceil(low - _TOLERANCE)
        end = size if high is None else math.ceil(high - _TOLERANCE)
    else:  # positions fall as indices rise
        first = 0 if high is None else math.floor(high + _TOLERANCE) + 1
        end = size if low is None else math.floor(low + _TOLERANCE) + 1
    return slice(min(max(first, 0), size), min(max(end, 0), size))


def convert_position(axis: Axis, value: float, unit: str) -> float:
    """Return a position in the unit of an axis.

    Raises
    ------
    InvalidImageError
        The unit is unknown, or is not of the same kind as that of the axis.
    """
    own, name = axis.unit, known_unit(unit)
    for sizes in (METERS, SECONDS):
        if name in sizes and own in sizes:
            return value * (sizes[name] / sizes[own])
    if name is None or name != own:
        found = f"has the unit {own}" if own else "has no unit"
        raise InvalidImageError(
            f"A position along axis {axis.name} is given in {unit}, but the axis {found}: give "
            "indices, or positions in a unit of the same kind."
        )
    return value
