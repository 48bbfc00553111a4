"""Gaps after the frames of raw files."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_ferry import find_layouts
from raw_files import brief, more, scene, stored, unrelated_sections


@pytest.mark.parametrize("is_last", [True, *more((False,))], ids=["after-each", "between"])
def test_bytes_after_each_frame_are_a_gap(tmp_path, is_last):
    frames = [frame.tobytes() + bytes(64) for frame in stored("<u2", scene())]
    data = b"".join(frames)
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(512) + (data if is_last else data[:-64]))
    best = find_layouts(path)[0]
    assert (*brief(best), best.gap) == ("<u2", 512, 12, 90, 132, 1, 64)
    assert "64 bytes after each" in str(best)
    assert any("not a whole number of rows" in reason for reason in best.reasons)


def test_gaps_are_found_between_dissimilar_frames(tmp_path):
    rng = np.random.default_rng(2)
    moving = gaussian_filter(rng.standard_normal((5, 120, 150)), (0, 2, 2))
    still = gaussian_filter(rng.standard_normal((120, 150)), 2)
    opposite = [(1 if t % 2 else -1) * 3 * still + 0.3 * one for t, one in enumerate(moving)]
    path = tmp_path / "a.raw"
    path.write_bytes(b"".join(one.astype("<f4").tobytes() + bytes(64) for one in opposite))
    best = find_layouts(path)[0]
    assert (*brief(best), best.gap) == ("<f4", 0, 5, 120, 150, 1, 64)


def test_gap_is_found_between_unrelated_sections(tmp_path):
    path = tmp_path / "a.raw"
    path.write_bytes(
        b"".join(one.tobytes() + bytes(64) for one in stored("<i4", unrelated_sections(4)))
    )
    best = find_layouts(path)[0]
    assert (*brief(best), best.gap) == ("<i4", 0, 4, 120, 150, 1, 64)


def test_gap_may_be_as_long_as_a_row(tmp_path):
    rng = np.random.default_rng(4)
    frames = stored("<u2", scene((12, 90, 128)))
    data = b"".join(one.tobytes() + rng.bytes(256) for one in frames)
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(512) + data[:-256])
    found = find_layouts(path)
    gaps = {(*brief(layout), layout.gap): layout for layout in found[:3]}
    reasons = gaps["<u2", 512, 12, 90, 128, 1, 256].reasons
    assert "frames repeat every 23,296 bytes: the last 256 bytes of each are not pixels" in reasons
