"""Frame rates as exact fractions."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from napari_ferry.arguments import is_real
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis
from napari_ferry.units import SECONDS

DEFAULT_RATE = 10
"""Frames per second of a movie whose own rate is not known, or cannot be watched."""

_SLOWEST, _FASTEST = 5, 60
"""Frames per second between which people watch a movie in real time."""

_NEAR = 1e-6
"""What steps that were stored with 32 bits are off."""

_RATES = (Fraction(1, 10**4), Fraction(10**6))
"""Least and most frames per second: what the 32 bits of a step of time in MP4 can say."""

_LARGEST_TERM = 10**6

_SLACK = Fraction(1, 10**12)
"""What rounding leaves of a float of 64 bits, as a part of it."""

_NTSC = {
    Fraction(text): Fraction(n * 1000, 1001)
    for text, n in (("23.976", 24), ("23.98", 24), ("29.97", 30), ("59.94", 60), ("119.88", 120))
}


class Pace(NamedTuple):
    """How fast a movie plays.

    Parameters
    ----------
    rate : Fraction
        Frames per second.
    note : str
        The rate and how it compares to real time, or that it is assumed; empty where it was asked
        for, or is real time.
    """

    rate: Fraction
    note: str = ""


def choose_rate(asked: float | None, axis: Axis | None, *, is_at_speed: bool = False) -> Pace:
    """Return how fast a movie plays: as asked, in real time where that can be watched, or at 10.

    >>> choose_rate(None, Axis("t", 0.05, "s")).rate
    Fraction(20, 1)
    >>> choose_rate(None, Axis("t", 30, "s")).note
    '10 per second, 300 x real time'

    Parameters
    ----------
    asked : float, optional
        Frames per second, as they were typed.
    axis : Axis, optional
        The axis that runs.
    is_at_speed : bool
        Whether the step of the axis is that of a speed that was asked for.

    Raises
    ------
    InvalidImageError
        As `to_rate`.
    """
    if asked is not None:
        return Pace(to_rate(asked))
    seconds = seconds_per_step(axis)
    if seconds is not None and is_at_speed:
        return Pace(_checked(_simplest(1 / Fraction(seconds)), 1 / seconds))
    rate = default_rate(seconds)
    if seconds is None:
        why = ": the time between frames is not known" if axis and axis.name == "t" else ""
        return Pace(rate, f"{rate} per second, which is assumed{why}")
    speed = float(rate) * seconds
    is_real_time = math.isclose(speed, 1, rel_tol=_NEAR)
    return Pace(rate, "" if is_real_time else f"{rate} per second, {speed:.4g} x real time")


def seconds_per_step(axis: Axis | None) -> float | None:
    """Return the time from one step of an axis to the next, ``None`` where it is not known."""
    unit = SECONDS.get(axis.unit or "") if axis else None
    seconds = axis.scale * unit if axis and unit else 0.0
    return seconds if 0 < seconds < math.inf else None


def default_rate(seconds: float | None) -> Fraction:
    """Return the frames per second where none are asked for: real time from 5 to 60, otherwise 10.

    Parameters
    ----------
    seconds : float, optional
        From one frame to the next, where that is known.
    """
    if seconds is None or not _SLOWEST - _NEAR <= 1 / seconds <= _FASTEST + _NEAR:
        return Fraction(DEFAULT_RATE)
    return _simplest(1 / Fraction(seconds))


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
    exact = _checked(Fraction(str(frame_rate)) if is_finite else Fraction(0), frame_rate)
    return _NTSC.get(exact) or _simplest(exact, _slack_of(frame_rate))


def _checked(rate: Fraction, given: object) -> Fraction:
    """Return a rate as it is, refusing one that no movie can have."""
    if not _RATES[0] <= rate <= _RATES[1]:
        raise InvalidImageError(
            f"The frame rate is {given!r}: give frames per second, a number between 0.0001 and "
            "1000000."
        )
    return rate


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
