"""Reasons for layouts, in words."""

from __future__ import annotations

from napari_ferry import find_layouts
from raw_files import scene, stored, write


def test_reasons_name_rows_and_frames_in_bytes(tmp_path):
    best = find_layouts(write(tmp_path / "a.raw", stored("<u2", scene())))[0]
    reasons = "; ".join(best.reasons)
    assert "rows repeat every 264 bytes" in reasons
    assert "frames begin every 23,760 bytes" in reasons
