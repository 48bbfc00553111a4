"""Outlines of labels."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from napari_ferry.image import Image
from napari_ferry.rendering.contour import draw_contours
from napari_ferry.rendering.render import render


@pytest.mark.parametrize("value", ["x", math.inf, math.nan, -1, None, True])
def test_an_invalid_contour_fills_labels(value: Any):
    plain = Image.from_array(np.ones((4, 5), np.uint8), kind="labels")
    found = np.asarray(render(replace(plain, display={"contour": value})).array)
    assert np.array_equal(found, np.asarray(render(plain).array))


@pytest.mark.parametrize("thickness", [1, 2, 5])
def test_outlines_equal_those_of_a_single_wide_filter(thickness):
    labels = np.random.default_rng(0).integers(0, 4, (9, 12)).repeat(4, 0).repeat(3, 1)
    cross = ndimage.generate_binary_structure(2, 1)
    wide = ndimage.iterate_structure(cross, thickness)
    inner = ndimage.grey_dilation(labels, footprint=cross) == ndimage.grey_erosion(
        labels, footprint=wide
    )
    np.testing.assert_array_equal(draw_contours(labels, thickness, 0), np.where(inner, 0, labels))


def test_outlines_can_be_thicker_than_the_picture():
    labels = np.repeat(np.arange(1, 3), 8)[None].repeat(8, 0)
    inside_lowest = np.arange(16) < 7
    expected = np.where(inside_lowest, 0, labels)
    np.testing.assert_array_equal(draw_contours(labels, 10**9, 0), expected)
