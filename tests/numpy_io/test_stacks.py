"""Stacks in and out, as CalSciPy's page on loading and saving promises."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import dask.array
import numpy as np
import pytest
import tifffile
import xarray

from helpers import assert_same_pixels, make_full_image, pixels, snapshot
from napari_ferry import Image, imload, imsave, load_binary, load_images, save_binary, save_images
from napari_ferry.errors import (
    FerryWarning,
    InvalidImageError,
    TargetExistsError,
    UnsupportedFormatError,
)
from stack_files import STACK, files, subdir

DTYPES = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")


def test_a_single_image() -> None:
    made = save_images("single_image.tif", STACK[0])
    assert made == [Path("single_image.tif")]
    assert_same_pixels(load_images("single_image.tif"), STACK[0])


def test_a_stack() -> None:
    save_images("imaging_stack.tif", STACK)
    found = load_images("imaging_stack.tif")
    assert type(found) is np.ndarray
    assert found.flags.writeable
    assert_same_pixels(found, STACK)


def test_images_that_are_left_out_are_counted() -> None:
    stack = np.zeros((4, 8, 9), "u2")
    imsave([Image.from_array(stack), Image.from_array(stack[:2, :5])], "two.tif")
    with pytest.warns(FerryWarning, match=r"two\.tif holds 2 images, and only the first"):
        assert load_images("two.tif").shape == stack.shape


def test_an_entire_folder_of_stacks() -> None:
    for i, n in ((1, 0), (2, 2), (10, 4)):
        tifffile.imwrite(
            subdir("imaging_folder") / f"stack_{i}.tif", STACK[n : n + 2], photometric="minisblack"
        )
    assert_same_pixels(load_images("imaging_folder"), STACK)


def test_a_list_of_files_is_a_stack_in_its_order() -> None:
    for name, frame in zip("ba", STACK, strict=False):
        save_images(f"{name}.tif", frame)
    assert_same_pixels(load_images(["b.tif", Path("a.tif")]), STACK[:2])
    for name in "ba":
        imsave([Image.from_array(STACK), Image.from_array(STACK[0])], f"{name}2.ome.tif")
    with pytest.warns(FerryWarning, match="holds 2 images, and only the first"):
        load_images(["b2.ome.tif", "a2.ome.tif"])


def test_images_to_a_folder() -> None:
    assert save_images("desired_folder", STACK) == [Path("desired_folder/images.tif")]
    assert_same_pixels(load_images("desired_folder"), STACK)


def test_images_to_a_folder_with_a_name() -> None:
    made = save_images("desired_folder", STACK, name="example_images")
    assert made == [Path("desired_folder/example_images.tif")]
    assert_same_pixels(load_images("desired_folder"), STACK)


def test_a_stack_over_the_cap_is_split() -> None:
    assert inspect.signature(save_images).parameters["size_cap"].default == 3.9
    stack, cap = pixels((6, 100, 100)), 50e3 / 1e9
    made = save_images("desired_folder", stack, size_cap=cap)
    assert len(made) == 3
    assert [path.name for path in made] == [f"images_{i:05d}.tif" for i in range(len(made))]
    assert all(path.stat().st_size < cap * 1e9 for path in made)
    for target in ("desired_folder", made[0], made[-1]):
        assert_same_pixels(load_images(target), stack)


def test_binary_data_from_file_and_folder() -> None:
    assert save_binary("binary_file.bin", STACK) == [
        Path("binary_file.bin"),
        Path("binary_file.json"),
    ]
    assert_same_pixels(load_binary("binary_file.bin"), STACK)
    made = save_binary("desired_folder", STACK)
    assert [path.as_posix() for path in made] == [
        f"desired_folder/binary_video.{suffix}" for suffix in ("bin", "json")
    ]
    assert_same_pixels(load_binary("desired_folder"), STACK)
    save_binary("named_folder", STACK, name="example_binary")
    assert files()[-2:] == [f"named_folder/example_binary.{suffix}" for suffix in ("bin", "json")]
    assert_same_pixels(load_binary("named_folder"), STACK)


def test_memory_mapped_binary_data() -> None:
    save_binary("desired_folder", STACK)
    images = load_binary("desired_folder", mapped=True, mode="r")
    assert isinstance(images, np.memmap)
    assert_same_pixels(images, STACK)


def test_binary_data_with_missing_metadata() -> None:
    save_binary("desired_folder", np.arange(100 * 100 * 3).reshape(100, 100, 3))
    Path("desired_folder/binary_video.json").unlink()
    missing_metadata = {"frames": 100, "y": 100, "dtype": int}
    images = load_binary("desired_folder", missing_metadata=missing_metadata)
    assert images.shape == (100, 100, 3)
    assert images.dtype == int


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(12, 16), (6, 12, 16), (2, 3, 12, 16), (2, 1, 3, 12, 16)])
def test_values_are_never_changed(dtype: str, shape: tuple[int, ...]) -> None:
    data = pixels(shape, dtype)
    save_images("a.tif", data)
    assert_same_pixels(load_images("a.tif"), data)
    save_binary("a.bin", data)
    assert_same_pixels(load_binary("a.bin"), data)


@pytest.mark.parametrize("save", [save_images, save_binary])
@pytest.mark.parametrize("target", ["folder", "folder/a"])
def test_nothing_is_replaced_without_overwrite(save: Any, target: str) -> None:
    suffix = "" if target == "folder" else {save_images: ".tif", save_binary: ".bin"}[save]
    save(target + suffix, STACK)
    before = snapshot(Path())
    with pytest.raises(TargetExistsError, match="would be replaced"):
        save(target + suffix, STACK[:2])
    assert snapshot(Path()) == before
    save(target + suffix, STACK[:2], overwrite=True)
    assert snapshot(Path()).keys() == before.keys()
    assert imload("folder")[0].shape == (2, 12, 16)


@pytest.mark.parametrize("save", [save_images, save_binary])
@pytest.mark.parametrize("images", [np.zeros((0, 3, 4)), np.zeros(5), np.array(["a"]), "a", None])
def test_invalid_images_make_no_folder(save: Any, images: Any) -> None:
    with pytest.raises(InvalidImageError):
        save("new/deep/folder", images)
    assert not list(Path().iterdir())


def test_a_cap_below_one_frame_makes_no_folder() -> None:
    with pytest.raises(InvalidImageError, match="raise the cap"):
        save_images("new", STACK, size_cap=1e-7)
    assert not list(Path().iterdir())


@pytest.mark.parametrize("images", [
    STACK.tolist(),
    dask.array.from_array(STACK, chunks=(4, 5, 16)),
    xarray.DataArray(STACK, dims=("t", "y", "x")),
    STACK[:, ::-1],
], ids=lambda images: type(images).__name__)  # fmt: skip
def test_other_arrays_are_saved_or_refused(images: Any) -> None:
    try:
        save_images("a.tif", images)
    except InvalidImageError:
        assert isinstance(images, list)
    else:
        assert_same_pixels(load_images("a.tif"), np.asarray(images))


def test_names_and_axes_are_preserved() -> None:
    image = make_full_image("tzyx")
    save_images("a", image)
    save_binary("b", image)
    for folder in "ab":
        (found,) = imload(folder)
        assert (found.name, found.axes) == (image.name, image.axes)


@pytest.mark.parametrize("workers", [None, 1, 4])
def test_threads_decode_the_same_pixels(workers: int | None) -> None:
    tifffile.imwrite("a.tif", STACK, compression="zlib", photometric="minisblack")
    assert_same_pixels(load_images("a.tif", workers=workers), STACK)


def test_the_order_of_colors_is_preserved() -> None:
    data = pixels((3, 12, 16, 3), "uint8")
    tifffile.imwrite("a.tif", data, photometric="rgb")
    assert_same_pixels(load_images("a.tif"), data)


RAW = {"dtype": "uint16", "y": 12, "x": 16}


@pytest.mark.parametrize("workers", [0, -1, "a", 1.5, True])
def test_an_invalid_number_of_threads_is_refused(workers: Any) -> None:
    with pytest.raises(InvalidImageError, match="workers"):
        imsave(STACK, "a.tif", workers=workers)
    assert not list(Path().iterdir())
    save_images("a.tif", STACK)
    with pytest.raises(InvalidImageError, match="workers"):
        load_images("a.tif", workers=workers)


@pytest.mark.parametrize("metadata", [[1], "uint16", 3])
def test_metadata_other_than_a_mapping_are_refused(metadata: Any) -> None:
    save_binary("a.bin", STACK)
    assert_same_pixels(load_binary("a.bin", missing_metadata=RAW), STACK)
    with pytest.raises(InvalidImageError, match="missing_metadata"):
        load_binary("a.bin", missing_metadata=metadata)


@pytest.mark.parametrize("axes", [3, [1, 2, 3], b"tyx"])
def test_axes_other_than_names_are_refused(axes: Any) -> None:
    save_images("a.tif", STACK)
    with pytest.raises(InvalidImageError, match="axes"):
        imload("a.tif", axes=axes)
    with pytest.raises(InvalidImageError, match="axes"):
        Image.from_array(STACK, axes)


def test_a_sidecar_opens_its_raw_file() -> None:
    save_binary("rec.bin", STACK)
    assert_same_pixels(imload("rec.json")[0].array, STACK)
    Path("other.json").write_text("[1, 2]")
    with pytest.raises(UnsupportedFormatError):
        imload("other.json")


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(InvalidImageError, match="nothing to save"):
        imsave([], "x.tif")


@pytest.mark.parametrize("lazy", [False, True])
def test_masked_pixels_are_refused(lazy: bool) -> None:
    masked = np.ma.masked_less(STACK, 3)
    with pytest.raises(InvalidImageError, match="filled"):
        save_images("a.tif", dask.array.from_array(masked) if lazy else masked)
    save_images("a.tif", masked.filled(0))


def test_an_unknown_length_is_refused() -> None:
    array = dask.array.from_array(STACK)
    with pytest.raises(InvalidImageError, match="compute_chunk_sizes"):
        save_images("a.tif", array[array[:, 0, 0] > 0])
    assert not list(Path().iterdir())
