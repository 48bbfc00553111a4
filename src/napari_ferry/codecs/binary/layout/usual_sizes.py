"""Frame sizes and header lengths of common cameras and programs."""

from __future__ import annotations

import math

_SIDES = (
    *(32, 48, 50, 64, 80, 96, 100, 112, 120, 128, 144, 150, 160, 176, 180, 192, 200, 224, 240),
    *(250, 256, 288, 300, 320, 350, 352, 360, 384, 400, 424, 426, 432, 448, 450, 480, 500, 512),
    *(540, 560, 576, 600, 608, 640, 648, 672, 696, 700, 704, 720, 736, 750, 752, 768, 782, 800),
    *(854, 864, 896, 900, 960, 964, 968, 972, 1000, 1004, 1008, 1024, 1032, 1038, 1040, 1080),
    *(1100, 1104, 1152, 1188, 1200, 1216, 1224, 1232, 1280, 1288, 1296, 1300, 1344, 1360, 1376),
    *(1380, 1388, 1392, 1400, 1440, 1456, 1460, 1500, 1520, 1528, 1536, 1600, 1608, 1616, 1624),
    *(1626, 1664, 1680, 1696, 1700, 1728, 1776, 1800, 1840, 1844, 1856, 1920, 1928, 1936, 1944),
    *(2000, 2040, 2044, 2048, 2056, 2058, 2064, 2076, 2080, 2136, 2160, 2192, 2200, 2304, 2400),
    *(2448, 2456, 2464, 2472, 2560, 2592, 2748, 2752, 2758, 2816, 2880, 3000, 3072, 3200, 3208),
    *(3216, 3240, 3248, 3264, 3456, 3648, 3672, 3840, 3856, 4000, 4008, 4024, 4032, 4056, 4096),
    *(4104, 4112, 4128, 4320, 4432, 4504, 4512, 4608, 4656, 4872, 4896, 4928, 5120, 5184, 5320),
    *(5472, 5496, 6000, 6144, 6464, 6576, 7680, 7920, 8192, 9568, 10000),
)
USUAL_SIDES = frozenset(_SIDES)
"""Widths and heights of frames, in pixels."""

USUAL_HEADERS = (
    *(0, 128, 256, 352, 512, 1024, 2048, 4096, 8, 12, 16, 32, 64, 80, 96, 348, 384, 500, 640),
    *(768, 800, 1000, 1280, 1536, 2880, 3072, 4100, 6144, 8192),
)
"""Lengths of headers in bytes, the most common ones first."""

MAX_OFFSET = 8192
"""Maximum length of a header or gap, in bytes, tried without evidence for it."""


def header_prior(offset: int) -> float:
    """Return the log probability of a header of some bytes, up to a constant."""
    if offset == 0:
        return 0.0
    if offset in USUAL_HEADERS:
        return -2.2
    if offset > MAX_OFFSET:
        return -6.0 - math.log(offset / MAX_OFFSET)
    return -3.0 if offset % 512 == 0 else -4.0 if offset % 16 == 0 else -5.0


def shape_features(y: int, x: int, frames: int) -> dict[str, float]:
    """Return the evidence for and against the shape of a frame."""
    aspect = abs(math.log(y / x))

    # "asp2" adds to "asp" for frames more elongated than 3 to 1.
    return {
        "square": float(y == x),
        "pow2": float(y & (y - 1) == 0 and x & (x - 1) == 0),
        "pop_x": float(x in USUAL_SIDES),
        "pop_y": float(y in USUAL_SIDES),
        "pop_both": float(y in USUAL_SIDES and x in USUAL_SIDES),
        "m8y": float(y % 8 == 0),
        "m8x": float(x % 8 == 0),
        "asp": aspect,
        "asp2": max(0.0, aspect - 1.1),
        "tiny": float(min(x, y) < 32),
        "t1": float(frames == 1),
        "log_t": math.log10(frames),
    }
