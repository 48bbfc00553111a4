"""Mapping of samples to 8 bits for a movie."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import napari_ferry
from napari_ferry import Image, imload, load_video, save_video

# Movies of the samples as they are; tests/rendering/test_save.py tests rendered movies.
imsave = partial(napari_ferry.imsave, as_seen=False)


@pytest.mark.parametrize("dtype", ["uint16", "int16", "float32", "float64", "int64", ">u2", "bool"])
def test_samples_are_mapped_from_their_range(dtype: str, tmp_path: Path) -> None:
    steps = np.linspace(0, 1, 256).reshape(16, 16).repeat(8, 0).repeat(8, 1)
    movie = np.stack([steps * 1000 + 7] * 3).astype(dtype) if dtype != "bool" else steps[None] > 0.5
    (path,) = save_video(tmp_path / "a.mkv", movie)
    found = load_video(path)
    if dtype in ("uint16", ">u2"):
        np.testing.assert_array_equal(found, movie)  # FFV1 stores them unchanged
    else:
        assert found.dtype == np.uint8
        assert (found.min(), found.max()) == (0, 255)
        assert (np.diff(found[0, 4::8, 4::8].ravel().astype(int)) >= 0).all()


def test_nan_is_black_and_infinity_is_white(tmp_path: Path) -> None:
    frame = np.tile(np.linspace(1, 2, 32, dtype="f4"), (32, 1))
    frame[:8, :8], frame[:8, 8:16], frame[:8, 16:24] = np.nan, np.inf, -np.inf
    save_video(tmp_path / "a.mkv", frame[None])
    found = load_video(tmp_path / "a.mkv")[0]
    assert (found[2, 2], found[2, 10], found[2, 20], found[20, 0]) == (0, 255, 0, 0)


def test_contrast_limits_are_applied(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (2, 16, 1))
    image = replace(Image.from_array(ramp), display={"contrast_limits": [50, 150]})
    (path,) = imsave(image, tmp_path / "a.mp4", quality="best")
    (found,) = imload(path)
    expected = np.clip((np.arange(256.0) - 50) * 2.55, 0, 255)
    assert np.abs(found.array[0, 8] - expected).mean() < 2
    assert found.metadata["mapped from"] == {"dtype": "uint8", "low": 50.0, "high": 150.0}
    assert "contrast_limits" not in found.display
