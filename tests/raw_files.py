"""Raw files with and without sidecars, and movies of noisy scenes, for several tests."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_ferry import Layout
from napari_ferry.codecs.binary.sidecar import sidecar_path

SIDECAR = {"frames": 5, "y": 12, "x": 16, "dtype": "uint16"}

U2 = np.dtype("<u2")
ONE = Layout(dtype=U2, offset=0, frames=10, y=8, x=16)


def raw(folder: Path, nbytes: int = 2560, name: str = "a.raw", record: object = None) -> Path:
    path = folder / name
    path.write_bytes(np.arange(nbytes, dtype=np.uint8).tobytes())
    if record is not None:
        sidecar_path(path).write_text(json.dumps(record))
    return path


@cache
def scene(shape: tuple[int, int, int] = (12, 90, 132), seed: int = 0) -> np.ndarray:
    """A camera movie of floats around 1, with noise of 2 percent."""
    rng = np.random.default_rng(seed)
    still = gaussian_filter(rng.standard_normal(shape[1:]), 3)
    still = 1 + 0.25 * still / still.std()
    moving = gaussian_filter(rng.standard_normal(shape), (1, 4, 4))
    movie = still + 0.1 * moving / moving.std() + 0.02 * rng.standard_normal(shape)
    movie.flags.writeable = False  # shared by many tests
    return movie


def stored(dtype: str, pixels: np.ndarray) -> np.ndarray:
    kind = np.dtype(dtype)
    if kind.kind == "f":
        return pixels.astype(kind)
    most = {1: 100, 2: 9000, 4: 900_000}[kind.itemsize]
    centered = pixels - 1 if kind.kind == "i" else pixels
    return np.clip(centered * most / 2, 0 if kind.kind == "u" else -most, 2 * most).astype(kind)


def write(path: Path, pixels: np.ndarray, header: bytes = b"") -> Path:
    path.write_bytes(header + pixels.tobytes())
    return path


def brief(layout: Layout) -> tuple:
    return (
        layout.dtype.str.lstrip("|"),
        layout.offset,
        layout.frames,
        layout.y,
        layout.x,
        layout.channels,
    )


def more(values: tuple) -> list:
    """Values for thorough runs only."""
    return [pytest.param(value, marks=pytest.mark.thorough) for value in values]


def unrelated_sections(nt: int, seed: int = 3) -> np.ndarray:
    """Sections with nothing in common but their texture, shape (nt, 120, 150)."""
    noise = np.random.default_rng(seed).standard_normal((nt, 120, 150))
    smooth = gaussian_filter(noise, (0, 2, 2))
    return 1 + 0.3 * smooth / smooth.std()
