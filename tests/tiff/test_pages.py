"""Many pages of one TIFF file: their kinds and their pixels, for every storage."""

from __future__ import annotations

import gc
import struct
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.arrays.growth import growing_files
from napari_ferry.arrays.stamp import Stamp
from napari_ferry.codecs.tiff.pages import page_table
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.errors import UnreadableFileError

N = 30

STORAGES: dict[str, dict[str, Any]] = {
    "plain": {},
    "strips": {"rowsperstrip": 3},
    "deflate": {"compression": "zlib"},
    "deflate in strips": {"compression": "zlib", "rowsperstrip": 3},
    "tiles": {"tile": (16, 16)},
}


def write_mixed(path: Path, data: Any, byteorder: str, *, bigtiff: bool, **options: Any) -> None:
    """Write pages with different lists of tags."""
    with tifffile.TiffWriter(path, byteorder=byteorder, bigtiff=bigtiff) as tif:
        for i, frame in enumerate(data):
            words = {"description": "x" * i} if i % 3 else {}
            tags = [(65000 + k, "I", 1, i, True) for k in range(i % 7)]
            options |= {"photometric": "minisblack", "metadata": None, "contiguous": False}
            tif.write(frame, extratags=tags, **words, **options)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("bigtiff", [False, True])
def test_pages_with_other_tags_are_of_one_kind(
    storage: str, byteorder: str, bigtiff: bool, tmp_path: Path
) -> None:
    data = pixels((N, 20, 33))
    path = tmp_path / "mixed.tif"
    write_mixed(path, data, byteorder, bigtiff=bigtiff, **STORAGES[storage])
    (image,) = imload(path)
    assert image.shape == data.shape
    assert_same_pixels(np.stack([image.array[i] for i in range(N)]), data)
    for workers in (1, 3):
        assert_same_pixels(image.array.read_all(workers=workers), data)


@pytest.mark.parametrize("some", [1, 40, 1 << 20])
def test_kinds_are_counted_by_appearance(
    some: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_table, "_BATCH_VALUES", some)
    shapes = [(5, 6), (7, 8), (5, 6), (5, 8), (7, 8), (5, 6)]
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for shape in shapes:
            tif.write(np.zeros(shape, np.uint8), contiguous=False, description="x" * shape[1])
    assert TiffPages(tmp_path / "a.tif").kinds.tolist() == [0, 1, 0, 2, 1, 0]


def test_rows_with_equal_hashes_are_distinguished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_table, "_MIXERS", np.zeros(17, np.int64))
    rows = np.zeros((4, 17), np.int64)
    rows[[1, 3], 5] = 9
    assert page_table._number_rows(rows, {}).tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("count", [2, 20])
def test_strips_of_many_pages_in_one_piece_are_mapped(
    bigtiff: bool, count: int, tmp_path: Path
) -> None:
    data = pixels((N, 20, 33))
    path = tmp_path / "strips.tif"
    tifffile.imwrite(path, data, bigtiff=bigtiff, rowsperstrip=20 // count, metadata=None)
    (image,) = imload(path)
    assert isinstance(image.array, FileArray)
    assert_same_pixels(image.array, data)


def relink(path: Path, order: list[int], last: int | None = None) -> None:
    """Chain the pages of a classic little-endian file in another order, then return to `last`."""
    with tifffile.TiffFile(path) as tif:
        offsets = [page.offset for page in tif.pages]
    raw = bytearray(path.read_bytes())
    links = [4, *(at + 2 + 12 * struct.unpack_from("<H", raw, at)[0] for at in offsets)]
    for before, after in zip([-1, *order], [*order, last], strict=True):
        struct.pack_into("<I", raw, links[before + 1], 0 if after is None else offsets[after])
    path.write_bytes(raw)


def test_a_chain_may_go_backward(tmp_path: Path) -> None:
    data = pixels((6, 20, 33))
    tifffile.imwrite(tmp_path / "a.tif", data, metadata=None, compression="zlib")
    order = [3, 1, 5, 0, 4, 2]
    relink(tmp_path / "a.tif", order)
    assert_same_pixels(imload(tmp_path / "a.tif")[0].load(), data[order])


def test_a_circle_is_refused_at_its_length(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels((6, 20, 33)), metadata=None, compression="zlib")
    relink(tmp_path / "a.tif", [0, 1, 2, 3], last=1)
    with pytest.raises(UnreadableFileError, match="circular after 4"):
        imload(tmp_path / "a.tif")


def test_a_long_description_is_not_cached(tmp_path: Path) -> None:
    data, text = pixels((4, 20, 33)), "words " * 1_000_000
    tifffile.imwrite(
        tmp_path / "a.tif",
        data,
        compression="zlib",
        description=text,
        metadata=None,
        photometric="minisblack",
    )
    np.asarray(imload(tmp_path / "a.tif")[0].array[1])  # libraries cache data on first use
    tracemalloc.start()
    (image,) = imload(tmp_path / "a.tif")
    np.asarray(image.array[1])
    gc.collect()
    allocated, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert allocated < len(text)


def test_sixteen_threads_read_the_same_as_one(tmp_path: Path) -> None:
    data = pixels((N, 20, 33))
    write_mixed(tmp_path / "a.tif", data, "<", bigtiff=False, compression="zlib", rowsperstrip=7)
    (image,) = imload(tmp_path / "a.tif")
    start = threading.Barrier(16)

    def read(k: int) -> None:
        start.wait()
        for i in np.random.default_rng(k).permutation(N).tolist():
            assert_same_pixels(image.array.read(i), data[i])

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(read, range(16)))
    assert_same_pixels(image.array.read_all(workers=16), data)


@pytest.mark.parametrize("storage", ["plain", "deflate"])
def test_a_file_that_is_replaced_is_one_error(storage: str, tmp_path: Path) -> None:
    data = pixels((N, 20, 33))
    write_mixed(tmp_path / "a.tif", data, "<", bigtiff=False, **STORAGES[storage])
    (image,) = imload(tmp_path / "a.tif")
    write_mixed(tmp_path / "a.tif", data[:-1], "<", bigtiff=False, **STORAGES[storage])
    with pytest.raises(UnreadableFileError, match="has changed since it was opened"):
        image.load()


def test_pages_that_are_appended_while_others_are_found_are_no_change(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels((8, 9)), metadata=None)
    with growing_files():
        stamp = Stamp.of(path)
        tifffile.imwrite(path, pixels((8, 9)), metadata=None, append=True)
        assert len(TiffPages(path, stamp=stamp)) == 2
