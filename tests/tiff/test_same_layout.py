"""Folders opened through their first file."""

from __future__ import annotations

import os
import pickle  # noqa: TID251 - of our own making
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload, load_images
from napari_ferry.arrays.identity import source_identity
from napari_ferry.codecs.tiff.pages import template
from tiff_files import COUNT, RGB, fill

STORAGES: dict[str, dict[str, Any]] = {
    "plain": {},
    "imagej": {"imagej": True},
    "ome": {"ome": True},
    "big-endian": {"byteorder": ">"},
    "BigTIFF": {"bigtiff": True},
    "strips": {"rowsperstrip": 3},
    "deflate": {"compression": "zlib"},
    "deflate, predictor, strips": {"compression": "zlib", "predictor": True, "rowsperstrip": 3},
    "tiles": {"tile": (16, 16)},
}


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("workers", [1, 3])
def test_no_file_is_opened_separately(
    storage: str, workers: int, tmp_path: Path, opened: Counter[str]
) -> None:
    data = pixels((COUNT, 20, 33))
    fill(tmp_path, data, **STORAGES[storage])
    (image,) = imload(tmp_path)
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), data)
    assert_same_pixels(load_images(tmp_path, workers=workers).reshape(data.shape), data)
    assert_same_pixels(np.asarray(image.array[7]).reshape(20, 33), data[7])
    assert not opened


def test_only_the_first_file_is_read_to_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, pixels((COUNT, 20, 33)))
    seen: set[str] = set()
    watch = _watched(seen)
    monkeypatch.setattr("builtins.open", watch(open))
    monkeypatch.setattr("io.open", watch(__import__("io").open))
    monkeypatch.setattr("os.open", watch(os.open))
    (image,) = imload(tmp_path)
    assert seen == {"f0.tif"}
    np.asarray(image.array[5])
    assert seen == {"f0.tif", "f5.tif"}


def _watched(seen: set[str]) -> Callable[[Any], Any]:
    """Return a decorator of `open` for recording the names of TIFF files."""

    def watch(opener: Any) -> Any:
        def noted(file: Any, *args: Any, **options: Any) -> Any:
            if str(file).endswith(".tif"):
                seen.add(Path(file).name)
            return opener(file, *args, **options)

        return noted

    return watch


@pytest.mark.parametrize("change", ["too large", "no preadv", "short read"])
def test_files_that_are_not_read_in_one_call(
    change: str, tmp_path: Path, opened: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows, and on macOS from 2 GiB on."""
    if change == "too large":
        monkeypatch.setattr(template, "MAX_READ", 1000)
    elif change == "no preadv":
        monkeypatch.delattr(os, "preadv", raising=False)
    else:
        monkeypatch.setattr(os, "preadv", lambda *_: 99, raising=False)
    data = pixels((COUNT, 20, 33))
    fill(tmp_path, data)
    assert_same_pixels(load_images(tmp_path), data)
    assert not opened


def test_headers_may_differ_in_their_texts(tmp_path: Path, opened: Counter[str]) -> None:
    data = pixels((COUNT, 20, 33))
    for i, frame in enumerate(data):
        words = {"description": "frame " + "x" * i, "datetime": f"2020:01:01 00:00:{i:02d}"}
        tifffile.imwrite(tmp_path / f"f{i}.tif", frame, metadata=None, **words)
    assert_same_pixels(load_images(tmp_path), data)
    assert not opened


def test_planar_colors_become_the_last_axis(tmp_path: Path, opened: Counter[str]) -> None:
    data = pixels((COUNT, 3, 20, 33), "uint8")
    fill(tmp_path, data, planarconfig="separate", **RGB)
    (image,) = imload(tmp_path)
    assert image.axis_names == ("t", "y", "x", "s")
    assert_same_pixels(image.load(), np.moveaxis(data, 1, -1))
    assert not opened


def test_jpegs_are_decoded_with_their_own_tables(tmp_path: Path) -> None:
    data = np.stack([np.full((32, 48), 20 * i, np.uint8) for i in range(COUNT)])
    for i, frame in enumerate(data):
        options = {"compression": "jpeg", "compressionargs": {"level": 50 + 4 * i}}
        tifffile.imwrite(tmp_path / f"f{i}.tif", frame, **options)
    with_tables = imload(tmp_path)[0].load()
    assert abs(with_tables.astype(int) - data).max() < 8


def test_sixteen_threads_read_the_same_as_one(tmp_path: Path) -> None:
    data = pixels((COUNT, 20, 33))
    for folder, options in (("plain", {}), ("packed", {"compression": "zlib"})):
        (tmp_path / folder).mkdir()
        fill(tmp_path / folder, data, **options)
    for image in (imload(tmp_path / "plain")[0], imload(tmp_path / "packed")[0]):
        start = threading.Barrier(16)

        def read(k: int, image: Any = image, start: threading.Barrier = start) -> None:
            start.wait()
            for i in np.random.default_rng(k).permutation(COUNT).tolist():
                assert_same_pixels(image.array.read(i), data[i])

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(read, range(16)))


def test_a_folder_can_be_sent_to_another_process(tmp_path: Path) -> None:
    data = pixels((COUNT, 20, 33))
    fill(tmp_path, data)
    (image,) = imload(tmp_path)
    copy = pickle.loads(pickle.dumps(image.array))
    assert_same_pixels(np.asarray(copy), data)


@pytest.mark.parametrize("storage", STORAGES)
def test_the_identity_of_a_stack_does_not_change_when_it_is_read(
    storage: str, tmp_path: Path
) -> None:
    fill(tmp_path, pixels((COUNT, 20, 33)), **STORAGES[storage])
    (image,) = imload(tmp_path)
    identity = source_identity(image.array)
    assert identity is not None
    for key in (1, slice(None)):
        np.asarray(image.array[key])
        assert source_identity(image.array) == identity
