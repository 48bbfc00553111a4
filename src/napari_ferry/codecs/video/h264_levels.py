"""Level of H.264 in common players: 5.2 (ITU-T H.264, table A-1)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

_BLOCK = 16
"""Side of a macroblock in pixels."""

_MOST_BLOCKS = 36_864
"""Macroblocks of a frame at level 5.2."""

_MOST_BLOCKS_PER_SECOND = 2_073_600


def level_losses(size: tuple[int, int], frame_rate: Fraction) -> Iterator[str]:
    """Yield a sentence for frames above level 5.2, with the largest fitting size or rate.

    Parameters
    ----------
    size : tuple of int
        Height and width of a frame in pixels.
    frame_rate : Fraction
        Frames per second.
    """
    rows, columns = (math.ceil(side / _BLOCK) for side in size)
    blocks = rows * columns
    limit = "many players and hardware decoders support H.264 only up to level 5.2"
    if blocks > _MOST_BLOCKS:
        fit = math.sqrt(_MOST_BLOCKS / blocks)
        height, width = (int(side * fit) * _BLOCK for side in (rows, columns))
        yield f"{limit}: frames of this shape fit with at most {width} x {height} pixels"
    elif blocks * frame_rate > _MOST_BLOCKS_PER_SECOND:
        fitting = _MOST_BLOCKS_PER_SECOND // blocks
        yield f"{limit}: frames of this size fit with at most {fitting} per second"
