"""How long each frame of a GIF is shown, in its hundredths of a second.

A delay is a whole number of hundredths (GIF89a, section 23). So delays alternate where the frame
rate asks for it, and each frame begins at the hundredth that is nearest to its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

FASTEST = Fraction(50)
"""Frames per second: browsers show a frame for a tenth of a second that is to last less."""

LONGEST = 65535
"""Hundredths of a second that a frame can last."""


def frame_delays(frame_rate: Fraction, count: int) -> Iterator[int]:
    """Yield the delay of each frame, in hundredths of a second, from 2 to 65535.

    Parameters
    ----------
    frame_rate : Fraction
        Frames per second; no more than `FASTEST` are shown.
    count : int
        Number of frames.

    >>> list(frame_delays(Fraction(30), 6)), list(frame_delays(Fraction(60), 3))
    ([3, 4, 3, 3, 4, 3], [2, 2, 2])
    """
    rate = min(frame_rate, FASTEST)
    before = 0
    for k in range(1, count + 1):
        now = (200 * k * rate.denominator + rate.numerator) // (2 * rate.numerator)
        yield min(now - before, LONGEST)
        before = now


def time_losses(frame_rate: Fraction) -> Iterator[str]:
    """Say what becomes of a frame rate that a GIF cannot have."""
    if frame_rate > FASTEST:
        every = -(-frame_rate // FASTEST)
        yield (
            f"{float(frame_rate):.6g} frames per second become 50, the most that browsers play: "
            f"every frame is kept and the movie plays {float(frame_rate / FASTEST):.3g} times "
            f"slower; to keep its pace, save every {_nth(every)} frame, images[::{every}], with "
            f"frame_rate={float(frame_rate / every):.6g}"
        )
    if frame_rate * LONGEST < 100:
        yield (
            f"a frame would last {float(1 / frame_rate):.6g} s and can last 655.35 s: choose a "
            "frame rate to see the movie run"
        )


def _nth(n: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(n, f"{n}th")
