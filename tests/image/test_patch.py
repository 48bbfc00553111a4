"""Patches of lazy arrays, as read by CAREamics."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import tifffile
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from helpers import SHARED, Entry, entry_id, make_image, pixels, read_golden, sha256
from lazy_arrays import counted
from napari_ferry import imload
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image

PATCHES = read_golden("careamics", lambda entry: "patches" in entry)
"""The real classes read a channel of a file by its own index, samples with t fastest."""


def cases() -> Iterator[tuple[Entry, Entry]]:
    for entry in PATCHES:
        for patch in entry["patches"]:
            yield entry, patch


@pytest.mark.usefixtures("shared_data")
def test_there_are_patches_of_careamics() -> None:
    assert len(list(cases())) > 150


@pytest.mark.filterwarnings("ignore:.*planes of each page")  # tifffile's default tags
@pytest.mark.parametrize("entry", PATCHES, ids=entry_id)
@pytest.mark.parametrize("is_loaded", [False, True])
def test_patches_are_those_of_careamics(entry: Entry, is_loaded: bool) -> None:
    path = SHARED / "earlier-systems" / "careamics" / entry["open"]
    (image,) = imload(path, axes=entry["axes"])
    if is_loaded:
        image.load()
    for patch in entry["patches"]:
        asked = (patch[key] for key in ("sample_idx", "channels", "coords", "patch_size"))
        found = image.extract_patch(*asked)
        assert list(found.shape) == patch["shape"]
        assert found.dtype == patch["dtype"]
        assert sha256(found) == patch["sha256_c_order"], patch


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sample_idx", None),
        ("sample_idx", 0.5),
        ("channels", 0),
        ("channels", ["GFP"]),
        ("coords", (0.5, 0)),
        ("coords", "ab"),
        ("patch_size", 8),
    ],
)
def test_other_values_than_whole_numbers_are_refused(name: str, value: Any) -> None:
    image = Image.from_array(pixels((2, 8, 9)), "cyx")
    asked = {"sample_idx": 0, "channels": None, "coords": (0, 0), "patch_size": (2, 2)}
    with pytest.raises(InvalidImageError, match=f"{name} is .*: give whole numbers"):
        image.extract_patch(**(asked | {name: value}))
    index = {**asked, "channels": np.array([1]), "coords": np.array([0, 0])}
    assert image.extract_patch(**index).shape == (1, 2, 2)


@settings(max_examples=100)
@given(
    st.permutations("czyx"),
    st.tuples(st.integers(-4, 6), st.integers(-4, 7), st.integers(-4, 9)),
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 9)),
)
def test_a_patch_is_cut_out_of_zeros(
    axes: list[str], coords: tuple[int, ...], size: tuple[int, ...]
) -> None:
    image = make_image("".join(axes))
    padded = np.pad(
        np.asarray(image.array).transpose([axes.index(a) for a in "czyx"]),
        [(0, 0), *[(10, 20)] * 3],
    )
    cut = tuple(slice(10 + start, 10 + start + n) for start, n in zip(coords, size, strict=True))
    found = image.extract_patch(0, None, coords, size, dtype=None)
    np.testing.assert_array_equal(found, padded[:, *cut])
    assert found.dtype == image.dtype


def test_a_patch_reads_no_more_than_its_frames() -> None:
    frames, read = counted(100)
    Image.from_array(frames, "tyx").extract_patch(42, None, (0, 0), (2, 2))
    assert read == [42]


@pytest.mark.parametrize(
    ("axes", "expected"), [("yxs", (3, 2, 2)), ("cyxs", (2, 2, 2)), ("tyxs", (3, 2, 2))]
)
def test_samples_of_a_color_are_channels_if_there_are_no_others(
    axes: str, expected: tuple[int, ...]
) -> None:
    assert make_image(axes).extract_patch(0, None, (0, 0), (2, 2)).shape == expected


@pytest.mark.parametrize(
    "asked",
    [
        (3, None, (0, 0), (2, 2)),
        (-1, None, (0, 0), (2, 2)),
        (0, [2], (0, 0), (2, 2)),
        (0, [], (0, 0), (2, 2)),
        (0, None, (0, 0, 0), (2, 2, 2)),
        (0, None, (0,), (2, 2)),
    ],
)
def test_a_patch_outside_the_image_is_refused(asked: Any) -> None:
    with pytest.raises(InvalidImageError):
        make_image("tcyx").extract_patch(*asked)


@pytest.mark.parametrize("axes", ["YXS", "yxs"])
def test_a_capital_s_counts_samples_and_a_small_one_the_channels_of_a_color(axes: str) -> None:
    data = pixels((8, 9, 3))
    image = Image.from_array(data, axes).replace(scale={"y": 2})
    renamed = Image.from_array(data, "yxz").replace(axes=axes)
    for each in (image, renamed):
        if axes == "YXS":
            assert (each.original_axes, each.data_shape) == ("YXS", (3, 1, 8, 9))
            patch = each.extract_patch(2, None, (1, 2), (4, 4), dtype=None)
            np.testing.assert_array_equal(patch[0], data[1:5, 2:6, 2])
        else:
            assert (each.original_axes, each.data_shape) == ("YXC", (1, 3, 8, 9))
            patch = each.extract_patch(0, None, (1, 2), (4, 4), dtype=None)
            np.testing.assert_array_equal(patch, data[1:5, 2:6].transpose(2, 0, 1))
        assert each.is_rgb  # napari shows both as a color
        assert each.original_shape == (8, 9, 3)


def test_other_values_of_the_key_do_not_change_the_channels() -> None:
    image = Image.from_array(pixels((8, 9, 3)), "yxs").replace(metadata={"original_axes": "YX"})
    assert (image.original_axes, image.data_shape) == ("YXC", (1, 3, 8, 9))


@pytest.mark.usefixtures("shared_data")
def test_shapes_of_all_axes_are_those_of_careamics() -> None:
    folder = SHARED / "earlier-systems" / "careamics"
    table = json.loads((folder / "axes_table.json").read_text("utf-8"))
    for axes, shape in table["transformed_shape"].items():
        array = np.broadcast_to(np.uint8(0), [table["sizes"][letter] for letter in axes])
        image = Image.from_array(array, axes)
        assert image.original_axes == axes
        assert image.data_shape == tuple(shape)


def bytes_read() -> int:
    """Return how many bytes this process has read."""
    return int(psutil.Process().io_counters().read_chars)


def save_strips(path: Path, data: NDArray[Any]) -> None:
    tifffile.imwrite(path, data, compression="zlib", rowsperstrip=32, metadata={"axes": "TYX"})


def save_tiles(path: Path, data: NDArray[Any]) -> None:
    tifffile.imwrite(path, data, compression="zlib", tile=(128, 128), metadata={"axes": "TYX"})


def save_chunks(path: Path, data: NDArray[Any]) -> None:
    zarr.create_array(path, data=data, chunks=(1, 128, 128))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the bytes")
@pytest.mark.parametrize(
    ("name", "save", "most"),
    [
        ("a.tif", save_strips, 5 / 16),
        ("a.tif", save_tiles, 4 / 16),
        ("a.zarr", save_chunks, 4 / 16),
    ],
)
@pytest.mark.parametrize("is_loaded_before", [False, True])
def test_a_patch_of_a_closed_file_reads_no_more_than_its_parts(
    tmp_path: Path,
    name: str,
    save: Callable[[Path, NDArray[Any]], None],
    most: float,
    is_loaded_before: bool,
) -> None:
    data = pixels((6, 512, 512))
    save(tmp_path / name, data)
    (image,) = imload(tmp_path / name, axes="TYX")
    if is_loaded_before:
        image.load()
        image.close()
    image.extract_patch(0, None, (0, 0), (8, 8))  # reads what describes the file

    before = bytes_read()
    patch = image.extract_patch(3, None, (180, 180), (120, 120), dtype=None)
    read = bytes_read() - before
    np.testing.assert_array_equal(patch[0], data[3, 180:300, 180:300])
    slack = 16384  # offsets of tiles, read through a buffer, and what counting reads
    assert 120 * 120 * 2 < read < most * 512 * 512 * 2 + slack


@pytest.mark.parametrize(
    ("name", "save"), [("a.tif", save_strips), ("a.tif", save_tiles), ("a.zarr", save_chunks)]
)
def test_patches_are_read_by_sixteen_threads(
    tmp_path: Path, name: str, save: Callable[[Path, NDArray[Any]], None]
) -> None:
    data = pixels((6, 128, 128))
    save(tmp_path / name, data)
    (image,) = imload(tmp_path / name, axes="TYX")

    def check(k: int) -> bool:
        t, y, x = k % 6, 7 * k % 100, 11 * k % 100
        patch = image.extract_patch(t, None, (y, x), (20, 20), dtype=None)
        if k % 10 == 0:
            image.close()
        return bool((patch[0] == data[t, y : y + 20, x : x + 20]).all())

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(check, range(160)))
