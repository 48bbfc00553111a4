"""Level 5.2 of H.264: movies above it are reported with what fits."""

from __future__ import annotations

from fractions import Fraction

import pytest

from napari_ferry.codecs.video.h264_levels import level_losses


@pytest.mark.parametrize(
    ("height", "width", "rate", "fitting"),
    [
        (512, 512, 30, ""),
        (2304, 4096, 56, ""),
        (2304, 4096, 57, "56 per second"),
        (1080, 1920, 500, "254 per second"),
        (1024, 1024, 1000, "506 per second"),
        (4096, 4096, 1, "3072 x 3072 pixels"),
        (2305, 4096, 1, "4080 x 2304 pixels"),
        (100, 16384, 30, ""),
    ],
)
def test_what_fits_is_named(height: int, width: int, rate: int, fitting: str) -> None:
    losses = "; ".join(level_losses((height, width), Fraction(rate)))
    assert fitting in losses if fitting else not losses
