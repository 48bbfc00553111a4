"""Display settings of images as colors of their samples."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from helpers import make_unreadable
from napari_ferry.errors import FerryWarning
from napari_ferry.image import Image
from napari_ferry.rendering.render import render
from napari_ferry.rendering.style import choose_paint
from pictures import FULL, counted, gray, seen


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("opacity", value) for value in ("x", -1, 2, math.nan, None, True, [1])),
        *(("gamma", value) for value in ("x", 0, -1, math.nan, math.inf)),
        *(("visible", value) for value in (0, "no", None)),
        *(("blending", value) for value in ("x", 5, None)),
        *(("interpolation2d", value) for value in ("nearest",)),
        *(("contrast_limits", value) for value in ("ab", [9, 1], [5, 5], [0, math.nan], [1])),
    ],
)
@pytest.mark.parametrize("axes", ["yx", "yxs"])
def test_an_invalid_display_value_is_ignored(key: str, value: Any, axes: str):
    pixels = np.arange(48, dtype=np.uint8).reshape((4, 4, 3) if axes == "yxs" else (6, 8))
    plain = Image.from_array(pixels, axes)
    found = np.asarray(render(replace(plain, display={key: value})).array)
    assert np.array_equal(found, np.asarray(render(plain).array))


@pytest.mark.parametrize("value", ["nope", 5, {}, ["a"], {"colors": "x"}, {"colors": [[1]]}])
def test_an_unknown_colormap_is_gray_with_a_warning(value: Any):
    plain = gray((4, 5), name="cells")
    with pytest.warns(FerryWarning, match="cells: the file contains values of colormap"):
        found = render(replace(plain, display={**FULL, "colormap": value}))
    assert np.array_equal(seen(found), plain.array)


@pytest.mark.parametrize("value", [{}, {"direct": []}, {"drawn": 5}, {"drawn": -1, "seed": 0}])
def test_invalid_label_colors_are_replaced_by_defaults_with_a_warning(value: Any):
    plain = Image.from_array(np.arange(20).reshape(4, 5), kind="labels")
    with pytest.warns(FerryWarning, match="colormap"):
        found = render(replace(plain, display={"colormap": value}))
    assert np.array_equal(found.array, render(plain).array)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "uint32", "int64", "uint64", "bool"])
def test_labels_of_any_type_have_the_same_colors(dtype: str):
    numbers = np.arange(20).reshape(4, 5) % (2 if dtype == "bool" else 20)
    plain = Image.from_array(numbers.astype(np.uint8), kind="labels")
    found = render(Image.from_array(numbers.astype(dtype), kind="labels"))
    assert np.array_equal(found.array, render(plain).array)


@pytest.mark.parametrize(
    ("dtype", "numbers"),
    [
        ("uint64", (3, 2**63 + 5, 2**64 - 1)),
        ("int64", (-(2**63), -1, 2**63 - 1)),
        ("int8", (-128, -1, 127)),
    ],
)
def test_labels_with_individual_colors_can_be_any_integer(dtype: str, numbers: tuple[int, ...]):
    colors = [[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]]
    direct = [*zip(numbers, colors, strict=True), [None, [1, 1, 1, 1]]]
    labels = Image.from_array(np.array([[*numbers, 7]], dtype), kind="labels")
    found = render(replace(labels, display={"opacity": 1, "colormap": {"direct": direct}}))
    expected = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]
    assert np.array_equal(found.array, [expected])


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("float64", -1e300, 1e300),
        ("float64", 1e300, 2e300),
        ("int32", 2**30, 2**30 + 10),
        ("uint64", 2**50, 2**50 + 10),
        ("float32", 0, 1e38),
        ("float64", 0, 1e-300),
    ],
)
def test_limits_not_representable_in_single_precision(dtype: str, low: float, high: float):
    steps = np.linspace(0, 1, 11)
    image = Image.from_array((low + steps * (high - low)).astype(dtype)[None].repeat(2, 0))
    image = replace(image, display={"contrast_limits": [float(low), float(high)]})
    assert np.abs(seen(render(image))[0] - steps * 255).max() <= 1.5


def test_colors_of_16_bits_and_their_alpha():
    pixels = np.zeros((1, 3, 4), np.uint16)
    pixels[0, :, 0], pixels[0, :, 3] = 65535, (0, 32768, 65535)
    found = np.asarray(render(Image.from_array(pixels, "yxs")).array)
    assert found[0, :, 0].tolist() == [0, 128, 255]
    assert not found[..., 1:].any()


def test_unknown_limits_are_computed_lazily():
    image, reads = counted((20, 8, 9), "uint16")
    picture = render(replace(image, display={}))
    assert not reads
    picture.array[0]
    found = sorted(reads)
    assert len(found) == 9
    assert (found[0], found[-1]) == (0, 19)
    before = reads.copy()
    picture.array[1]
    assert reads - before == {1: 1}, "limits are found once"


def test_limits_are_computed_from_some_frames():
    pixels = np.full((20, 4, 5), 600, np.uint16)
    pixels[0, 0, 0], pixels[-1, 0, 0], pixels[1] = 100, 1100, 5000
    found = seen(render(Image.from_array(pixels)))
    assert (found[0, 0, 0], found[-1, 0, 0], found[1].min()) == (0, 255, 255)
    assert (found[10] == 128).all()


def test_limits_of_a_pyramid_are_computed_from_its_smallest_level():
    small = np.array([[0, 1000]], np.uint16)
    image = Image.from_array(make_unreadable((1, 64, 128), "uint16"))
    image = replace(image, levels=(image.array, small[None]))
    paint: Any = choose_paint(image)
    assert paint.limits.find() == (0, 1000)


def test_samples_of_bool_without_limits_are_black_and_white():
    for samples in ([[False, True], [True, False]], [[True, True]], [[False, False]]):
        image = Image.from_array(np.array(samples))
        assert np.array_equal(seen(render(image)), np.array(samples) * np.uint8(255))


def test_gamma_of_samples_with_many_values():
    values = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    image = Image.from_array(values)
    found = seen(render(replace(image, display={"contrast_limits": [0, 1], "gamma": 2.0})))
    assert np.abs(found.astype(float) - 255 * values**2).max() <= 1


def test_only_the_visible_label_is_drawn():
    numbers = np.arange(20, dtype=np.uint8).reshape(4, 5)
    labels = replace(Image.from_array(numbers, kind="labels"), display={"shown_label": 7})
    drawn = np.asarray(render(labels).array)[..., :3].any(-1)
    assert np.array_equal(drawn, numbers == 7)
