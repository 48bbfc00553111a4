"""Geometry of pictures: scales, translations and units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_ferry.rendering.render import render
from pictures import FULL, gray, placed, seen


def test_a_picture_is_the_samples():
    image = gray((20, 30))
    picture = render(image)
    assert picture.axis_names == ("y", "x", "s")
    assert picture.dtype == np.uint8
    assert np.array_equal(seen(picture), image.array)


def test_coarse_samples_are_repeated():
    image = gray((20, 30))
    found = seen(render(placed(image, y=(2.0,))))
    assert np.array_equal(found, np.repeat(np.asarray(image.array), 2, 0))


def test_a_negative_scale_mirrors():
    image = gray((20, 30))
    found = seen(render(placed(image, y=(-1.0, None, 5.0))))
    assert np.array_equal(found, np.asarray(image.array)[::-1])


def test_a_picture_has_the_translation_of_its_image():
    image = placed(gray((20, 30)), y=(0.5, "micrometer", 7.0), x=(0.5, "micrometer", -2.0))
    down, right, _ = render(image).axes
    assert (down.scale, down.unit, down.translation) == pytest.approx((0.5, "micrometer", 7.0))
    assert (right.scale, right.unit, right.translation) == pytest.approx((0.5, "micrometer", -2.0))


def test_units_of_one_quantity_are_converted():
    one = placed(gray((20, 30)), y=(0.5, "micrometer"), x=(0.5, "micrometer"))
    two = placed(gray((20, 30)), y=(500.0, "nanometer"), x=(500.0, "nanometer"))
    both = render([one, replace(two, display={**FULL, "visible": False})])
    assert np.array_equal(seen(both), seen(render(one)))
    assert (both.axes[0].scale, both.axes[0].unit) == (500.0, "nanometer")


def test_units_of_different_quantities_are_ignored():
    one = placed(gray((20, 30)), y=(1.0, "micrometer"), x=(1.0, "micrometer"))
    both = render([one, replace(gray((40, 60)), display={"visible": False})])
    assert both.shape == (40, 60, 3)
    assert np.array_equal(seen(both)[:20, :30], one.array)


def test_images_are_aligned_by_translation():
    above = placed(gray((4, 6)), y=(1.0, None, 15.0), x=(1.0, None, 28.0))
    found = seen(render([gray((20, 30)), above]))
    assert found.shape == (20, 34)
    assert np.array_equal(found[15:19, 28:], above.array)
    assert not found[:15, 30:].any()
