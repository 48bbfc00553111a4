"""`imload` of lists, patterns and parts of data sets, with other metadata and another order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers import assert_same_pixels, pixels
from napari_ferry import (
    Axis,
    Channel,
    FerryError,
    Image,
    InvalidImageError,
    MissingFileError,
    UnreadableFileError,
    UnsupportedFormatError,
    imload,
    imsave,
)

DATA = pixels((3, 2, 20, 33))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def save_grid() -> None:
    """Save a file for each plane of `DATA`, with the numbers 0, 5, 10 and two names."""
    for i, time in enumerate((0, 5, 10)):
        for k, name in enumerate(("GFP", "DAPI")):
            imsave(DATA[i, k], f"img.t_{time}.c_{name}.tif")


def test_a_list_is_a_stack_in_its_order() -> None:
    paths = [f"{name}.tif" for name in ("b", "a", "c")]
    for frame, path in zip(DATA[:, 0], paths, strict=True):
        imsave(frame, path)
    (image,) = imload(paths)
    assert_same_pixels(image.load(), DATA[:, 0])
    (image,) = imload(tuple(map(Path, paths[:1])))
    assert_same_pixels(image.load(), DATA[0, 0])
    assert image.axis_names == ("y", "x")


def test_a_pattern_is_a_stack_in_natural_order() -> None:
    for i in (10, 2, 1):
        imsave(DATA[[1, 2, 10].index(i), 0], f"run {i}.tif")
    imsave(DATA[0], "other.tif")
    (image,) = imload("run *.tif")
    assert_same_pixels(image.load(), DATA[:, 0])


def test_fields_of_a_pattern_are_axes_with_coordinates_and_names() -> None:
    save_grid()
    (image,) = imload("img.t_{t}.c_{c}.tif")
    assert image.axes[:2] == (Axis("t", 5), Axis("c"))
    assert [channel.name for channel in image.channels] == ["DAPI", "GFP"]
    assert_same_pixels(image.load(), DATA[:, ::-1])


def test_a_field_with_the_name_of_an_axis_in_the_files_has_a_cure() -> None:
    for k in range(2):
        imsave(Image.from_array(pixels((3, 8, 9)), "tyx"), f"z{k}.tif")
    with pytest.raises(UnreadableFileError, match=r"use another field .* such as {i}, or rename"):
        imload("z{t}.tif")
    assert imload("z{i}.tif")[0].axis_names == ("i", "t", "y", "x")


def test_fields_may_be_in_folders_and_a_pattern_may_have_both() -> None:
    for i in range(3):
        for k in range(2):
            Path(f"pos {i + 1}").mkdir(exist_ok=True)
            imsave(DATA[i, k], f"pos {i + 1}/z{k}_{i}{k}.tif")
    (image,) = imload("pos {i}/z{z}_*.tif")
    assert image.axes[:2] == (Axis("i", 1, None, 1), Axis("z"))
    assert_same_pixels(image.load(), DATA)


def test_a_field_in_a_folder_and_a_file_has_the_same_text() -> None:
    for i in range(3):
        for k in range(3):
            Path(f"pos {i}/raw").mkdir(parents=True, exist_ok=True)
            imsave(DATA[i, 0] if i == k else DATA[0, 1], f"pos {i}/raw/z{k}.tif")
    Path("pos 7").mkdir()
    Path("pos 8").write_text("a file")
    Path("pos 9").mkdir()
    Path("pos 9/raw").write_text("a file")
    (image,) = imload("pos {i}/raw/z{i}.tif")
    assert_same_pixels(image.load(), DATA[:, 0])


def test_a_list_of_a_partition_keeps_the_order_along_each_axis() -> None:
    save_grid()
    paths = [f"img.t_{t}.c_{c}.tif" for t in (10, 0) for c in ("GFP", "DAPI")]
    (image,) = imload(paths)
    assert [channel.name for channel in image.channels] == ["GFP", "DAPI"]
    assert_same_pixels(image.load(), DATA[[2, 0]])
    (stack,) = imload(paths[:3])
    assert stack.shape == (3, 20, 33)


def test_a_file_may_have_the_name_of_a_pattern() -> None:
    imsave(DATA[0], "a{c}.tif")
    assert imload("a{c}.tif")[0].shape == (2, 20, 33)


def test_metadata_part_and_order() -> None:
    image = Image((DATA,), tuple(map(Axis, "tcyx")), (Channel("GFP"), Channel("RFP")))
    imsave(image, "cells.ome.tif")
    (found,) = imload(
        "cells.ome.tif",
        metadata={
            "spacing": {"t": 0.3},
            "spacing_units": {"t": "ms"},
            "coords": {"c": ["nuclei", "actin"]},
            "operator": "me",
        },
        partition={"t": slice(1, None), "c": ["actin"]},
        order="itczyx",
    )
    assert found.axis_names == ("i", "t", "c", "z", "y", "x")
    assert found.axes[1] == Axis("t", 0.3, "millisecond", 0.3)
    assert [channel.name for channel in found.channels] == ["actin"]
    assert found.metadata["operator"] == "me"
    assert_same_pixels(found.load(), DATA[None, 1:, 1:, None])


def test_a_part_of_one_of_several_images_leaves_the_others_unchanged() -> None:
    image = Image.from_array(DATA, "tcyx", name="cells")
    imsave([image, Image.from_array(DATA[:, 0], "tyx", name="mask")], "a.tif")
    shapes = [each.shape for each in imload("a.tif", partition={"T": slice(2), "C": 0})]
    assert shapes == [(2, 20, 33), (2, 20, 33)]
    with pytest.raises(InvalidImageError, match="'z', but the image has the axes t c y x"):
        imload("a.tif", partition={"z": 0})


def test_axes_in_metadata_are_those_of_axes() -> None:
    imsave(DATA[:, 0], "a.tif")
    assert imload("a.tif", metadata={"axes": "zyx"})[0].axis_names == ("z", "y", "x")
    assert imload("a.tif", axes="qyx", metadata={"axes": "zyx"})[0].axis_names == ("q", "y", "x")


def test_a_part_of_a_store_is_read_alone() -> None:
    imsave(DATA, "a.ome.zarr")
    for chunk in Path("a.ome.zarr").rglob("c/0/*"):
        if chunk.is_file():
            chunk.unlink()
    (image,) = imload("a.ome.zarr", partition={"t": -1})
    assert_same_pixels(image.load(), DATA[2])


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ([], InvalidImageError, "The list of files is empty"),
        ({"a.tif"}, InvalidImageError, "is not a path"),
        (3, InvalidImageError, "is not a path"),
        ("", UnreadableFileError, "The path is empty"),
        (["a.tif", 3], InvalidImageError, "is not a path"),
        (["a.tif", "none.tif"], MissingFileError, "none.tif"),
        (["a.tif", "b.ome.zarr"], UnsupportedFormatError, "different formats"),
        (["b.ome.zarr", "b.ome.zarr"], UnsupportedFormatError, "one by one"),
        ("none*.tif", MissingFileError, "No file matches none"),
        ("b.{c}.zarr", UnsupportedFormatError, "replace {c} by"),
        ("{t}.t*.tif", UnreadableFileError, "have the same position"),
    ],
)
def test_what_cannot_be_one_stack_is_refused(
    source: Any, error: type[FerryError], message: str
) -> None:
    imsave(DATA, "a.tif")
    imsave(DATA, "b.ome.zarr")
    for name in ("c.t1.tif", "c.t2.tif"):
        imsave(DATA, name)
    with pytest.raises(error, match=message):
        imload(source)


def test_a_folder_of_data_that_are_no_stack_says_so() -> None:
    Path("movies").mkdir()
    for name in ("a.mp4", "notes.txt"):
        (Path("movies") / name).touch()
    with pytest.raises(UnsupportedFormatError, match=r"movies holds \.mp4 data.*by its own path"):
        imload("movies")
    (Path("movies") / "a.mp4").unlink()
    with pytest.raises(UnsupportedFormatError, match=r"holds no files that can be opened"):
        imload("movies")
