"""Planes of a stack that tifffile tags as a color, because there are three or four."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload, imsave
from napari_ferry.errors import FerryWarning
from napari_ferry.image import Image

TAGGED = {3: "tagged as red, green and blue,", 4: "tagged as red, green, blue and transparency,"}


def write(path: Path, shape: Sequence[int], **options: Any) -> np.ndarray:
    """Write a file, without tifffile's own warning of the color."""
    data = pixels(shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        tifffile.imwrite(path, data, **options)
    return data


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
@pytest.mark.parametrize(
    ("shape", "names"),
    [
        ((3, 20, 33), "tyx"),
        ((4, 20, 33), "tyx"),
        ((5, 3, 20, 33), "tzyx"),
        ((5, 4, 20, 33), "tzyx"),
    ],
)
def test_planes_of_a_described_shape_stay_planes(
    shape: tuple[int, ...], names: str, options: dict[str, Any], tmp_path: Path
) -> None:
    data = write(tmp_path / "a.tif", shape, **options)
    sentence = f"of a.tif are {TAGGED[shape[-3]]}.* opened as the planes of a stack"
    with pytest.warns(FerryWarning, match=sentence) as caught:
        (image,) = imload(tmp_path / "a.tif")
    assert len(caught) == 1
    assert image.axis_names == tuple(names)
    assert_same_pixels(image.array, data)


@pytest.mark.parametrize(("metadata", "axes"), [({}, "cyx"), ({}, "zyx"), (None, "yxs")], ids=str)
def test_axes_that_are_given_answer_the_question(
    metadata: dict[str, Any] | None, axes: str, tmp_path: Path
) -> None:
    write(tmp_path / "a.tif", (3, 20, 33), metadata=metadata)
    (image,) = imload(tmp_path / "a.tif", axes=axes)  # a warning would be an error
    assert image.axis_names == tuple(axes)


@pytest.mark.parametrize(
    ("shape", "names"), [((3, 20, 33), "yxs"), ((4, 20, 33), "yxs"), ((5, 3, 20, 33), "tyxs")]
)
def test_planes_without_a_description_are_a_color(
    shape: tuple[int, ...], names: str, tmp_path: Path
) -> None:
    data = write(tmp_path / "a.tif", shape, metadata=None)
    sentence = f"of a.tif are {TAGGED[shape[-3]]} and open as a color.*Split RGB"
    with pytest.warns(FerryWarning, match=sentence) as caught:
        (image,) = imload(tmp_path / "a.tif")
    assert len(caught) == 1
    assert image.axis_names == tuple(names)
    assert_same_pixels(image.array, np.moveaxis(data, -3, -1))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.tif", {"metadata": {"axes": "ZYX"}}),
        ("a.tif", {"photometric": "minisblack"}),
        ("a.tif", {"metadata": None, "photometric": "rgb", "planarconfig": "separate",
                   "software": "other"}),
        ("a.tif", {"imagej": True}),
        ("a.ome.tif", {}),
    ],
    ids=["named axes", "gray", "other program", "ImageJ", "OME"],
)  # fmt: skip
def test_an_explicit_file_opens_without_a_word(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    write(tmp_path / name, (3, 20, 33), **options)
    imload(tmp_path / name)


def test_colors_in_pixels_open_without_a_word(tmp_path: Path) -> None:
    write(tmp_path / "a.tif", (5, 20, 33, 3))
    (image,) = imload(tmp_path / "a.tif")
    assert image.is_rgb


def test_our_own_files_open_without_a_word(tmp_path: Path) -> None:
    for axes in ("zyx", "cyx", "syx"):
        imsave(Image.from_array(pixels((3, 20, 33), "int64"), axes), tmp_path / f"{axes}.tif")
        assert imload(tmp_path / f"{axes}.tif")[0].axis_names == tuple(axes)


@pytest.mark.parametrize("metadata", [{}, None], ids=["JSON", "plain"])
def test_volumes_written_one_by_one_are_named_once(metadata: Any, tmp_path: Path) -> None:
    with warnings.catch_warnings(), tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        warnings.simplefilter("ignore", DeprecationWarning)
        for volume in pixels((5, 3, 20, 33)):
            writer.write(volume, metadata=metadata)
    with pytest.warns(FerryWarning, match="tagged as red, green and blue") as caught:
        imload(tmp_path / "a.tif")
    assert len(caught) == 1
