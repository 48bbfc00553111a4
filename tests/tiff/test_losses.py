"""Losses of TIFF: what only napari-ferry restores, and what other programs do not read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_ferry import Axis, Image, plan


def losses_of(image: Image, path: Path, **options: Any) -> str:
    return "; ".join(plan(image, path, **options).losses)


@pytest.mark.parametrize(
    ("shape", "dtype", "options", "words"),
    [
        ((4, 20, 20), "uint16", {}, ""),
        ((1100, 1200), "uint8", {"pyramid": True}, "a pyramid is stored in tiles, which ImageJ"),
        ((5000, 5000), "uint8", {}, "a pyramid is stored in tiles, which ImageJ"),
        ((5000, 5000), "uint8", {"pyramid": False}, "large planes are stored in tiles"),
        ((600, 700), "uint8", {"pyramid": True}, "at most 1024 pixels per side get no pyramid"),
        ((4, 20, 20), "complex64", {}, "ImageJ and Bio-Formats do not read complex numbers"),
        ((4, 20, 20), "uint16", {"compression": "zstd"}, "do not read zstd"),
    ],
)
def test_obstacles_to_other_programs_are_named(
    shape: tuple[int, ...], dtype: str, options: dict[str, Any], words: str, tmp_path: Path
) -> None:
    image = Image.from_array(np.broadcast_to(np.zeros((), dtype), shape), "tyx"[-len(shape) :])
    losses = losses_of(image, tmp_path / "a.ome.tif", **options)
    assert words in losses if words else not losses


@pytest.mark.parametrize("dtype", ["int64", "float16"])
def test_types_unknown_to_other_programs_are_named(dtype: str, tmp_path: Path) -> None:
    image = Image.from_array(np.zeros((20, 20), dtype), "yx")
    assert f"Bio-Formats do not read samples of {dtype}" in losses_of(image, tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize(
    ("axis", "step"),
    [
        (Axis("z", 0.5), "z without its step (0.5 pixel)"),
        (Axis("z", 2, "degree"), "z without its step (2 degree)"),
        (Axis("z"), ""),
        (Axis("z", 2, "micrometer"), ""),
    ],
)
def test_a_step_without_a_place_is_a_loss(
    axis: Axis, step: str, suffix: str, tmp_path: Path
) -> None:
    image = Image.from_array(np.zeros((3, 20, 20), "u2"), "zyx")
    losses = losses_of(replace(image, axes=(axis, *image.axes[1:])), tmp_path / f"a{suffix}")
    assert step in losses if step else not losses
