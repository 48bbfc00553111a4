"""Grid of the pixels of a picture: its size and levels of pyramids."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from helpers import make_unreadable
from napari_ferry import Axis, Image, render
from pictures import ChunkedArray, gray, placed, seen


@pytest.mark.parametrize(
    ("y", "x", "shape"),
    [
        (1, 1, (20, 30)),
        (2, 1, (40, 30)),
        (0.25, 0.5, (20, 60)),
        (1.7, 1, (34, 30)),
        (-3, 1, (60, 30)),
    ],
)
def test_the_finest_axis_determines_the_pixel_size(y: float, x: float, shape: tuple[int, int]):
    picture = render(placed(gray((20, 30)), y=(y,), x=(x,)))
    assert picture.shape == (*shape, 3)
    assert picture.axes[0].scale == picture.axes[1].scale == pytest.approx(min(abs(y), abs(x)))


def test_pixels_are_enlarged():
    image = gray((20, 30))
    picture = render(image, scale=3)
    assert np.array_equal(seen(picture), np.kron(image.array, np.ones((3, 3), np.uint8)))
    assert picture.axes[0].scale == pytest.approx(1 / 3)
    assert picture.axes[0].translation == pytest.approx(-1 / 3)


@pytest.mark.parametrize(("scale", "which"), [(2, 0), (1, 0), (0.5, 1), (0.3, 1), (0.25, 2)])
def test_the_smallest_sufficient_level_is_read(scale: float, which: int):
    shapes = [(3, 64, 96), (3, 32, 48), (3, 16, 24)]
    levels: list[Any] = [make_unreadable(shape, "uint8") for shape in shapes]
    levels[which] = gray(shapes[which]).array
    image = replace(gray(shapes[0]), levels=tuple(levels))
    picture = render(image, scale=scale)
    size = (int(64 * scale), int(96 * scale))
    assert picture.array[1].shape == (*size, 3)
    if size == shapes[which][1:]:
        assert np.array_equal(picture.array[1][..., 0], levels[which][1])


@pytest.mark.parametrize(
    ("shape", "fit", "factor"),
    [
        ((270, 480), "1080p", 4),
        ((270, 300), "1080p", 4),
        ((300, 300), "1080p", 3),
        ((300, 300), "4K", 7),
        ((1080, 1920), "1080p", 1),
        ((1080, 100), "4K", 2),
    ],
)
def test_a_small_picture_is_enlarged_by_an_integer(shape: tuple[int, int], fit: Any, factor: int):
    image = gray(shape)
    found = seen(render(image, fit=fit))
    assert np.array_equal(found, np.asarray(image.array).repeat(factor, 0).repeat(factor, 1))


@pytest.mark.parametrize(
    ("shape", "fit", "factor"),
    [
        ((2160, 3840), "1080p", 2),
        ((1081, 1000), "1080p", 2),
        ((2161, 3999), "1080p", 3),
        ((101, 7681), "4K", 3),
    ],
)
def test_a_large_picture_is_reduced_to_means_of_blocks(
    shape: tuple[int, int], fit: Any, factor: int
):
    image = gray(shape)
    rows, columns = shape[0] // factor, shape[1] // factor
    whole = np.asarray(image.array)[: rows * factor, : columns * factor]
    blocks = whole.reshape(rows, factor, columns, factor).astype(int).sum((1, 3))
    means = (blocks + factor**2 // 2) // factor**2
    picture = render(image, fit=fit)
    assert np.array_equal(seen(picture), means)
    assert picture.axes[1].scale == pytest.approx(factor)
    assert picture.axes[1].translation == pytest.approx((factor - 1) / 2)


def test_a_picture_narrower_than_a_block_keeps_a_line():
    image = replace(gray((3, 13000)), levels=(np.full((3, 13000), 255, np.uint8),))
    picture = render(image, fit="1080p")
    assert picture.shape == (1, 1857, 3)
    assert (seen(picture) == 255).all()


def test_a_pyramid_is_fitted_from_a_smaller_level():
    """The full resolution is not read, and the picture equals the level."""
    full = np.kron(np.arange(40 * 60).reshape(40, 60) % 256, np.ones((128, 128))).astype(np.uint8)
    levels = [ChunkedArray(level, (512, 512)) for level in (full, full[::4, ::4].copy())]
    image = Image(tuple(levels), (Axis("y"), Axis("x")))  # type: ignore[arg-type]
    fitted = render([image], fit="1080p")
    assert np.asarray(fitted.array).shape == (640, 960, 3)
    assert not levels[0].reads
    assert fitted.axes[0].scale == 8


def test_a_reduced_picture_is_drawn_in_parts(monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (2500, 2100), np.uint8)
    labels = (pixels > 128).astype(np.uint8)
    axes = (Axis("y"), Axis("x"))
    images = [
        Image((pixels,), axes, display={"colormap": "green"}),
        Image((labels,), axes, kind="labels", display={"contour": 2}),
    ]
    whole = np.asarray(render(images, fit="1080p").array)
    monkeypatch.setattr("napari_ferry.rendering.compose._CANVAS_BYTES", 1 << 20)
    np.testing.assert_array_equal(render(images, fit="1080p").array, whole)
