"""Decoding of pages: gaps, unknown compressions, predictors and memory."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import psutil
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.errors import FerryWarning, UnreadableFileError
from tiff_files import GRAY, RGB


def test_pages_that_are_left_out_are_filled(tmp_path: Path) -> None:
    path = tmp_path / "p.tif"
    expected = pixels((4, 32, 48))
    tifffile.imwrite(path, expected, compression="zlib", **GRAY)
    expected[2] = 0
    with tifffile.TiffFile(path) as tif:
        tag = tif.pages[2].tags["StripOffsets"]
    raw = bytearray(path.read_bytes())
    raw[tag.offset + 8 : tag.offset + 12] = bytes(4)
    path.write_bytes(raw)
    with pytest.warns(FerryWarning, match="1 of its 4 pages"):
        (image,) = imload(path)
    assert_same_pixels(image.array, expected)


def test_a_raw_page_without_an_offset_is_not_the_header(tmp_path: Path) -> None:
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, pixels((32, 48)), **GRAY)
    with tifffile.TiffFile(path) as tif:
        tag = tif.pages.first.tags["StripOffsets"]
    raw = bytearray(path.read_bytes())
    raw[tag.offset + 8 : tag.offset + 12] = bytes(4)
    path.write_bytes(raw)
    with pytest.warns(FerryWarning, match="1 of its 1 pages"):
        (image,) = imload(path)
    assert not np.asarray(image.array).any()


def test_an_unknown_compression_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.tif"
    tifffile.imwrite(path, pixels((32, 48)), compression="zlib", **GRAY)
    with tifffile.TiffFile(path) as tif:
        tag = tif.pages.first.tags["Compression"]
    raw = bytearray(path.read_bytes())
    struct.pack_into("<H", raw, tag.offset + 8, 32809)
    path.write_bytes(raw)
    with pytest.raises(UnreadableFileError, match="THUNDERSCAN"):
        imload(path)


def test_a_strip_that_would_fill_the_memory_is_refused(shared_data: Path) -> None:
    before = psutil.Process().memory_info().rss
    with pytest.raises(UnreadableFileError, match="bytes that would become"):
        imload(shared_data / "corpus/tiff/gen__bomb_deflate_3GB.tif")
    assert psutil.Process().memory_info().rss - before < 100e6


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_floats_with_a_predictor(planar: str, dtype: str, order: str, tmp_path: Path) -> None:
    data = pixels((20, 30, 3), dtype) if planar == "contig" else pixels((3, 20, 30), dtype)
    path = tmp_path / "p.tif"
    tifffile.imwrite(
        path, data, byteorder=order, compression="zlib", predictor=3, planarconfig=planar, **RGB
    )
    (image,) = imload(path)
    assert_same_pixels(image.array, data if planar == "contig" else np.moveaxis(data, 0, -1))


@pytest.mark.parametrize("compression", ["jpeg", "jpeg2000"])
@pytest.mark.parametrize("tile", [None, (64, 64)])
def test_zeros_in_the_place_of_the_end_of_an_image_are_refused(
    tile: tuple[int, int] | None, compression: str, tmp_path: Path
) -> None:
    path, data = tmp_path / "a.tif", pixels((128, 128), "uint8")
    tifffile.imwrite(path, data, **GRAY, compression=compression, tile=tile)
    with tifffile.TiffFile(path) as tif:
        truth, page = tif.asarray(), tif.pages.first
        start, count = page.dataoffsets[-1], page.databytecounts[-1]
    (image,) = imload(path)
    np.testing.assert_array_equal(image.load(), truth)

    raw = bytearray(path.read_bytes())
    raw[start + count // 2 : start + count] = bytes(count - count // 2)
    path.write_bytes(raw)
    with pytest.raises(UnreadableFileError, match="zeros are in the place of its last data"):
        imload(path)[0].load()
