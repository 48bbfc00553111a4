"""Thick slices, projected onto the plane."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_ferry import Image, InvalidImageError, imload, imsave, render
from napari_ferry.rendering.projection import project
from pictures import ChunkedArray, gray, placed, seen

NUMPY: dict[str, Any] = {"mean": np.mean, "max": np.max, "min": np.min, "sum": np.sum}


@pytest.mark.parametrize("mode", NUMPY)
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint32", "float16", "float32", ">f8"])
def test_a_projection_is_that_of_numpy(mode: Any, dtype: str):
    pixels = np.random.default_rng(0).integers(-90, 90, (3, 7, 4, 5)).astype(dtype)
    chunked = ChunkedArray(pixels, (1, 2, 4, 5))  # several blocks are combined
    region = (slice(1, 2), slice(1, 6), slice(0, 4), slice(1, 5))
    found = project(chunked, region, (0, 1), mode)
    expected = NUMPY[mode](pixels[region], (0, 1), keepdims=True)
    assert found.shape == (1, 1, 4, 4)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-3 if dtype == "float16" else 1e-6)


@pytest.mark.parametrize("mode", NUMPY)
def test_nan_remains(mode: Any):
    pixels = np.ones((5, 2, 3), np.float32)
    pixels[3, 0, 1] = np.nan
    found = project(pixels, (slice(0, 5), slice(0, 2), slice(0, 3)), (0,), mode)
    assert np.isnan(found).sum() == 1


def test_memory_does_not_grow_with_the_thickness():
    chunked = ChunkedArray(np.ones((64, 512, 512), np.uint16), (1, 512, 512))
    project(chunked, (slice(0, 64), slice(0, 512), slice(0, 512)), (0,), "sum")
    assert chunked.largest <= 16 << 20


@pytest.mark.parametrize(
    ("thickness", "planes"),
    [
        ("z=0", slice(3, 4)),
        ("z=2", slice(2, 5)),
        ("z=1+2", slice(2, 6)),
        ("z=0+9", slice(3, 7)),
        ("z=9", slice(0, 7)),
    ],
)
def test_slices_around_the_position_are_projected(thickness: str, planes: slice):
    image = gray((5, 7, 20, 30), "tzyx")
    picture = render(image, position="z=3", thickness=thickness, projection="max")
    assert np.array_equal(seen(picture), image.array[:, planes].max(1))


def test_a_whole_axis_needs_no_position():
    image = gray((5, 7, 20, 30), "tzyx")
    picture = render(image, thickness="z=all", projection="max")
    assert np.array_equal(seen(picture), image.array.max(1))
    assert not picture.metadata
    single = render(gray((7, 20, 30), "zyx"), thickness="z=all", projection="sum")
    assert single.shape == (20, 30, 3)


def test_all_axes_but_that_of_frames_and_those_with_a_position_are_projected():
    image = gray((5, 7, 20, 30), "tzyx")
    picture = render(image, thickness="all", projection="max")
    assert np.array_equal(seen(picture), image.array.max(1))
    picture = render(image, axis="z", thickness="all", projection="max")
    assert np.array_equal(seen(picture), image.array.max(0))
    wide = gray((2, 5, 7, 20, 30), "ptzyx")
    picture = render(wide, position="p=1", thickness="all", projection="min")
    assert np.array_equal(seen(picture), wide.array[1].min(1))
    with pytest.raises(InvalidImageError, match="could be the frame axis"):
        render(gray((5, 7, 20, 30), "pzyx"), thickness="all", projection="max")


def test_an_image_without_other_axes_than_that_of_frames_keeps_its_samples(tmp_path: Path):
    options: Any = {"thickness": "all", "projection": "max"}
    image = gray((5, 20, 30), "zyx")
    assert np.array_equal(seen(render(image, **options)), image.array)
    labels = Image.from_array(np.ones((3, 20, 30), np.int32), "zyx", kind="labels")
    assert render(labels, **options).shape == (3, 20, 30, 3)
    files = imsave(image, tmp_path / "a.png", **options)
    assert np.array_equal(np.asarray(imload(files)[0]), image.array)
    (drawn,) = imsave(gray((2, 5, 20, 30), "tzyx"), tmp_path / "b.gif", **options)
    assert imload(drawn)[0].size("t") == 2


def test_frames_are_projected_over_time():
    image = gray((5, 20, 30), "tyx")
    picture = render(image, thickness="t=2", projection="min")
    pixels = np.pad(image.array, ((1, 1), (0, 0), (0, 0)), constant_values=255)
    assert np.array_equal(seen(picture), np.min([pixels[:-2], pixels[1:-1], pixels[2:]], 0))


def test_an_image_records_its_projection():
    image = gray((7, 20, 30), "zyx")
    image = replace(image, display={**image.display, "projection_mode": "max"})
    picture = render(image, axis="z", start=3, stop=4, thickness="z=2")
    assert np.array_equal(seen(picture)[0], image.array[2:5].max(0))


def test_thickness_is_counted_in_steps_of_the_sliders():
    image = placed(gray((7, 20, 30), "zyx"), z=(-2.0, "micrometer", 12.0))
    picture = render(image, axis="z", thickness="z=1+0", projection="max")
    # the first step is the last sample, as its scale is negative
    assert np.array_equal(seen(picture)[0], image.array[6])
    assert np.array_equal(seen(picture)[2], image.array[4:6].max(0))


def test_labels_are_not_projected():
    labels = Image.from_array(np.ones((3, 20, 30), np.int32), "zyx", kind="labels")
    labels.array[1] = 2
    options: Any = {"axis": "z", "thickness": "z=2"}
    plain = render(labels, axis="z")
    under = render([gray((3, 20, 30), "zyx"), labels], projection="max", **options)
    colors = [np.unique(np.asarray(each.array)[0], axis=None).size for each in (plain, under)]
    assert colors[0] <= 3 < colors[1], "the image below is visible"
    with pytest.raises(InvalidImageError, match="requires an image, other than labels"):
        render(labels, projection="max", **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"thickness": "z"}, "The thickness is 'z': give a number"),
        ({"thickness": "z=-1"}, "The thickness is 'z=-1': give a number"),
        ({"thickness": 3}, "The thickness is 3: give a number"),
        ({"thickness": "y=3", "projection": "max"}, "the axis y, which is not outside the plane"),
        ({"thickness": "z=3 z=1", "projection": "max"}, "the axis z, twice"),
        ({"thickness": "z=3"}, r"A thickness \(z=3\) requires an image"),
        ({"projection": "max"}, r"A projection \(max\) requires a thickness"),
        ({"thickness": "z=3", "projection": "median"}, "The projection is 'median'"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], words: str):
    with pytest.raises(InvalidImageError, match=words):
        render(gray((5, 20, 30), "zyx"), axis="z", **options)
