"""TIFF files without a description of their pages."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.errors import InvalidImageError
from tiff_files import GRAY


def opened(path: Path) -> list[tuple[str, tuple[int, ...], str]]:
    return [("".join(i.axis_names), i.shape, i.dtype.name) for i in imload(path)]


def test_pages_of_several_kinds_are_several_images(tmp_path: Path) -> None:
    kinds = [pixels((20, 33)), pixels((7, 9), "uint8"), pixels((20, 33), "float32")]
    with tifffile.TiffWriter(tmp_path / "foreign.tif") as writer:
        for data in (kinds[0], kinds[1], kinds[0] + 1, kinds[2], kinds[0] + 2):
            writer.write(data, photometric="minisblack", metadata=None)
    assert opened(tmp_path / "foreign.tif") == [
        ("tyx", (3, 20, 33), "uint16"),
        ("yx", (7, 9), "uint8"),
        ("yx", (20, 33), "float32"),
    ]
    first, second, third = imload(tmp_path / "foreign.tif")
    assert_same_pixels(first.array, np.stack([kinds[0] + i for i in range(3)]))
    assert_same_pixels(second.array, kinds[1])
    assert_same_pixels(third.array, kinds[2])


def test_assumptions_are_reported(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels((3, 5, 6)), metadata=None, photometric="minisblack")
    (image,) = imload(tmp_path / "a.tif")
    assert "time" in image.metadata["assumed"]
    (told,) = imload(tmp_path / "a.tif", axes="ZYX")
    assert told.axis_names == ("z", "y", "x")
    with pytest.raises(InvalidImageError, match="one axis"):
        imload(tmp_path / "a.tif", axes="TZYX")


def test_three_planes_are_not_a_color(tmp_path: Path) -> None:
    for shape in ((5, 6, 3), (3, 5, 6), (4, 5, 6)):
        tifffile.imwrite(tmp_path / "a.tif", pixels(shape, "uint8"), photometric="minisblack")
        (image,) = imload(tmp_path / "a.tif")
        assert not image.is_rgb
        assert image.shape == shape


@pytest.mark.parametrize("orientation", [0, 1, 3, 6, 9])
def test_an_orientation_that_is_not_applied_gives_a_warning(
    orientation: int, tmp_path: Path
) -> None:
    data = pixels((5, 7))
    tags = [(274, 3, 1, orientation, True)]
    tifffile.imwrite(tmp_path / "a.tif", data, **GRAY, extratags=tags)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (image,) = imload(tmp_path / "a.tif")
    assert_same_pixels(image.array, data)
    assert [f"Orientation {orientation}" in str(each.message) for each in caught] == [True] * (
        orientation in (3, 6)
    )
