"""Sample images, made by code: a calcium movie with labelled cells, a two-channel z-stack."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.image import Axis, Channel, Image


def calcium_movie(frames: int = 150, size: int = 256, seed: int = 0) -> tuple[Image, Image]:
    """Make a noisy calcium-imaging movie of blinking cells, and the cells as labels.

    Parameters
    ----------
    frames : int
        Length; 30 frames are a second.
    size : int
        Pixels along y and x, of 0.5 micrometers.
    seed : int
        Of the random numbers.

    Returns
    -------
    movie : Image
        Axes t y x, uint16.
    cells : Image
        Axes y x, uint8; each cell has a number.
    """
    random = np.random.default_rng(seed)
    n_cells = 24
    centers = random.uniform(0.08, 0.92, (n_cells, 2)) * size
    radii = random.uniform(0.018, 0.03, n_cells) * size
    distance = _distances(size, centers) / radii[:, None, None]
    footprints = np.exp(-(distance**2)).astype(np.float32)
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


def z_stack(planes: int = 24, size: int = 256, seed: int = 1) -> Image:
    """Make a z-stack of two channels: nuclei, and the filaments around them.

    Parameters
    ----------
    planes : int
        Planes of 0.25 micrometers along z.
    size : int
        Pixels along y and x, of 0.5 micrometers.
    seed : int
        Of the random numbers.

    Returns
    -------
    Image
        Axes c z y x, uint16.
    """
    random = np.random.default_rng(seed)
    centers = random.uniform(0.1, 0.9, (12, 2)) * size
    depth = random.uniform(0.25, 0.75, 12) * planes
    distance = _distances(size, centers)
    z = np.arange(planes)[:, None, None]
    nuclei = np.zeros((planes, size, size), np.float32)
    waves = np.zeros((planes, size, size), np.float32)
    for (cy, cx), cz, plane in zip(centers, depth, distance, strict=True):
        envelope = np.exp(-(((z - cz) / (0.2 * planes)) ** 2))
        nuclei += envelope * np.exp(-((plane / (0.05 * size)) ** 4))
        angle = np.arctan2(np.arange(size)[:, None] - cy, np.arange(size) - cx)
        ring = np.exp(-(((plane / size - 0.08) / 0.02) ** 2))
        waves += envelope * ring * (1 + np.cos(14 * angle + cz))
    noisy = random.poisson(120 + 1500 * np.stack([nuclei, waves])).astype(np.uint16)
    axes = (Axis("c"), Axis("z", 0.25, "micrometer"))
    return Image(
        (noisy,),
        (*axes, Axis("y", 0.5, "micrometer"), Axis("x", 0.5, "micrometer")),
        (
            Channel("nuclei", "#00ffff", (100.0, 1800.0)),
            Channel("filaments", "#ff00ff", (100.0, 2600.0)),
        ),
        name="z-stack",
    )


def _distances(size: int, centers: NDArray[Any]) -> NDArray[Any]:
    """Return the distance of each pixel from each center, axes (center, y, x), in pixels."""
    index = np.arange(size)
    dy = index[None, :, None] - centers[:, 0, None, None]
    dx = index[None, None, :] - centers[:, 1, None, None]
    distances: NDArray[Any] = np.hypot(dy, dx)
    return distances
