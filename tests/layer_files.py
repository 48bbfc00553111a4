"""Layers saved and opened through napari's plugin manager, for several tests."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import LayerList, ViewerModel
from napari.layers import Image as ImageLayer
from napari.layers import Layer

from napari_ferry.cli.demo import differences

PLUGIN = "napari-ferry"
SUFFIXES = (".tif", ".ome.tif", ".bin")

every_suffix = pytest.mark.parametrize("suffix", SUFFIXES)


class Clock:
    """Clock with a time set by tests."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def pixels(*shape: int, dtype: str = "uint16", seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 250, shape).astype(dtype)


def save(path: Path, *layers: Layer, plugin: str | None = PLUGIN) -> list[Path]:
    return [Path(saved) for saved in LayerList(layers).save(str(path), plugin=plugin)]


def open_layers(*paths: Path, stack: bool = False) -> list[Layer]:
    viewer = ViewerModel()
    viewer.open([str(path) for path in paths], plugin=PLUGIN, stack=stack)
    return list(viewer.layers)


def round_trip(path: Path, *layers: Layer) -> list[Layer]:
    return open_layers(save(path, *layers)[0])


def assert_same(before: Layer, after: Layer) -> None:
    """Compare pixels, types and all properties passed to writers."""
    assert after.data.shape == before.data.shape
    assert differences(before, after) == []


def make_channels(**options: Any) -> list[Layer]:
    shown = [
        {"colormap": "green", "contrast_limits": (3, 100), "metadata": {"laser": 488}},
        {"colormap": "magma", "gamma": 0.5, "opacity": 0.5, "metadata": {"laser": 561}},
        {"colormap": "gray", "visible": False, "blending": "additive"},
    ]
    return [
        ImageLayer(pixels(4, 16, 20, seed=i), **{"name": name, **own, **options})
        for i, (name, own) in enumerate(zip(("GFP", "RFP", "DIC"), shown, strict=True))
    ]
