"""Display time of each frame of a GIF, in hundredths of a second.

A delay is a whole number of hundredths (GIF89a, section 23). Therefore delays alternate if the
frame rate requires it, and each frame begins at the hundredth nearest to its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

FASTEST = Fraction(50)
"""Frames per second: browsers display a frame with a shorter delay for a tenth of a second."""

LONGEST = 65535
"""Maximum delay of a frame, in hundredths of a second."""


def frame_delays(frame_rate: Fraction, count: int) -> Iterator[int]:
    """Yield the delay of each frame, in hundredths of a second, from 2 to 65535.

    Parameters
    ----------
    frame_rate : Fraction
        Frames per second; a higher rate than `FASTEST` is limited to it.
    count : int
        Number of frames.

    >>> list(frame_delays(Fraction(30), 6)), list(frame_delays(Fraction(60), 3))
    ([3, 4, 3, 3, 4, 3], [2, 2, 2])
    """
    rate = min(frame_rate, FASTEST)
    start = 0
    for k in range(1, count + 1):
        stop = (200 * k * rate.denominator + rate.numerator) // (2 * rate.numerator)
        yield min(stop - start, LONGEST)
        start = stop


def time_losses(frame_rate: Fraction) -> Iterator[str]:
    """Yield the losses of a frame rate outside the range of a GIF."""
    if frame_rate > FASTEST:
        step = -(-frame_rate // FASTEST)
        yield (
            f"{float(frame_rate):.6g} frames per second become 50, the most that browsers play: "
            f"every frame is kept and the movie plays {float(frame_rate / FASTEST):.3g} times "
            f"slower; to keep its playback speed, save every {_ordinal(step)} frame, "
            f"images[::{step}], with frame_rate={float(frame_rate / step):.6g}"
        )
    if frame_rate * LONGEST < 100:
        yield (
            f"each frame would last {float(1 / frame_rate):.6g} s, but a GIF allows at most "
            "655.35 s: choose a higher frame rate"
        )


def _ordinal(n: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(n, f"{n}th")
