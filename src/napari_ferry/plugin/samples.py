"""Synthetic sample images: movies with labeled cells, and z-stacks with two channels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.image import Axis, Channel, Image


def calcium_movie(frames: int = 150, size: int = 256, seed: int = 0) -> tuple[Image, Image]:
    """Generate a noisy calcium-imaging movie of blinking cells, and the cells as labels.

    Parameters
    ----------
    frames : int
        Number of frames, at 30 frames per second.
    size : int
        Number of pixels along y and x; each is 0.5 micrometers wide.
    seed : int
        Seed of the random number generator.

    Returns
    -------
    movie : Image
        Axes t y x, uint16.
    cells : Image
        Axes y x, uint8; each cell has its own label.
    """
    random = np.random.default_rng(seed)
    n_cells = 24
    centers = random.uniform(0.08, 0.92, (n_cells, 2)) * size
    radii = random.uniform(0.018, 0.03, n_cells) * size
    distance = _distances(size, centers) / radii[:, None, None]
    footprints = np.exp(-(distance**2)).astype(np.float32)

    # calcium decays exponentially after each spike
    spikes = random.random((n_cells, frames)) < 0.04
    decay = np.exp(-np.arange(30) / 9)
    traces = np.array([np.convolve(spike, decay)[:frames] for spike in spikes])

    clean = 180 + np.tensordot(600 * traces.T + 120, footprints, 1)
    movie = random.poisson(clean).astype(np.uint16)
    nearest = distance.argmin(0)
    labels = np.where(distance.min(0) < 1, nearest + 1, 0).astype(np.uint8)

    space = tuple(Axis(name, 0.5, "micrometer") for name in "yx")
    return (
        Image(
            (movie,),
            (Axis("t", 1 / 30, "second"), *space),
            name="calcium movie",
            display={"colormap": "inferno", "contrast_limits": [150.0, 900.0]},
        ),
        Image((labels,), space, name="cells", kind="labels", display={"opacity": 0.4}),
    )


def raw_recording(
    folder: Path, frames: int = 60, size: int = 192, header: int = 352
) -> tuple[Path, Image]:
    """Write the calcium movie as a raw file with an undocumented header.

    Parameters
    ----------
    folder : Path
        Folder for ``recording.raw``.
    frames : int
        Number of frames.
    size : int
        Number of pixels along y and x.
    header : int
        Number of bytes before the first sample.

    Returns
    -------
    path : Path
        Path of the raw file.
    cells : Image
        The cells, axes y x, uint8, in pixels.
    """
    movie, cells = calcium_movie(frames, size)
    path = folder / "recording.raw"
    path.write_bytes(b"CAM1".ljust(header, b"\0") + np.asarray(movie.array, "<u2").tobytes())
    axes = (Axis("y"), Axis("x"))
    return path, replace(cells, axes=axes, display={"opacity": 0.4})


def moving_cells(frames: int = 120, size: int = 256, seed: int = 2) -> tuple[Image, Image]:
    """Generate a noisy movie of crawling, blinking cells, and the cells as labels.

    Parameters
    ----------
    frames : int
        Number of frames, at 10 frames per second.
    size : int
        Number of pixels along y and x; each is 0.5 micrometers wide.
    seed : int
        Seed of the random number generator.

    Returns
    -------
    movie : Image
        Axes t y x, uint16.
    cells : Image
        Axes t y x, uint8; each cell keeps its label.
    """
    random = np.random.default_rng(seed)
    n_cells = 16
    radii = random.uniform(0.02, 0.035, n_cells)[:, None, None] * size
    index = np.arange(size, dtype=np.float32)
    paths = np.cumsum(random.normal(0, 0.004, (frames, n_cells, 2)), 0) * size
    paths += random.uniform(0.15, 0.85, (n_cells, 2)) * size
    rates, phases = random.uniform(0.5, 1.5, n_cells), random.uniform(0, 6, n_cells)

    movie = np.empty((frames, size, size), np.uint16)
    labels = np.empty((frames, size, size), np.uint8)
    for t, centers in enumerate(paths):
        offsets = (index - centers[:, :, None].astype(np.float32)) / radii
        y, x = np.exp(-(offsets[:, 0] ** 2)), np.exp(-(offsets[:, 1] ** 2))
        bright = 300 * (1.2 + np.sin(rates * t / 10 + phases)) ** 2
        movie[t] = random.poisson(150 + (bright[:, None] * y).T @ x)
        squares = offsets[:, 0, :, None] ** 2 + offsets[:, 1, None, :] ** 2
        labels[t] = np.where(squares.min(0) < 1, squares.argmin(0) + 1, 0)

    space = tuple(Axis(name, 0.5, "micrometer") for name in "yx")
    axes = (Axis("t", 0.1, "second"), *space)
    display = {"colormap": "gray", "contrast_limits": [100.0, 1400.0]}
    return (
        Image((movie,), axes, name="moving cells", display=display),
        Image((labels,), axes, name="cell numbers", kind="labels", display={"opacity": 0.4}),
    )


def z_stack(planes: int = 24, size: int = 256, seed: int = 1, frames: int | None = None) -> Image:
    """Generate a z-stack with two channels: nuclei, and filaments around them.

    Parameters
    ----------
    planes : int
        Number of planes along z, 0.25 micrometers apart.
    size : int
        Number of pixels along y and x; each is 0.5 micrometers wide.
    seed : int
        Seed of the random number generator.
    frames : int, optional
        Number of stacks over time, one every 30 seconds, in which the filaments rotate. If absent,
        a single stack without a time axis is generated.

    Returns
    -------
    Image
        Axes c z y x, or t c z y x; uint16.
    """
    random = np.random.default_rng(seed)
    centers = random.uniform(0.1, 0.9, (12, 2)) * size
    depth = random.uniform(0.25, 0.75, 12) * planes
    turns = np.arange(frames or 1) / 4
    clean = np.stack([_cells_in_depth(planes, size, centers, depth, turn) for turn in turns])
    noisy = random.poisson(120 + 1500 * clean).astype(np.uint16)

    time = () if frames is None else (Axis("t", 30.0, "second"),)
    axes = (Axis("c"), Axis("z", 0.25, "micrometer"))
    return Image(
        (noisy[0] if frames is None else noisy,),
        (*time, *axes, Axis("y", 0.5, "micrometer"), Axis("x", 0.5, "micrometer")),
        (
            Channel("nuclei", "#00ffff", (100.0, 1800.0)),
            Channel("filaments", "#ff00ff", (100.0, 2600.0)),
        ),
        name="z-stack",
    )


def _cells_in_depth(
    planes: int, size: int, centers: NDArray[Any], depth: NDArray[Any], turn: float
) -> NDArray[np.float32]:
    """Return nuclei and rotated filaments without noise, axes (2, z, y, x), float32."""
    z = np.arange(planes)[:, None, None]
    nuclei = np.zeros((planes, size, size), np.float32)
    waves = np.zeros((planes, size, size), np.float32)
    for (cy, cx), cz, plane in zip(centers, depth, _distances(size, centers), strict=True):
        envelope = np.exp(-(((z - cz) / (0.2 * planes)) ** 2))
        nuclei += envelope * np.exp(-((plane / (0.05 * size)) ** 4))
        angle = np.arctan2(np.arange(size)[:, None] - cy, np.arange(size) - cx)
        ring = np.exp(-(((plane / size - 0.08) / 0.02) ** 2))
        waves += envelope * ring * (1 + np.cos(14 * angle + cz + turn))
    return np.stack([nuclei, waves])


def _distances(size: int, centers: NDArray[Any]) -> NDArray[Any]:
    """Return the distance of each pixel from each center in pixels, axes (center, y, x)."""
    index = np.arange(size)
    dy = index[None, :, None] - centers[:, 0, None, None]
    dx = index[None, None, :] - centers[:, 1, None, None]
    distances: NDArray[Any] = np.hypot(dy, dx)
    return distances
