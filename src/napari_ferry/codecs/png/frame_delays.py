"""Display time of each frame of an animated PNG, a fraction of two numbers of 16 bits."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import repeat

_MOST = 65535


def frame_delays(frame_rate: Fraction, count: int) -> Iterator[Fraction]:
    """Return the delay of each frame in seconds, exact unless a term has more than 16 bits.

    Parameters
    ----------
    frame_rate : Fraction
        Frames per second.
    count : int
        Number of frames.

    >>> [*frame_delays(Fraction(30000, 1001), 2)]
    [Fraction(1001, 30000), Fraction(1001, 30000)]
    """
    return repeat(nearest_delay(frame_rate), count)


def nearest_delay(frame_rate: Fraction) -> Fraction:
    """Return the nearest storable delay, in seconds."""
    delay = 1 / frame_rate
    if delay <= 1:
        return max(delay.limit_denominator(_MOST), Fraction(1, _MOST))
    return min(1 / frame_rate.limit_denominator(_MOST), Fraction(_MOST))


def time_losses(frame_rate: Fraction) -> Iterator[str]:
    """Yield the loss of a frame rate without an exact delay."""
    delay = nearest_delay(frame_rate)
    if delay != 1 / frame_rate:
        yield f"each frame is shown for {float(delay):.6g} s, the nearest time that a PNG can store"
