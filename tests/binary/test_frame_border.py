"""Borders of frames, to the sample."""

from __future__ import annotations

import numpy as np
import pytest

from napari_ferry.codecs.binary.layout.signals.frame_border import BorderFinder
from raw_files import unrelated_sections


@pytest.mark.parametrize("away", [-6, 0, 5])
@pytest.mark.parametrize("gap", [0, 40, 300])
def test_frame_border_is_found_to_the_sample(gap, away):
    frames = unrelated_sections(6)
    rng = np.random.default_rng(7)
    between = 1 + 0.3 * rng.standard_normal((6, gap))
    window = np.concatenate(
        [x for one, some in zip(frames, between, strict=True) for x in (one.ravel(), some)]
    )
    pitch = 120 * 150 + gap
    borders = BorderFinder(window[1234:].astype(np.float32), 150, 1)
    best = borders.find(pitch + away, lambda pitch: [pitch % 150 + 150 * k for k in range(4)])
    assert any((one.pitch, one.first, one.gap) == (pitch, pitch - 1234, gap) for one in best)


def test_no_border_is_found_in_noise():
    noise = np.random.default_rng(8).standard_normal(80_000).astype(np.float32)
    assert not [
        one for one in BorderFinder(noise, 150, 1).find(9000, lambda _: [0]) if one.score > 60
    ]
