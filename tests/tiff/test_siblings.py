"""Recordings that other programs split by size."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels
from napari_ferry import imload, load_images
from napari_ferry.errors import FerryWarning, UnreadableFileError
from tiff_files import GRAY


def write(folder: Path, data: NDArray[Any], per_file: int, **options: Any) -> list[Path]:
    """Write a recording as CalSciPy does; files of one frame are plain pictures."""
    paths = []
    for k, first in enumerate(range(0, len(data), per_file)):
        part = data[first : first + per_file]
        paths.append(folder / f"images_{k:05}.tif")
        tifffile.imwrite(paths[-1], part[0] if len(part) == 1 else part, **GRAY, **options)
    return paths


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("n", [4, 6, 7, 8, 9])
def test_the_last_file_may_have_fewer_frames(
    n: int, compression: str | None, tmp_path: Path
) -> None:
    data = pixels((n, 12, 16))
    write(tmp_path, data, 3, compression=compression)
    (image,) = imload(tmp_path)
    assert_same_pixels(image.load(), data)
    assert_same_pixels(np.asarray(image.array[n - 1]), data[-1])
    assert_same_pixels(load_images(tmp_path), data)


@pytest.mark.parametrize("lengths", [(1, 3), (1, 3, 3), (3, 1, 3), (1, 3, 1)])
def test_any_file_may_have_one_frame(lengths: tuple[int, ...], tmp_path: Path) -> None:
    data = pixels((sum(lengths), 12, 16))
    for k, part in enumerate(np.split(data, np.cumsum(lengths)[:-1])):
        tifffile.imwrite(tmp_path / f"m{k}.tif", part[0] if len(part) == 1 else part, **GRAY)
    (image,) = imload(tmp_path)
    assert image.axis_names == ("t", "y", "x")
    assert_same_pixels(image.load(), data)


def test_a_last_volume_without_time_is_one_time_point(tmp_path: Path) -> None:
    data = pixels((5, 4, 12, 16))
    options: dict[str, Any] = {"imagej": True}
    tifffile.imwrite(tmp_path / "m0.tif", data[:4], metadata={"axes": "TZYX"}, **options)
    tifffile.imwrite(tmp_path / "m1.tif", data[4], metadata={"axes": "ZYX"}, **options)
    (image,) = imload(tmp_path)
    assert image.shape == data.shape
    assert_same_pixels(image.load(), data)


def test_a_last_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    write(tmp_path, pixels((6, 12, 16)), 3)
    tifffile.imwrite(tmp_path / "images_00002.tif", np.zeros((12, 17), "uint16"), **GRAY)
    with pytest.raises(UnreadableFileError, match=r"images_00002\.tif is \(12, 17\)"):
        imload(tmp_path)


@pytest.mark.parametrize("k", range(3))
def test_one_file_of_a_recording_says_that_others_exist(k: int, tmp_path: Path) -> None:
    data = pixels((7, 12, 16))
    path = write(tmp_path, data, 3)[k]
    with pytest.warns(FerryWarning, match=rf"{path.name} is opened alone, but images_0000"):
        (image,) = imload(path)
    assert_same_pixels(np.asarray(image.array).reshape(-1, 12, 16), data[3 * k : 3 * k + 3])


def test_single_frames_with_numbers_are_opened_without_a_word(tmp_path: Path) -> None:
    paths = write(tmp_path, pixels((3, 12, 16)), 1)
    tifffile.imwrite(tmp_path / "other_00007.tif", pixels((3, 12, 16)), **GRAY)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in (paths[1], tmp_path / "other_00007.tif"):
            imload(path)
