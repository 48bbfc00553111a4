"""Frame rates as exact fractions."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from napari_ferry.arguments import is_real
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis
from napari_ferry.units import SECONDS

RATE_KEY = "frame rate"
"""Key of our record in a movie: the frame rate as saved, such as ``30000/1001``."""

DEFAULT_RATE = 10
"""Frames per second of a movie whose own rate is unknown, too low or too high to watch."""

_SLOWEST, _FASTEST = 5, 60
"""Lowest and highest frames per second of a movie that plays in real time by default."""

_NEAR = 1e-6
"""Tolerance in frames per second, for steps that were stored as 32-bit floats."""

_RATES = (Fraction(1, 10**4), Fraction(10**6))
"""Lowest and highest frames per second: the range of the 32-bit time steps in MP4."""

_LARGEST_TERM = 10**6

_SLACK = Fraction(1, 10**12)
"""Relative rounding error of a 64-bit float."""

_NTSC = {
    Fraction(text): Fraction(n * 1000, 1001)
    for text, n in (("23.976", 24), ("23.98", 24), ("29.97", 30), ("59.94", 60), ("119.88", 120))
}


class MovieRate(NamedTuple):
    """Frame rate of a movie.

    Parameters
    ----------
    rate : Fraction
        Frames per second.
    note : str
        The rate and how it compares to real time, or that it is assumed; empty for a rate that was
        given or that is real time.
    """

    rate: Fraction
    note: str = ""


def choose_rate(given: float | None, axis: Axis | None, *, is_at_speed: bool = False) -> MovieRate:
    """Choose the frame rate of a movie: the given one, real time, or 10 per second.

    >>> choose_rate(None, Axis("t", 0.05, "s")).rate
    Fraction(20, 1)
    >>> choose_rate(None, Axis("t", 30, "s")).note
    '10 per second, 300 x real time'

    Parameters
    ----------
    given : float, optional
        Frames per second, as typed.
    axis : Axis, optional
        The frame axis.
    is_at_speed : bool
        True if the step of the axis already includes a playback speed.

    Raises
    ------
    InvalidImageError
        The frame rate is not between 0.0001 and 1000000 per second.
    """
    if given is not None:
        return MovieRate(to_rate(given))

    seconds = seconds_per_step(axis)
    if seconds is not None and is_at_speed:
        return MovieRate(_checked(_simplest(1 / Fraction(seconds)), 1 / seconds))

    rate = default_rate(seconds)
    if seconds is None:
        why = ": the time between frames is not known" if axis and axis.name == "t" else ""
        return MovieRate(rate, f"{rate} per second, which is assumed{why}")
    speed = float(rate) * seconds
    is_real_time = math.isclose(speed, 1, rel_tol=_NEAR)
    return MovieRate(rate, "" if is_real_time else f"{rate} per second, {speed:.4g} x real time")


def seconds_per_step(axis: Axis | None) -> float | None:
    """Return the time between two indices of an axis in seconds, or ``None`` if unknown."""
    unit = SECONDS.get(axis.unit or "") if axis else None
    seconds = axis.scale * unit if axis and unit else 0.0
    return seconds if 0 < seconds < math.inf else None


def default_rate(seconds: float | None) -> Fraction:
    """Return the default frames per second: real time if from 5 to 60, otherwise 10.

    Parameters
    ----------
    seconds : float, optional
        Time between two frames, if known.
    """
    if seconds is None or not _SLOWEST - _NEAR <= 1 / seconds <= _FASTEST + _NEAR:
        return Fraction(DEFAULT_RATE)
    return _simplest(1 / Fraction(seconds))


def to_rate(frame_rate: float | Fraction) -> Fraction:
    """Return a number of frames per second as an exact fraction.

    A number is read as it was typed: 29.97 and other NTSC rates are n x 1000/1001.

    >>> to_rate(29.97), to_rate(0.5), to_rate(12.5), to_rate(1 / 3)
    (Fraction(30000, 1001), Fraction(1, 2), Fraction(25, 2), Fraction(1, 3))

    Raises
    ------
    InvalidImageError
        The rate is not a number between 0.0001 and 1000000.
    """
    if isinstance(frame_rate, Fraction):
        return _checked(frame_rate, frame_rate)
    is_finite = is_real(frame_rate) and math.isfinite(frame_rate)
    # str gives the shortest text of a float, so 29.97 is recognized in 32 bits, too
    exact = _checked(Fraction(str(frame_rate)) if is_finite else Fraction(0), frame_rate)
    return _NTSC.get(exact) or _simplest(exact, _slack_of(frame_rate))


def _checked(rate: Fraction, given: object) -> Fraction:
    """Return a rate, or raise an error for one out of range."""
    if not _RATES[0] <= rate <= _RATES[1]:
        raise InvalidImageError(
            f"The frame rate is {given!r}: give frames per second, a number between 0.0001 and "
            "1000000."
        )
    return rate


def _slack_of(number: object) -> Fraction:
    """Return the relative rounding error of a number."""
    if not isinstance(number, np.floating):
        return _SLACK
    return max(_SLACK, Fraction(float(np.finfo(number.dtype).eps)))


def _simplest(rate: Fraction, slack: Fraction = _SLACK) -> Fraction:
    """Return a fraction with small terms, equal to a rate within the rounding error."""
    for most in (1001, _LARGEST_TERM):
        near = rate.limit_denominator(most) if rate >= 1 else 1 / (1 / rate).limit_denominator(most)
        if abs(near - rate) <= rate * slack:
            break
    return near


def parse_rate(rate: object) -> Fraction | None:
    """Return the rate of a record, or ``None`` if it is invalid.

    The digits are limited, because `Fraction` would expand 1e999999999.
    """
    is_valid = re.fullmatch(r"[1-9]\d{0,11}(/[1-9]\d{0,11})?", str(rate), re.ASCII)
    return Fraction(str(rate)) if is_valid else None
