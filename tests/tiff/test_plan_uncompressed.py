"""Uncompressed TIFF files: any image, read back by us, tifffile and Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import ome_types
import PIL.Image
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import assert_same_image, assert_same_pixels, make_full_image, make_image, pixels
from napari_ferry import imload, imsave
from napari_ferry.arrays.stack import Stack
from napari_ferry.image import Axis, Image
from tiff_files import IN_TMP


@st.composite
def images(draw: st.DrawFn) -> Image:
    """Draw an image of any axes, types and words."""
    lead = draw(st.permutations("tczp"))[: draw(st.integers(0, 4))]
    is_rgb = draw(st.booleans())
    axes = [*lead, "y", "x", *("s" * is_rgb)]
    sizes = [draw(st.integers(1, 3)) for _ in lead] + [draw(st.integers(1, 5)) for _ in "yx"]
    dtype = draw(st.sampled_from(["u1", "u2", "i2", "f4", "f8", "i8", "c8", "?", ">u2", ">f4"]))
    image = Image.from_array(pixels((*sizes, *([3] * is_rgb)), dtype), axes)
    units = st.sampled_from([None, "micrometer", "second", "millisecond", "pixel"])
    steps = st.floats(1e-6, 1e6)
    return replace(
        image,
        axes=tuple(Axis(a, draw(steps), draw(units), draw(steps)) for a in axes),
        name=draw(st.text(min_size=1, max_size=9)),
        kind=draw(st.sampled_from(["image", "labels"])),
        metadata=draw(st.dictionaries(st.text(max_size=5), st.text() | st.integers(), max_size=2)),
    )


@settings(max_examples=120, suppress_health_check=IN_TMP)
@given(image=images())
def test_any_image_is_read_back_unchanged(image: Image, tmp_path: Path) -> None:
    path = tmp_path / "cells.tif"
    imsave(image, path, overwrite=True)
    (found,) = imload(path)
    assert_same_image(found, image)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize(
    ("axes", "dtype"),
    [
        *(("tyx", "uint16"), ("zyx", "uint8"), ("yx", "float32"), ("cyx", "uint16")),
        *(("yxs", "uint8"), ("tyxs", "uint8"), ("tzcyx", "int32"), ("zyx", "float64")),
        *(("pyx", "uint8"), ("yx", ">u2")),
    ],
)
def test_tifffile_reads_the_same_pixels(suffix: str, axes: str, dtype: str, tmp_path: Path) -> None:
    path = tmp_path / f"cells{suffix}"
    image = make_image(axes, dtype)
    imsave(image, path)
    with tifffile.TiffFile(path) as tif:
        (series,) = tif.series
        assert_same_pixels(series.asarray(), image.array)
        assert series.axes == axes.upper() or "p" in axes


@pytest.mark.parametrize(
    ("axes", "dtype", "samples"),
    [
        *(("yx", "uint8", 0), ("tyx", "uint8", 0), ("tyx", "uint16", 0), ("tyx", "int32", 0)),
        *(("tyx", "float32", 0), ("yxs", "uint8", 3), ("yxs", "uint8", 4), ("tyxs", "uint8", 3)),
    ],
)
@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_pillow_reads_the_same_pixels(
    suffix: str, axes: str, dtype: str, samples: int, tmp_path: Path
) -> None:
    path = tmp_path / f"cells{suffix}"
    image = make_image(axes, dtype, s=samples)
    imsave(image, path)
    whole = np.asarray(image.array)
    expected = whole if "t" in axes else whole[np.newaxis]
    with PIL.Image.open(path) as picture:
        assert picture.n_frames == len(expected)
        for i, frame in enumerate(expected):
            picture.seek(i)
            np.testing.assert_array_equal(np.asarray(picture), frame)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_one_file_holds_several_images(suffix: str, tmp_path: Path) -> None:
    several = [
        make_full_image("tczyx"),
        replace(make_full_image("zyx", "float32"), name="other"),
        replace(make_full_image("yx", "int32", "labels"), name="nuclei"),
        replace(make_image("yxs", "uint8"), name="overview"),
    ]
    path = tmp_path / f"cells{suffix}"

    assert imsave(several, path) == [path]
    for found, image in zip(imload(path), several, strict=True):
        assert_same_image(found, image)
    with tifffile.TiffFile(path) as tif:
        for series, image in zip(tif.series, several, strict=True):
            assert series.axes == "".join(image.axis_names).upper()
            assert_same_pixels(series.asarray(), image.array)
    assert len(ome_types.from_tiff(path).images) == 4


@pytest.mark.parametrize("dtypes", [("uint64", "uint8"), ("uint8", "float16", "int64")])
def test_one_plain_file_holds_several_images(dtypes: Sequence[str], tmp_path: Path) -> None:
    several = [
        replace(make_full_image(("tyx", "yx", "zyx")[i], d), name=d) for i, d in enumerate(dtypes)
    ]
    imsave(several, tmp_path / "cells.tif")
    for found, image in zip(imload(tmp_path / "cells.tif"), several, strict=True):
        assert_same_image(found, image)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("kilobytes", [40, 100, 150])
def test_each_file_of_a_series_has_all_parts_of_a_stack(
    axis: int, kilobytes: int, tmp_path: Path
) -> None:
    channels = Stack([pixels((3, 4, 60, 70), seed=k) for k in range(3)], axis)
    image = Image.from_array(channels, ("ctzyx", "tczyx", "tzcyx")[axis])
    made = imsave(image, tmp_path / "cells.ome.tif", size_cap=kilobytes / 1e6)
    assert len(made) > 2
    (found,) = imload(made[0])
    assert_same_pixels(found.array, np.asarray(channels))
