"""Judges of our GIF files: Chromium, gifsicle, FFmpeg and Pillow."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe
from numpy.typing import NDArray

from foreign_readers import ask_chromium
from gif_files import movie, read_with_pillow, save, sha256_of, with_alpha, with_holes
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
        (save(with_holes(frames), tmp_path / "holes.gif", frame_rate=20), 1000),
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


def read_with_ffmpeg(path: Path, shape: tuple[int, ...]) -> NDArray[Any]:
    """Read frames with alpha, axes (t, y, x, 4)."""
    command = [get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-fps_mode", "passthrough"]
    done = subprocess.run(
        [*command, "-f", "rawvideo", "-pix_fmt", "rgba", "-"], capture_output=True, check=True
    )
    assert not done.stderr
    return np.frombuffer(done.stdout, np.uint8).reshape(shape)


@pytest.mark.parametrize("task_bytes", [1, 20_000, 4 << 20])
@pytest.mark.parametrize("kind", ["hole", "disk", "blinking", "border", "colorful"])
def test_ffmpeg_and_pillow_see_the_same_transparent_pixels(kind, task_bytes, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_ferry.saving.stream._TASK_BYTES", task_bytes)
    frames = with_holes(movie(12, 3, size=(40, 60)) // 64 * 64)
    if kind == "disk":
        frames = with_alpha(np.concatenate([frames[::-1, ..., :3], 255 - frames[..., 3:]], -1))
    if kind == "blinking":
        frames[[0, 3, 4, 11]] = 0
    if kind == "border":
        frames[:, :5] = 0
        frames[..., 3] = frames[:1, ..., 3]
    if kind == "colorful":
        frames[..., :3] |= movie(12, 3, size=(40, 60))
        frames = with_alpha(frames)

    path = save(frames, tmp_path / "a.gif")
    found = load_gif(path)
    np.testing.assert_array_equal(found[..., 3], frames[..., 3])
    if kind != "colorful":
        np.testing.assert_array_equal(found, with_alpha(frames))
    for seen in (read_with_ffmpeg(path, frames.shape), read_with_pillow(path, "RGBA")[0]):
        np.testing.assert_array_equal(with_alpha(seen), found)
