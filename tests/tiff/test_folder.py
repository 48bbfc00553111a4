"""Folders of TIFF files: stacks, sets of OME-TIFF, and files of several images."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.codecs.tiff import codec as tiff
from napari_ferry.errors import FerryWarning, UnreadableFileError
from tiff_files import COUNT, SECOND, fill, fill_with_two


def test_a_folder_is_one_stack_in_natural_order(tmp_path: Path) -> None:
    for i in (10, 1, 2, 11, 9):
        tifffile.imwrite(tmp_path / f"f{i}.tif", np.full((4, 5), i, np.uint8))
    tifffile.imwrite(tmp_path / ".hidden.tif", np.zeros((9, 9)))
    (tmp_path / "notes.txt").write_text("words")
    (image,) = imload(tmp_path)
    assert image.name == tmp_path.name
    assert image.array[:, 0, 0].tolist() == [1, 2, 9, 10, 11]


def test_a_folder_of_files_that_differ_names_the_odd_one(tmp_path: Path) -> None:
    for i in range(3):
        tifffile.imwrite(tmp_path / f"f{i}.tif", np.zeros((4, 5 + (i == 1)), np.uint8))
    with pytest.raises(UnreadableFileError, match=r"f1\.tif"):
        imload(tmp_path)[0].load()


def test_the_folder_of_two_types_is_refused(shared_data: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"b\.tif"):
        imload(shared_data / "earlier-systems" / "scout" / "mixed_dtype")


@pytest.mark.parametrize("options", [{"imagej": True}, {"ome": True}, {"compression": "zlib"}])
def test_files_of_stacks_are_joined_in_order(options: dict[str, Any], tmp_path: Path) -> None:
    data = pixels((4, 6, 20, 33))
    fill(tmp_path, data, metadata={"axes": "TYX"}, **options)
    (image,) = imload(tmp_path)
    assert_same_pixels(np.asarray(image.array).reshape(24, 20, 33), data.reshape(24, 20, 33))
    assert_same_pixels(np.asarray(image.array[13]).reshape(20, 33), data.reshape(24, 20, 33)[13])


def test_stacks_of_different_lengths_are_joined_in_order(tmp_path: Path) -> None:
    data = pixels((9, 20, 33))
    for i, (a, b) in enumerate([(0, 2), (2, 7), (7, 9)]):
        tifffile.imwrite(tmp_path / f"f{i}.tif", data[a:b], imagej=True, metadata={"axes": "TYX"})
    (image,) = imload(tmp_path)
    assert image.shape == (9, 20, 33)
    assert_same_pixels(image.load(), data)


def test_stacks_along_z_are_a_new_axis(tmp_path: Path, opened: Counter[str]) -> None:
    data = pixels((4, 3, 20, 33))
    fill(tmp_path, data, imagej=True, metadata={"axes": "ZYX", "spacing": 2.0, "unit": "um"})
    (image,) = imload(tmp_path)
    assert image.axis_names == ("t", "z", "y", "x")
    assert image.axes[1].scale == 2.0
    assert_same_pixels(image.load(), data)
    assert not opened


def test_files_named_one_by_one_are_one_stack(tmp_path: Path, opened: Counter[str]) -> None:
    data = pixels((COUNT, 20, 33))
    paths = fill(tmp_path, data)
    (image,) = tiff.open_many(paths[::-1])
    assert image.name == "f11"
    assert_same_pixels(image.load(), data[::-1])
    assert not opened


def write_set(folder: Path, name: str, data: NDArray[Any]) -> None:
    """Write frames as an OME-TIFF set with one file for each frame, as other programs do."""
    files = [f"{name}_{t}.ome.tif" for t in range(len(data))]
    blocks = "".join(
        f'<TiffData IFD="0" FirstT="{t}" PlaneCount="1">'
        f'<UUID FileName="{file}">urn:uuid:{name}{t}</UUID></TiffData>'
        for t, file in enumerate(files)
    )
    for t, file in enumerate(files):
        xml = (
            '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="urn:uuid:{name}{t}"><Image ID="Image:0" Name="{name}">'
            '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="7" SizeY="6" '
            f'SizeZ="1" SizeC="1" SizeT="{len(data)}">{blocks}</Pixels></Image></OME>'
        )
        tifffile.imwrite(folder / file, data[t], description=xml, metadata=None)


def test_two_sets_of_another_program_are_two_images(tmp_path: Path) -> None:
    first, second = pixels((3, 6, 7)), pixels((3, 6, 7), seed=5)
    write_set(tmp_path, "a", first)
    write_set(tmp_path, "b", second)
    a, b = imload(tmp_path)
    assert (a.name, b.name) == ("a", "b")
    assert_same_pixels(np.asarray(a.array).reshape(3, 6, 7), first)
    assert_same_pixels(np.asarray(b.array).reshape(3, 6, 7), second)


def test_a_foreign_file_among_sets_is_named(tmp_path: Path) -> None:
    write_set(tmp_path, "a", pixels((3, 6, 7)))
    tifffile.imwrite(tmp_path / "b_0.tif", pixels((6, 7)))
    with pytest.raises(UnreadableFileError, match=r"b_0\.tif does not belong to an OME-TIFF set"):
        imload(tmp_path)


def test_an_incomplete_set_is_reported(tmp_path: Path) -> None:
    data = pixels((3, 6, 7))
    write_set(tmp_path, "a", data)
    (tmp_path / "a_1.ome.tif").unlink()
    with pytest.warns(FerryWarning, match=r"a_1\.ome\.tif is missing"):
        (image,) = imload(tmp_path)
    data[1] = 0
    assert_same_pixels(np.asarray(image.array).reshape(3, 6, 7), data)


def test_a_file_of_another_set_with_the_right_name_is_reported(tmp_path: Path) -> None:
    data = pixels((5, 6, 7))
    write_set(tmp_path, "a", data)
    (tmp_path / "b").mkdir()
    write_set(tmp_path / "b", "b", pixels((5, 6, 7), seed=5))
    (tmp_path / "b" / "b_1.ome.tif").replace(tmp_path / "a_1.ome.tif")
    (tmp_path / "a_3.ome.tif").unlink()
    tifffile.imwrite(tmp_path / "a_4.ome.tif", data[4], description="-", metadata=None)
    with pytest.warns(FerryWarning) as caught:
        (image,) = imload(tmp_path / "a_0.ome.tif")
    (message,) = [str(warning.message) for warning in caught]
    assert "a_3.ome.tif is missing" in message
    assert "a_1.ome.tif is from another set" in message
    data[[1, 3]] = 0
    assert_same_pixels(np.asarray(image.array).reshape(5, 6, 7), data)


def test_files_of_both_byte_orders_are_one_stack(tmp_path: Path) -> None:
    data = pixels((COUNT, 20, 33))
    for compression in (None, "zlib"):
        folder = tmp_path / str(compression)
        folder.mkdir()
        for i, frame in enumerate(data):
            options: dict[str, Any] = {
                "byteorder": ">" if i % 3 == 1 else "<",
                "compression": compression,
            }
            tifffile.imwrite(folder / f"f{i}.tif", frame, **options)
        (image,) = imload(folder)
        assert_same_pixels(image.load(), data)
        assert_same_pixels(np.asarray(image.array[4]), data[4])


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_files_of_several_images_are_several_stacks(
    compression: str | None, tmp_path: Path
) -> None:
    data = pixels((COUNT, 20, 33))
    fill_with_two(tmp_path, data, compression=compression)
    first, second = imload(tmp_path)
    assert first.name == second.name == tmp_path.name
    assert_same_pixels(first.load(), data)
    assert_same_pixels(second.load(), SECOND)
    assert_same_pixels(np.asarray(second.array[5]), SECOND[5])


def test_images_below_pages_are_stacks_of_their_own(tmp_path: Path) -> None:
    data, below = pixels((COUNT, 20, 33)), pixels((COUNT, 20, 33), "uint8", seed=3)
    for i in range(COUNT):
        with tifffile.TiffWriter(tmp_path / f"f{i}.tif") as writer:
            writer.write(data[i], subifds=1, metadata=None)
            writer.write(below[i], metadata=None)
    first, second = imload(tmp_path)
    assert_same_pixels(first.load(), data)
    assert_same_pixels(second.load(), below)


def test_images_with_names_keep_them_in_a_stack(tmp_path: Path) -> None:
    data = pixels((3, 2, 20, 33))
    for i, frames in enumerate(data):
        with tifffile.TiffWriter(tmp_path / f"f{i}.ome.tif", ome=True) as writer:
            for name, frame in zip(("cells", "nuclei"), frames, strict=True):
                writer.write(frame, metadata={"Name": name, "axes": "YX"})
    images = imload(tmp_path)
    assert [image.name for image in images] == ["cells", "nuclei"]
    for k, image in enumerate(images):
        assert_same_pixels(np.asarray(image.array).squeeze(), data[:, k])


def test_a_folder_without_tiff_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError, match=r"holds no \.tif or \.tiff files: choose"):
        tiff.open(tmp_path)
