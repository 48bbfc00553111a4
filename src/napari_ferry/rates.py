"""Frame rates as exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

from napari_ferry.arguments import is_real
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis
from napari_ferry.units import SECONDS

DEFAULT_RATE = 10
"""Frames per second of a movie whose image does not know its own."""

_RATES = (Fraction(1, 10**6), Fraction(10**6))
"""Least and most frames per second: what the time scales of all containers can say."""

_LARGEST_TERM = 10**6

_NTSC = {
    Fraction(text): Fraction(n * 1000, 1001)
    for text, n in (("23.976", 24), ("23.98", 24), ("29.97", 30), ("59.94", 60), ("119.88", 120))
}


def choose_rate(asked: float | None, axis: Axis | None) -> Fraction:
    """Return the frames per second of a movie.

    Parameters
    ----------
    asked : float, optional
        As it was typed.
    axis : Axis, optional
        The axis that runs, whose step decides where nothing was asked for.

    Raises
    ------
    InvalidImageError
        As `to_rate`.
    """
    if asked is not None:
        return to_rate(asked)
    seconds = SECONDS.get(axis.unit or "") if axis else None
    step = axis.scale * seconds if axis and seconds else 0.0
    is_rate = math.isfinite(step) and step > 0 and _RATES[0] <= 1 / step <= _RATES[1]
    return _simplest(1 / Fraction(step)) if is_rate else Fraction(DEFAULT_RATE)


def to_rate(frame_rate: float) -> Fraction:
    """Return a number of frames per second, as it was typed, as an exact fraction.

    >>> to_rate(29.97), to_rate(0.5), to_rate(12.5), to_rate(1 / 3)
    (Fraction(30000, 1001), Fraction(1, 2), Fraction(25, 2), Fraction(1, 3))

    Raises
    ------
    InvalidImageError
        No number, or one that is not between 0.000001 and 1000000.
    """
    if not is_real(frame_rate) or not _RATES[0] <= frame_rate <= _RATES[1]:
        raise InvalidImageError(
            f"The frame rate is {frame_rate!r}: give frames per second, a number between 0.000001 "
            "and 1000000."
        )
    exact = Fraction(str(float(frame_rate)))
    return _NTSC.get(exact) or _simplest(exact)


def _simplest(rate: Fraction) -> Fraction:
    """Return a fraction of small terms that is a rate but for the rounding of floats."""
    for most in (1001, _LARGEST_TERM):
        near = rate.limit_denominator(most) if rate >= 1 else 1 / (1 / rate).limit_denominator(most)
        if abs(near - rate) <= rate / 10**12:
            break
    return near
