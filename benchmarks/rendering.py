"""Frames drawn from samples, beside a table lookup, napari's colormaps and napari's own canvas."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Case, Group
from benchmarks.pixels import noise
from napari_ferry.image import Image

Job = Callable[[], Any]
SIDE, FRAMES = 2048, 10
TAKE = {
    "uint16, viridis": 3.0,
    "two channels added": 3.0,
    "float32, magma": 4.0,
    "labels over uint16": 5.0,
    "linear, enlarged twice": 4.0,
}
"""The most time beside a lookup of each pixel in a table of 65,536 colors."""
CANVAS = 0.1
"""The most time beside the canvas."""


def groups(folder: Path, *, quick: bool) -> list[Group]:
    """Return two groups for each scene: beside lookups, and beside the canvas if there is one."""
    side, frames, rounds = (64, 2, 1) if quick else (SIDE, FRAMES, 3)
    found = []
    for name in SCENES:
        settings = {"name": name, "side": side, "frames": frames}
        job = f"draw {frames} frames of {side} x {side}, {name}"
        goals = {"wall": TAKE[name]} if name in TAKE else {}
        cases = [
            Case("numpy take", "rendering:take", settings),
            Case("the same again (A/A)", "rendering:take", settings),
            Case("**napari-ferry**", "rendering:ferry", settings, 1, {**goals, "peak": 150}),
            Case("napari Colormap.map", "rendering:mapped", settings),
        ]
        found.append(Group(job, cases if name in MAPPED else cases[:3], rounds))
        if _has_window() and not quick:
            shown = [
                Case("napari export_figure", "rendering:canvas", settings),
                Case("**napari-ferry**", "rendering:ferry", settings, 1, {"wall": CANVAS}),
            ]
            found.append(Group(f"{job}, beside the canvas", shown, rounds))
    return found


def _has_window() -> bool:
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY"))


def ferry(out: str, name: str, side: int, frames: int) -> Job:
    from napari_ferry.rendering.render import render

    images, scale = SCENES[name](side, frames)
    render(images, scale=scale).array[0]

    def draw() -> None:
        array = render(images, scale=scale).array
        for i in range(frames):
            array[i]

    return draw


def take(out: str, name: str, side: int, frames: int) -> Job:
    pixels = noise(frames, (side, side))
    table = np.random.default_rng(0).integers(0, 2**32, 65536, np.uint32)
    table.take(pixels[0])

    def look_up() -> None:
        for frame in pixels:
            table.take(frame)

    return look_up


def mapped(out: str, name: str, side: int, frames: int) -> Job:
    from napari.utils.colormaps import AVAILABLE_COLORMAPS

    (image,), _ = SCENES[name](side, frames)
    colormap = AVAILABLE_COLORMAPS[image.display["colormap"]]
    low, high = image.display["contrast_limits"]

    def draw() -> None:
        for frame in np.asarray(image.array):
            shown = np.clip((frame - np.float32(low)) / (high - low), 0, 1)
            (colormap.map(shown) * 255).astype(np.uint8)

    return draw


def canvas(out: str, name: str, side: int, frames: int) -> Job:
    import napari
    from napari.layers import Layer

    from napari_ferry.layers.layer_data import to_layers

    images, scale = SCENES[name](side, frames)
    viewer = napari.Viewer()
    for layer in to_layers(images):
        viewer.add_layer(Layer.create(*layer))
    viewer.export_figure(scale_factor=scale, flash=False)

    def draw() -> None:
        for i in range(frames):
            viewer.dims.set_current_step(0, i)
            viewer.export_figure(scale_factor=scale, flash=False)

    return draw


def _uint16(side: int, frames: int) -> tuple[list[Image], float]:
    return [_image(noise(frames, (side, side)), "viridis")], 1


def _channels(side: int, frames: int) -> tuple[list[Image], float]:
    pixels = noise(frames, (side, side))
    first, second = _image(pixels, "green"), _image(pixels[::-1], "magenta")
    added = [
        replace(one, display={**one.display, "blending": "additive"}) for one in (first, second)
    ]
    return added, 1


def _float32(side: int, frames: int) -> tuple[list[Image], float]:
    return [_image(noise(frames, (side, side)).astype(np.float32), "magma")], 1


def _labels(side: int, frames: int) -> tuple[list[Image], float]:
    y, x = np.ogrid[:side, :side]
    cells = (y // 40 * 60 + x // 40) * ((y % 40 > 8) & (x % 40 > 8))
    labels = Image.from_array(cells.astype(np.int32), kind="labels")
    return [_image(noise(frames, (side, side)), "gray"), labels], 1


def _linear(side: int, frames: int) -> tuple[list[Image], float]:
    image = _image(noise(frames, (side // 2, side // 2)), "viridis")
    return [replace(image, display={**image.display, "interpolation2d": "linear"})], 2


def _image(pixels: NDArray[Any], colormap: str) -> Image:
    look = {"colormap": colormap, "contrast_limits": [0, 4095]}
    return replace(Image.from_array(pixels), display=look)


SCENES: dict[str, Callable[[int, int], tuple[list[Image], float]]] = {
    "uint16, viridis": _uint16,
    "two channels added": _channels,
    "float32, magma": _float32,
    "labels over uint16": _labels,
    "linear, enlarged twice": _linear,
}
MAPPED = ("uint16, viridis", "float32, magma")
