"""Axes from the coordinates of xarray objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray

from napari_ferry import Axis, Image, imload, imsave
from napari_ferry.errors import FerryWarning, InvalidImageError
from stack_files import STACK


@pytest.mark.parametrize(
    ("units", "rate"), [("s", 50), ("seconds", 50), ("ms", 50_000), ("px", None), (None, None)]
)
def test_the_units_of_a_coordinate_are_those_of_its_axis(units: str | None, rate: float) -> None:
    t = ("t", np.arange(len(STACK)) * 0.02, {"units": units})
    image = Image.from_xarray(xarray.DataArray(STACK, dims=("t", "y", "x"), coords={"t": t}))
    assert image.frame_rate == (rate and pytest.approx(rate))


def test_unknown_units_of_a_coordinate_are_left_out_with_a_warning() -> None:
    t = ("t", np.arange(len(STACK)) * 2.0, {"units": "seconds since 2000-01-01"})
    with pytest.warns(FerryWarning, match="coordinate t has the unit 'seconds since.*not known"):
        image = Image.from_xarray(xarray.DataArray(STACK, dims=("t", "y", "x"), coords={"t": t}))
    assert image.axis("t") == Axis("t", 2.0)


def test_units_may_be_in_the_metadata_as_intake_io_has_them() -> None:
    data = xarray.DataArray(
        STACK,
        dims=("t", "y", "x"),
        coords={"t": np.arange(len(STACK)) * 0.5},
        attrs={"metadata": {"spacing_units": {"t": "s", "z": "um"}, "fileheader": {"a": 1}}},
    )
    image = Image.from_xarray(data)
    assert image.axis("t") == Axis("t", 0.5, "second")
    assert image.metadata == {"fileheader": {"a": 1}}


@pytest.mark.parametrize(
    ("coords", "labels"), [(["a", "b", "c"], ["a", "b", "c"]), ([3, 10, 21], ["3", "10", "21"])]
)
def test_texts_and_uneven_numbers_are_labels(coords: list[object], labels: list[str]) -> None:
    data = xarray.DataArray(STACK[:3], dims=("i", "y", "x"), coords={"i": coords})
    image = Image.from_xarray(data)
    assert (image.axes[0], image.metadata) == (Axis("i"), {"labels": {"i": labels}})
    again = image.to_xarray()
    assert again.coords["i"].values.tolist() == coords
    assert Image.from_xarray(again).metadata == image.metadata


def test_coordinates_that_are_not_numbers_are_no_positions() -> None:
    data = xarray.DataArray(STACK[:3], dims=("z", "y", "x"), coords={"z": [True, False, True]})
    assert Image.from_xarray(data).axes[0] == Axis("z")


def test_uneven_positions_in_space_and_time_are_refused() -> None:
    data = xarray.DataArray(STACK[:3], dims=("z", "y", "x"), coords={"z": [3, 10, 21]})
    with pytest.raises(InvalidImageError, match="axis z are not evenly spaced"):
        Image.from_xarray(data)


def test_attributes_and_single_coordinates_are_metadata(tmp_path: Path) -> None:
    data = xarray.DataArray(
        STACK[:3],
        dims=("t", "y", "x"),
        coords={
            "z": 2.5,
            "well": "A1",
            "start": np.datetime64("2024-05-01", "D"),
            "t": np.arange(3) * np.timedelta64(500, "ms"),
        },
        attrs={"mouse": 7, "metadata": {"objective": "20x"}},
    )
    dataset = xarray.Dataset({"cells": data}, attrs={"mouse": 3, "session": [1, "a"]})
    expected = {"z": 2.5, "well": "A1", "mouse": 7, "session": [1, "a"], "objective": "20x"}
    imsave(dataset, tmp_path / "a.tif")
    (image,) = imload(tmp_path / "a.tif")
    assert image.metadata.pop("start").startswith("2024-05-01")  # type: ignore[attr-defined]
    assert image.metadata == expected
    assert image.axis("t") == Axis("t", 0.5, "second")
    assert Image.from_xarray(image.to_xarray()).metadata == expected


def test_dates_are_labels() -> None:
    days = np.array(["2024-05-01", "2024-05-02", "2024-05-09"], "datetime64[D]")
    data = xarray.DataArray(STACK[:3], dims=("t", "y", "x"), coords={"t": days})
    (first, *_), scale = Image.from_xarray(data).metadata["labels"]["t"], Axis("t")
    assert first.startswith("2024-05-01")
    assert Image.from_xarray(data).axes[0] == scale


def test_other_coordinates_are_left_out_with_a_warning() -> None:
    data = xarray.DataArray(
        STACK[:3], dims=("t", "y", "x"), coords={"dose": ("t", [1.0, 2.0, 4.0])}
    )
    with pytest.warns(FerryWarning, match="coordinates dose are left out"):
        Image.from_xarray(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [(STACK, "ndarray is not an xarray.DataArray"), (xarray.Dataset(), "several variables")],
)
def test_other_objects_are_refused(data: Any, message: str) -> None:
    with pytest.raises(InvalidImageError, match=message):
        Image.from_xarray(data)


@pytest.mark.parametrize("labels", [3, {"i": 3}, {"q": ["a"]}, {"i": ["a"]}])
def test_metadata_that_are_no_labels_are_no_coordinates(labels: object) -> None:
    image = Image.from_array(STACK[:3], "iyx").replace(metadata={"labels": labels})
    again = Image.from_xarray(image.to_xarray())
    assert (again.axes, again.metadata) == (image.axes, image.metadata)


@pytest.mark.parametrize("name", ["a.tif", "zlib.tif", "a.ome.zarr", "a.bin"])
def test_pixels_in_a_file_are_read_when_they_are_used(tmp_path: Path, name: str) -> None:
    options: dict[str, Any] = {"compression": "zlib"} if name.startswith("zlib") else {}
    imsave(Image.from_array(STACK, "tyx"), tmp_path / name, **options)
    (image,) = imload(tmp_path / name)
    data = image.to_xarray()
    assert data.chunks is not None
    np.testing.assert_array_equal(data.isel(t=1).values, STACK[1])
    np.testing.assert_array_equal((data + 1).isel(t=[0, 2]).values, STACK[[0, 2]] + 1)
    imsave(data, tmp_path / "again.tif")
    np.testing.assert_array_equal(np.asarray(imload(tmp_path / "again.tif")[0]), STACK)
    image.close()


def test_a_dataset_has_one_variable_with_the_name_of_the_image(tmp_path: Path) -> None:
    image = Image.from_array(STACK, "tyx", name="cells").replace(scale={"t": 0.5}, unit={"t": "s"})
    dataset = image.to_dataset()
    assert list(dataset.data_vars) == ["cells"]
    assert dataset.t.attrs == {"units": "second"}
    imsave(dataset, tmp_path / "a.ome.tif")
    (again,) = imload(tmp_path / "a.ome.tif")
    assert (again.name, again.axis("t")) == (image.name, image.axis("t"))
    for other in ("", "t"):  # no name, and one that a coordinate has
        assert list(image.replace(name=other).to_dataset().data_vars) == ["image"]


def test_pixels_that_were_loaded_are_not_read_again(tmp_path: Path) -> None:
    imsave(STACK, tmp_path / "a.tif")
    (image,) = imload(tmp_path / "a.tif")
    pixels = image.load()
    assert image.to_xarray().data is pixels
    image.close()
    assert image.to_xarray().chunks is not None


def test_capital_letters_of_dims_are_those_of_axes(tmp_path: Path) -> None:
    """As in the objects of bioio and aicsimageio."""
    stack = np.arange(240, dtype=np.uint16).reshape(1, 2, 3, 5, 8)
    coords = {"C": ["DAPI", "GFP"], "Z": [0.0, 1.5, 3.0], "Y": np.arange(5) * 0.5}
    data = xarray.DataArray(stack, dims=tuple("TCZYX"), coords=coords)
    (image,) = imload(imsave(data, tmp_path / "a.ome.tif")[0])
    assert image.axis_names == ("t", "c", "z", "y", "x")
    assert [channel.name for channel in image.channels] == ["DAPI", "GFP"]
    assert (image.axis("z").scale, image.axis("y").scale) == (1.5, 0.5)
    np.testing.assert_array_equal(image.load(), stack)

    both = xarray.DataArray(stack[0, 0, :, 0], dims=("X", "x"))
    assert Image.from_xarray(both).axis_names == ("X", "x")
