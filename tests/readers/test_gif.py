"""Judges of our GIF files: Chromium and gifsicle."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest

from foreign_readers import ask_chromium
from gif_files import movie, read_with_pillow, save, sha256_of, with_alpha
from napari_ferry import load_gif


def test_chromium_shows_the_same_frames(tmp_path):
    frames = movie(20, 3, size=(40, 60))
    still = np.repeat(frames[:1, ..., 0], 20, 0)
    still[5:8, 3:9, 4:30] ^= 99
    rng = np.random.default_rng(0)
    saved = [
        (save(frames[..., 1].copy(), tmp_path / "gray.gif", frame_rate=30), 667),
        (save(still, tmp_path / "still.gif", frame_rate=24), 833),
        (save(frames, tmp_path / "colors.gif", frame_rate=12.5), 1600),
        (save(frames, tmp_path / "mixed.gif", colors=16, dither=True), 2000),
        (save(rng.integers(0, 256, (8, 30, 30), np.uint8), tmp_path / "noise.gif"), 800),
    ]
    shows = ask_chromium([path for path, _ in saved], tmp_path)
    for path, milliseconds in saved:
        found = load_gif(path)
        found = found if found.ndim == 4 else found[..., None].repeat(3, -1)
        assert shows[path]["hash"] == [sha256_of(frame) for frame in with_alpha(found)]
        assert sum(shows[path]["dur"]) == pytest.approx(milliseconds, abs=5)
        assert shows[path]["rep"] == -1  # endless


def test_gifsicle_reports_no_error(tmp_path):
    if shutil.which("gifsicle") is None:
        pytest.skip("gifsicle is not in the path")
    frames = movie(20)
    frames[5:8] = frames[5]
    frames[:, :9] = frames[0, :9]
    path = save(frames, tmp_path / "a.gif", frame_rate=30)
    done = subprocess.run(
        ["gifsicle", "--info", str(path)], capture_output=True, text=True, check=True
    )

    assert not done.stderr
    assert "20 images" in done.stdout
    assert "loop forever" in done.stdout
    delays = [float(text) for text in re.findall(r"delay ([\d.]+)s", done.stdout)]
    assert sum(delays) == pytest.approx(20 / 30, abs=0.005)
    flat = tmp_path / "flat.gif"
    subprocess.run(["gifsicle", "--unoptimize", str(path), "-o", str(flat)], check=True)
    shown, _ = read_with_pillow(flat)
    np.testing.assert_array_equal(shown[..., 0], frames)
