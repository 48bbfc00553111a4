"""Arguments of the Python functions that people give by mistake, or from other libraries."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import napari_ferry
from napari_ferry import (
    FerryError,
    Image,
    InvalidImageError,
    MissingFileError,
    SaveError,
    UnreadableFileError,
    UnsupportedFormatError,
    imload,
    imsave,
    load_binary,
    load_images,
    load_video,
    save_images,
    save_video,
)

PIXELS = np.random.default_rng(0).integers(0, 4000, (4, 16, 24), np.uint16)


class Tensor:
    """An array of another library, whose type is not one of numpy."""

    shape, ndim, dtype = PIXELS.shape, 3, "torch.uint16"

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        return PIXELS

    def __getitem__(self, key: object) -> "Tensor":
        return self

    def __len__(self) -> int:
        return len(PIXELS)


class DeviceTensor(Tensor):
    """An array on a graphics card, which numpy must not convert."""

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        raise TypeError("use .cpu() first")


class DeviceArray(DeviceTensor):
    """Such an array with a type of numpy."""

    dtype = PIXELS.dtype


def test_a_tensor_is_converted(tmp_path: Path):
    (path,) = imsave(Tensor(), tmp_path / "a.tif")
    assert np.array_equal(imload(path)[0], PIXELS)


def test_the_cure_of_another_library_is_passed_on(tmp_path: Path):
    with pytest.raises(InvalidImageError, match=r"use \.cpu\(\) first"):
        imsave(DeviceTensor(), tmp_path / "a.tif")
    with pytest.raises(SaveError, match=r"use \.cpu\(\) first\)\.$"):
        imsave(DeviceArray(), tmp_path / "a.tif")


def test_a_memoryview_is_an_array(tmp_path: Path):
    (path,) = imsave(memoryview(PIXELS), tmp_path / "a.tif")
    assert np.array_equal(imload(path)[0], PIXELS)


def test_a_mapping_of_names_is_several_images(tmp_path: Path):
    (path,) = imsave({"cells": PIXELS, "nuclei": PIXELS[:2]}, tmp_path / "a.ome.tif")
    images = imload(path)
    assert [(image.name, len(image)) for image in images] == [("cells", 4), ("nuclei", 2)]


def test_the_variables_of_a_dataset_are_several_images(tmp_path: Path):
    xarray = pytest.importorskip("xarray")
    variables = {name: (("t", "y", "x"), PIXELS + i) for i, name in enumerate(("cells", "nuclei"))}
    (path,) = imsave(xarray.Dataset(variables), tmp_path / "a.ome.tif")
    assert [(image.name, int(image[0, 0, 0])) for image in imload(path)] == [
        ("cells", int(PIXELS[0, 0, 0])),
        ("nuclei", int(PIXELS[0, 0, 0]) + 1),
    ]


@pytest.mark.parametrize("make", [Image, lambda array: Image(array, "tyx")])
def test_an_image_made_like_an_array_names_the_function_for_it(make: type):
    with pytest.raises(InvalidImageError, match=r"Image\.from_array\(array, 'tyx'\)"):
        make(PIXELS)


@pytest.mark.parametrize(
    "save",
    [
        lambda path: imsave(path, PIXELS),
        lambda path: save_images(PIXELS, path),
        lambda path: save_video(PIXELS, path),
    ],
)
def test_arguments_the_wrong_way_round_get_a_sentence(save: object, tmp_path: Path):
    with pytest.raises(FerryError, match="imsave and plan take the images first") as caught:
        save(str(tmp_path / "a.tif"))
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("load", [imload, load_images, load_binary, load_video])
def test_a_missing_file_is_a_file_not_found_error(load: object, tmp_path: Path):
    path = tmp_path / "missing.mp4"
    with pytest.raises(FileNotFoundError, match=r"missing\.mp4 is not there") as caught:
        load(path)
    assert isinstance(caught.value, MissingFileError)
    assert isinstance(caught.value, UnreadableFileError)
    assert Path(caught.value.filename) == path


def test_a_rate_may_be_a_fraction(tmp_path: Path):
    planned = napari_ferry.plan(PIXELS, tmp_path / "a.mp4", frame_rate=Fraction(30000, 1001))
    assert planned.frame_rate == Fraction(30000, 1001)
    with pytest.raises(InvalidImageError, match="frame rate"):
        napari_ferry.plan(PIXELS, tmp_path / "a.mp4", frame_rate=Fraction(0))


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.czi", "a.mp4"])
def test_a_suffix_of_another_format_is_not_a_folder(name: str, tmp_path: Path):
    with pytest.raises(UnsupportedFormatError, match=r"ends in .*, but this function writes \.tif"):
        save_images(tmp_path / name, PIXELS)
    assert not (tmp_path / name).exists()


def test_a_name_with_a_dot_is_a_folder(tmp_path: Path):
    (path,) = save_images(tmp_path / "cells.v2", PIXELS)
    assert path == tmp_path / "cells.v2" / "images.tif"
