"""Frame rates as exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from napari_ferry.arguments import is_real
from napari_ferry.axes import Axis
from napari_ferry.errors import InvalidImageError
from napari_ferry.units import SECONDS

DEFAULT_RATE = 10
"""Frames per second of a movie whose image does not know its own."""

_RATES = (Fraction(1, 10**4), Fraction(10**6))
"""Least and most frames per second: what the 32 bits of a step of time in MP4 can say."""

_LARGEST_TERM = 10**6

_SLACK = Fraction(1, 10**12)
"""What rounding leaves of a float of 64 bits, as a part of it."""

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
        No number, or one that is not between 0.0001 and 1000000.
    """
    is_finite = is_real(frame_rate) and math.isfinite(frame_rate)
    # the shortest text that is this float, so that 29.97 is that in 32 bits, too
    exact = Fraction(str(frame_rate)) if is_finite else Fraction(0)
    if not _RATES[0] <= exact <= _RATES[1]:
        raise InvalidImageError(
            f"The frame rate is {frame_rate!r}: give frames per second, a number between 0.0001 "
            "and 1000000."
        )
    return _NTSC.get(exact) or _simplest(exact, _slack_of(frame_rate))


def _slack_of(number: object) -> Fraction:
    """Return what rounding leaves of a number, as a part of it."""
    if not isinstance(number, np.floating):
        return _SLACK
    return max(_SLACK, Fraction(float(np.finfo(number.dtype).eps)))


def _simplest(rate: Fraction, slack: Fraction = _SLACK) -> Fraction:
    """Return a fraction of small terms that is a rate but for the rounding of floats."""
    for most in (1001, _LARGEST_TERM):
        near = rate.limit_denominator(most) if rate >= 1 else 1 / (1 / rate).limit_denominator(most)
        if abs(near - rate) <= rate * slack:
            break
    return near
