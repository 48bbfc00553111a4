"""Levels of pyramids, in SubIFDs and later in the chain."""

from __future__ import annotations

import os
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload, imsave
from napari_ferry.codecs.tiff.pages import tiles
from napari_ferry.errors import FerryWarning
from napari_ferry.image import Image
from tiff_files import GRAY, RGB, assert_like_tifffile, write_ome_set


@pytest.mark.parametrize("options", [{}, {"compression": "zlib", "predictor": True}], ids=str)
@pytest.mark.parametrize("axes", ["TZCYX", "CYX", "YX"])
def test_levels_below_pages_of_ome_tiff(axes: str, options: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "p.ome.tif"
    data = pixels((*(2, 3, 2)[: len(axes) - 2], 128, 160))
    with tifffile.TiffWriter(path, ome=True) as writer:
        for k in (1, 2, 4):
            named = {"subifds": 2, "metadata": {"axes": axes}} if k == 1 else {"subfiletype": 1}
            level = np.ascontiguousarray(data[..., ::k, ::k])
            writer.write(level, tile=(32, 32), photometric="minisblack", **named, **options)
    (image,) = imload(path)
    assert_like_tifffile(path, [image])
    assert [level.shape[-2:] for level in image.levels] == [(128, 160), (64, 80), (32, 40)]
    assert all(level.ndim == image.ndim for level in image.levels)
    for k, level in zip((1, 2, 4), image.levels, strict=True):
        assert_same_pixels(np.asarray(level).squeeze(), data[..., ::k, ::k])


def test_levels_of_one_of_several_images(tmp_path: Path) -> None:
    path = tmp_path / "p.ome.tif"
    data = pixels((2, 64, 80))
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(pixels((20, 30)), photometric="minisblack")
        writer.write(data, subifds=1, photometric="minisblack", metadata={"axes": "TYX"})
        writer.write(data[:, ::2, ::2].copy(), photometric="minisblack", subfiletype=1)
    plain, pyramid = imload(path)
    assert [len(plain.levels), len(pyramid.levels)] == [1, 2]
    assert_same_pixels(np.asarray(pyramid.levels[1]).squeeze(), data[:, ::2, ::2])


def test_levels_below_pages_that_tifffile_describes(tmp_path: Path) -> None:
    data = pixels((3, 64, 96))
    with tifffile.TiffWriter(tmp_path / "p.tif", bigtiff=True, byteorder=">") as writer:
        writer.write(data, subifds=2, photometric="minisblack", metadata={"axes": "ZYX"})
        for k in (2, 4):
            writer.write(data[:, ::k, ::k].copy(), photometric="minisblack", subfiletype=1)
    (image,) = imload(tmp_path / "p.tif")
    assert image.axis_names == ("z", "y", "x")
    for k, level in zip((1, 2, 4), image.levels, strict=True):
        assert_same_pixels(np.asarray(level), data[:, ::k, ::k])


@pytest.mark.parametrize("subfiletype", [0, 1])
def test_levels_in_the_chain(subfiletype: int, tmp_path: Path) -> None:
    path, data = tmp_path / "p.tif", pixels((258, 321))
    with tifffile.TiffWriter(path) as writer:
        writer.write(data, tile=(64, 64), **GRAY)
        for k in (2, 4):
            level = data[: 258 // k * k : k, : 321 // k * k : k].copy()
            writer.write(level, tile=(64, 64), subfiletype=subfiletype, **GRAY)
        writer.write(pixels((33, 44), "uint8"), **GRAY)
    images = imload(path)
    assert_like_tifffile(path, images)
    assert [len(image.levels) for image in images] == [3, 1]


def test_a_subifd_that_is_not_a_level_is_an_image(tmp_path: Path) -> None:
    path, below = tmp_path / "p.tif", pixels((30, 20, 3), "uint8")
    with tifffile.TiffWriter(path) as writer:
        writer.write(pixels((64, 80)), subifds=1, **GRAY)
        writer.write(below, **RGB)
    images = imload(path)
    assert_like_tifffile(path, images)
    assert_same_pixels(images[1].array, below)


def test_a_damaged_level_is_left_out_with_a_warning(tmp_path: Path) -> None:
    path, data = tmp_path / "p.tif", pixels((64, 80))
    with tifffile.TiffWriter(path) as writer:
        writer.write(data, subifds=1, **GRAY)
        writer.write(data[::2, ::2].copy(), **GRAY)
    with tifffile.TiffFile(path) as tif:
        ((place,), tag) = tif.pages.first.subifds, tif.pages.first.tags[330]
    raw = bytearray(path.read_bytes())
    struct.pack_into("<I", raw, tag.valueoffset, place + 7)
    path.write_bytes(raw)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        images = imload(path)
    assert_same_pixels(images[0].array, data)
    assert len(images[0].levels) == 1 or any(w.category is FerryWarning for w in caught)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
@pytest.mark.parametrize("odd", ["", "shape", "dtype"])
def test_a_level_missing_from_a_later_page_is_left_out_with_a_warning(
    odd: str, options: dict[str, Any], tmp_path: Path
) -> None:
    path, data = tmp_path / "p.tif", pixels((3, 64, 80))
    shape, dtype = (30, 40) if odd == "shape" else (32, 40), "u1" if odd == "dtype" else "u2"
    with tifffile.TiffWriter(path) as writer:
        for i, page in enumerate(data):
            levels = [page[::2, ::2].copy(), page[::4, ::4].copy()]
            if i == 2:
                levels = [np.zeros(shape, dtype), levels[1]] if odd else levels[:1]
            writer.write(page, subifds=len(levels), **GRAY, **options)
            for level in levels:
                writer.write(level, subfiletype=1, **GRAY, **options)

    with pytest.warns(FerryWarning, match=r"p\.tif .* left out") as caught:
        (image,) = imload(path)
    assert len(caught) == 1
    assert_same_pixels(np.asarray(image.array), data)
    step = 4 if odd else 2
    (found,) = image.levels[1:]
    assert_same_pixels(np.asarray(found), data[:, ::step, ::step])


def test_a_level_missing_from_a_file_of_a_set_is_left_out_with_a_warning(tmp_path: Path) -> None:
    data = pixels((3, 20, 30))
    paths = write_ome_set(tmp_path, "s.companion.ome", data)
    for path in paths[:2]:
        with tifffile.TiffFile(path) as tif:
            text = tif.pages.first.description
        page = tifffile.imread(path)
        with tifffile.TiffWriter(path) as writer:
            writer.write(page, subifds=1, description=text, **GRAY)
            writer.write(page[::2, ::2].copy(), subfiletype=1, **GRAY)
    with pytest.warns(FerryWarning, match=r"s_0\.ome\.tif .* left out"):
        (image,) = imload(paths[0])
    assert len(image.levels) == 1
    assert_same_pixels(np.asarray(image.array).squeeze(), data)


@pytest.mark.parametrize("large", [100, 32 << 20])
def test_levels_of_bools(large: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tiles, "LARGE_PAGE", large)
    path, data = tmp_path / "p.ome.tif", pixels((64, 80), "bool")
    imsave(Image.from_array(data, kind="labels"), path)
    with tifffile.TiffFile(path) as tif:
        text = tif.pages.first.description
    with tifffile.TiffWriter(path) as writer:
        options = {**GRAY, "compression": "zlib", "tile": (16, 16)}
        writer.write(data.astype("uint8"), subifds=1, description=text, **options)
        writer.write(data[::2, ::2].astype("uint8"), subfiletype=1, **options)
    (image,) = imload(path)
    assert [level.dtype for level in image.levels] == [bool, bool]
    assert_same_pixels(np.asarray(image.levels[1]), data[::2, ::2])


def test_pixels_outlive_directories_that_were_cut_off(tmp_path: Path) -> None:
    path, data = tmp_path / "p.tif", pixels((6, 20, 30))
    tifffile.imwrite(path, data, photometric="minisblack", metadata={"axes": "ZYX"})
    with tifffile.TiffFile(path) as tif:
        places = [page.offset for page in tif.pages]
    os.truncate(path, places[3] + 20)
    with pytest.warns(FerryWarning, match="cut off"):
        (image,) = imload(path)
    assert image.axis_names == ("z", "y", "x")
    assert_same_pixels(image.array, data)


def test_a_damaged_number_of_subifds_does_not_take_long(tmp_path: Path) -> None:
    """A page lists thousands of offsets, each of a directory that could be read."""
    path = tmp_path / "a.tif"
    offsets = (65000, "I", 20_000, [8] * 20_000, True)
    tifffile.imwrite(path, pixels((20, 30)), extratags=[offsets], **GRAY)
    with tifffile.TiffFile(path, mode="r+b") as tif:
        tif.filehandle.seek(tif.pages.first.tags[65000].offset)
        tif.filehandle.write(struct.pack("<H", 330))
    with pytest.warns(FerryWarning, match="lists 20000 SubIFDs, of which the first 64"):
        images = imload(path)
    assert len(images) <= 65
    assert_same_pixels(images[0].array, pixels((20, 30)))
