"""Reasons for layouts, in words, and the numbers behind them."""

from __future__ import annotations

import numpy as np

from napari_ferry import find_layouts
from raw_files import scene, stored, write


def test_reasons_are_plain_and_details_have_the_numbers(tmp_path):
    best = find_layouts(write(tmp_path / "a.raw", stored("<u2", scene())))[0]
    assert best.reasons[:3] == (
        "neighboring pixels are smooth as uint16",
        "rows of 132 pixels and frames of 90 rows repeat",
        "the file size fits exactly",
    )
    details = "; ".join(best.details)
    assert "bits per byte" in details
    assert "rows repeat every 264 bytes" in details
    assert "frames begin every 23,760 bytes" in details


def test_noise_is_not_called_smooth(tmp_path):
    path = tmp_path / "noise.raw"
    path.write_bytes(np.random.default_rng(0).bytes(40_000))
    assert not any("smooth" in reason for layout in find_layouts(path) for reason in layout.reasons)
