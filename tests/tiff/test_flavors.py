"""TIFF files of microscopes and scanners, pyramids and large pages, compared with tifffile."""

from __future__ import annotations

import json
import os
import pickle  # noqa: TID251 - what is read here was written here
import struct
import warnings
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import psutil
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels
from napari_ferry import imload, imsave, plan
from napari_ferry.arrays.regions import split_by_bytes, whole_region
from napari_ferry.codecs.tiff.pages import tiles
from napari_ferry.codecs.tiff.pages.tiles import Tiles
from napari_ferry.errors import FerryWarning, UnreadableFileError, UnsupportedFormatError
from napari_ferry.image import Axis, Image
from napari_ferry.layers.layer_data import to_layers

GRAY: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
RGB: dict[str, Any] = {"photometric": "rgb", "metadata": None}


def assert_like_tifffile(path: Path, images: Sequence[Image]) -> None:
    """Compare all levels of all images with tifffile's series."""
    with tifffile.TiffFile(path) as tif:
        assert len(images) == len(tif.series)
        for image, series in zip(images, tif.series, strict=True):
            assert len(image.levels) == len(series.levels)
            for level, expected in zip(image.levels, series.levels, strict=True):
                found, truth = np.asarray(level).squeeze(), expected.asarray().squeeze()
                assert found.dtype == truth.dtype
                np.testing.assert_array_equal(found, truth.reshape(found.shape))


def axes_of(image: Image) -> list[tuple[str, float, str | None]]:
    return [(axis.name, pytest.approx(axis.scale), axis.unit) for axis in image.axes]


# --- pyramids


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
def test_levels_of_truth_values(
    large: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
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


# --- large pages, read by tiles or strips

LARGE: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((100, 131), {"tile": (32, 48), **GRAY}),
    ((3, 100, 131), {"tile": (16, 16), "compression": "zlib", "predictor": True, **GRAY}),
    ((2, 100, 131), {"rowsperstrip": 7, "compression": "lzw", **GRAY}),
    ((2, 100, 131, 3), {"tile": (32, 32), "compression": "zlib", **RGB}),
    ((2, 3, 100, 131), {"tile": (32, 32), "planarconfig": "separate", **RGB}),
    ((3, 100, 131), {"rowsperstrip": 9, "compression": "zlib", "planarconfig": "separate", **RGB}),
    ((2, 100, 131, 5), {"tile": (32, 32), "planarconfig": "contig", **GRAY}),
]

KEYS = [
    *(..., (), 0, -1, slice(None, None, -1), (..., slice(1, 90, 7)), (..., None, 1)),
    *((..., slice(80, 2, -13), slice(5, None, 3)), (..., slice(2, 2)), (..., [1, 0, 1], slice(9))),
    *((..., [3, 1, 9], [2, 2, 1]), (slice(None, None, 2), ..., slice(-3, None))),
]


@pytest.fixture
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "LARGE_PAGE", 1000)


def write_pages(path: Path, data: NDArray[Any], **options: Any) -> None:
    is_color = options["photometric"] == "rgb" or options.get("planarconfig")
    inner = data.shape[-3:] if is_color else data.shape[-2:]
    with tifffile.TiffWriter(path) as writer:
        for page in data.reshape(-1, *inner):
            writer.write(page, **options)


@pytest.mark.usefixtures("_small_is_large")
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize(("shape", "options"), LARGE, ids=str)
def test_tiles_are_indexed_as_numpy_does(
    shape: tuple[int, ...], options: dict[str, Any], dtype: str, tmp_path: Path
) -> None:
    data = pixels(shape, dtype)
    write_pages(tmp_path / "p.tif", data, **options)
    (image,) = imload(tmp_path / "p.tif")
    if options.get("planarconfig") == "separate":
        data = np.moveaxis(data, -3, -1)
    elif "planarconfig" in options:
        data = np.moveaxis(data, -1, -3)
    assert isinstance(image.array, Tiles)
    for array in (image.array, pickle.loads(pickle.dumps(image.array))):
        for key in KEYS:
            assert_same_pixels(array[key], data[key])
    with pytest.raises(IndexError):
        image.array[..., 500, :, :][1:]


@pytest.mark.parametrize("large", [1000, 32 << 20])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("lead", [(), (2,)])
def test_samples_that_are_channels_are_layers(
    lead: tuple[int, ...], planar: str, large: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tiles, "LARGE_PAGE", large)
    data = pixels((*lead, 100, 131, 5))
    stored = data if planar == "contig" else np.moveaxis(data, -1, -3)
    options = {"tile": (32, 32), "compression": "zlib", "planarconfig": planar, **GRAY}
    write_pages(tmp_path / "p.tif", stored, **options)
    layers = to_layers(imload(tmp_path / "p.tif"))
    assert len(layers) == 5
    for i, (array, _, _) in enumerate(layers):
        expected = data[..., i]
        assert (array.shape, array.dtype, array.ndim) == (expected.shape, "uint16", expected.ndim)
        assert_same_pixels(np.asarray(array), expected)
        assert_same_pixels(np.asarray(pickle.loads(pickle.dumps(array))), expected)
        for key in (np.s_[..., 20:70:3, 5:2:-1], np.s_[..., None, 4], np.s_[..., [4, 1], :]):
            assert_same_pixels(array[key], expected[key])


@pytest.mark.usefixtures("_small_is_large")
def test_a_channel_of_a_pyramid_is_read_by_tiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pixels((2, 320, 320))
    with tifffile.TiffWriter(tmp_path / "p.ome.tif", ome=True) as writer:
        options = {"photometric": "minisblack", "tile": (16, 16)}
        writer.write(data, subifds=1, metadata={"axes": "CYX"}, **options)
        writer.write(data[:, ::2, ::2].copy(), subfiletype=1, **options)

    (_, second) = to_layers(imload(tmp_path / "p.ome.tif"))
    read = []
    read_segment = tiles.read_segment
    monkeypatch.setattr(
        tiles, "read_segment", lambda *args: read.append(args[2]) or read_segment(*args)
    )
    levels = second[0]
    assert_same_pixels(np.asarray(levels[0][..., 16:48, 16:32]).squeeze(), data[1, 16:48, 16:32])
    assert len(read) == 2
    assert_same_pixels(np.asarray(levels[1]).squeeze(), data[1, ::2, ::2])


@pytest.mark.usefixtures("_small_is_large")
def test_tiles_are_streamed_chunk_by_chunk(tmp_path: Path) -> None:
    data = pixels((2, 100, 131))
    write_pages(tmp_path / "p.tif", data, tile=(32, 48), compression="zlib", **GRAY)
    (image,) = imload(tmp_path / "p.tif")
    assert isinstance(image.array, Tiles)
    boxes = list(split_by_bytes(image.array, whole_region(image.shape), 4000))
    assert len(boxes) > 20
    assert all(box[1].start % 32 == 0 and box[2].start % 48 == 0 for box in boxes)
    out = np.empty_like(data)
    for box in boxes:
        out[box] = image.array[box]
    assert_same_pixels(out, data)


@pytest.mark.usefixtures("_small_is_large")
def test_only_the_tiles_that_are_asked_for_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = pixels((160, 160))
    write_pages(tmp_path / "p.tif", data, tile=(16, 16), compression="zlib", **GRAY)
    (image,) = imload(tmp_path / "p.tif")
    read = []

    def count(file: Any, kind: Any, offset: int, nbytes: int) -> bytes | None:
        read.append(offset)
        return read_segment(file, kind, offset, nbytes)

    read_segment = tiles.read_segment
    monkeypatch.setattr(tiles, "read_segment", count)
    assert_same_pixels(image.array[20:40, 30:50], data[20:40, 30:50])
    assert len(read) == 6
    image.array[20:40, 30:50]
    assert len(read) == 6


@pytest.mark.usefixtures("_small_is_large")
def test_tiles_are_read_by_many_threads(tmp_path: Path) -> None:
    data = pixels((3, 160, 160))
    write_pages(tmp_path / "p.tif", data, tile=(16, 16), compression="zlib", **GRAY)
    (image,) = imload(tmp_path / "p.tif")
    places = [np.s_[k % 3, k : k + 50, 2 * k : 2 * k + 40] for k in range(60)]
    with ThreadPoolExecutor(16) as pool:
        for place, found in zip(places, pool.map(image.array.__getitem__, places), strict=True):
            assert_same_pixels(found, data[place])


@pytest.mark.usefixtures("_small_is_large")
def test_a_damaged_tile_is_named_and_a_file_that_changed(tmp_path: Path) -> None:
    path = tmp_path / "p.tif"
    write_pages(path, pixels((160, 160)), tile=(16, 16), compression="zlib", **GRAY)

    (image,) = imload(path)
    with tifffile.TiffFile(path) as tif:
        place = tif.pages.first.dataoffsets[55]
    stamp = path.stat()
    with path.open("r+b") as file:
        file.seek(place)
        file.write(bytes(8))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert image.array[:32, :32].any()
    with pytest.raises(UnreadableFileError, match=r"Page 0 .* is damaged"):
        image.array[80:96, 80:96]
    os.truncate(path, 1000)
    with pytest.raises(UnreadableFileError, match="changed"):
        image.array[:80]


def test_a_large_sparse_page_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "p.tif"
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        tile = pixels((256, 256), "uint8")
        packed = zlib.compress(tile.tobytes())
        written = (packed if i == 200 * 79 + 3 else b"" for i in range(313 * 391))
        writer.write(
            written, shape=(80_000, 100_000), dtype="uint8", tile=(256, 256),
            compression="zlib", **GRAY,
        )  # fmt: skip
    (image,) = imload(path)
    before, start = psutil.Process().memory_info().rss, monotonic()
    y, x = divmod(200 * 79 + 3, 391)
    place = np.s_[y * 256 : y * 256 + 256, x * 256 : x * 256 + 256]
    assert_same_pixels(image.array[place], tile)
    assert not image.array[::1000, ::1000].any()
    assert monotonic() - start < 5
    assert psutil.Process().memory_info().rss - before < 200e6


# --- pixels


@pytest.mark.parametrize("bits", [8, 16])
def test_a_palette_is_a_colormap(bits: int, tmp_path: Path) -> None:
    colors = np.random.default_rng(1).integers(0, 65536, (3, 1 << bits)).astype("uint16")
    data = pixels((20, 30), f"uint{bits}")
    options = {"photometric": "palette", "colormap": colors, "metadata": None}
    tifffile.imwrite(tmp_path / "p.tif", data, **options)
    (image,) = imload(tmp_path / "p.tif")
    assert_same_pixels(image.array, data)
    shown = image.display["colormap"]["colors"]
    assert image.display["contrast_limits"] == [0, (1 << bits) - 1]
    assert len(shown) == min(256, 1 << bits)
    np.testing.assert_allclose(np.array(shown)[[0, -1], :3], colors.T[[0, -1]] / 65535)


@pytest.mark.parametrize("top", [255, 65535])
def test_a_palette_of_gray_is_none(top: int, tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, top, 256).astype("uint16"), (3, 1))
    data = pixels((20, 30), "uint8")
    tifffile.imwrite(tmp_path / "p.tif", data, photometric="palette", colormap=ramp, metadata=None)
    assert "colormap" not in imload(tmp_path / "p.tif")[0].display


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
    (image,) = imload(path)
    assert not np.asarray(image.array).any()


def test_a_compression_that_is_not_known_is_named(tmp_path: Path) -> None:
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
    with pytest.raises(UnreadableFileError, match="bytes that become"):
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


# --- microscopes and scanners


def write_svs(path: Path) -> None:
    text, full = (
        "Aperio Image Library v1.0\r\n1|AppMag = 20|MPP = 0.499",
        pixels((512, 768, 3), "u1"),
    )
    with tifffile.TiffWriter(path) as writer:
        writer.write(full, tile=(64, 64), description=text, compression="jpeg", **RGB)
        writer.write(pixels((100, 150, 3), "u1"), description=text, **RGB)
        for k in (4, 8):
            writer.write(full[::k, ::k].copy(), tile=(64, 64), description=text, **RGB)
        writer.write(pixels((40, 50, 3), "u1"), subfiletype=1, **RGB)
        writer.write(pixels((60, 90, 3), "u1"), subfiletype=9, **RGB)


def write_ndpi(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        for k, magnification in ((1, 20.0), (2, 10.0), (4, 5.0), (8, -1.0)):
            tags = [(271, 2, None, "Hamamatsu", True), (65420, 4, 1, 1, True)]
            tags.append((65421, 11, 1, magnification, True))
            width = 320 // k if magnification > 0 else 50
            per_cm = (40_000 / k, 40_000 / k)
            writer.write(
                pixels((256 // k, width, 3), "u1"), compression="jpeg", extratags=tags,
                resolution=per_cm, resolutionunit=3, **RGB,
            )  # fmt: skip


def write_qpi(path: Path) -> None:
    bands = [pixels((512, 640), "u1") + i for i in range(3)]
    tags = {"software": "PerkinElmer-QPI", "resolution": (20_000, 20_000), "resolutionunit": 3}
    with tifffile.TiffWriter(path) as writer:
        for band in bands:
            writer.write(band, tile=(64, 64), **tags, **GRAY)
        writer.write(pixels((64, 80, 3), "u1"), **RGB)
        for k, band in product((2, 4), bands):
            writer.write(band[::k, ::k].copy(), tile=(64, 64), **GRAY)


def write_bif(path: Path) -> None:
    xmp = [(700, 1, None, b'<iScan ScanRes="0.25">', True)]
    with tifffile.TiffWriter(path) as writer:
        writer.write(
            pixels((60, 60, 3), "u1"), software="Ventana", description="Label", extratags=xmp, **RGB
        )
        for k in (1, 2):
            level = pixels((256 // k, 256 // k, 3), "u1")
            writer.write(level, tile=(64, 64), description=f"level={k - 1} mag=20", **RGB)


def write_philips(path: Path) -> None:
    one = '<DataObject ObjectType="PixelDataRepresentation"><Attribute Name="DICOM_PIXEL_SPACING">'
    levels = "".join(f'{one}"{k / 4000}" "{k / 4000}"</Attribute></DataObject>' for k in (1, 2))
    text = f'<DataObject><Attribute Name="I"><Array>{levels}</Array></Attribute></DataObject>'
    with tifffile.TiffWriter(path) as writer:
        full = pixels((300, 300, 3), "u1")
        writer.write(full, tile=(64, 64), software="Philips DP v1.0", description=text, **RGB)
        writer.write(pixels((192, 192, 3), "u1"), tile=(64, 64), description="level=1", **RGB)
        writer.write(pixels((40, 30, 3), "u1"), description="Macro", **RGB)


def write_scn(path: Path) -> None:
    name = 'xmlns="http://www.leica-microsystems.com/scn/2010/10/01"'
    places = "".join(
        f'<dimension r="{r}" c="{c}" ifd="{2 * r + c}"/>' for r in (0, 1) for c in (0, 1)
    )
    image = f'<image name="i"><pixels>{places}</pixels></image>'
    text = f"<scn {name}><collection>{image}</collection></scn>"
    with tifffile.TiffWriter(path) as writer:
        for k, c in product((1, 2), (0, 1)):
            band = pixels((256 // k, 320 // k), "u1") + c
            options = {"description": text} if (k, c) == (1, 0) else {}
            writer.write(band, tile=(64, 64), contiguous=False, **options, **GRAY)


def write_indica(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        for k, _ in product((1, 2), range(2)):
            band = pixels((256 // k, 256 // k), "u1")
            writer.write(band, tile=(64, 64), software="IndicaLabsImageWriter 1", **GRAY)


def write_lsm(path: Path, color: bool = False) -> None:
    kind = np.dtype(tifffile.TIFF.CZ_LSMINFO)
    info = np.zeros((), kind)
    t, z, c = (1, 4, 1) if color else (2, 3, 3)
    for key, value in {
        **{"MagicNumber": 67127628, "StructureSize": kind.itemsize, "DimensionX": 40},
        **{"DimensionY": 30, "DimensionZ": z, "DimensionChannels": 3 if color else c},
        **{"DimensionTime": t, "ScanType": 0 if color else 6, "VoxelSizeX": 2e-7},
        **{"VoxelSizeY": 3e-7, "VoxelSizeZ": 1e-6, "TimeIntervall": 2.5},
    }.items():
        info[key] = value

    tags = [(34412, 1, kind.itemsize, info.tobytes(), True)]
    with tifffile.TiffWriter(path) as writer:
        for i in range(t * z):
            page = pixels((30, 40, 3), "u1") if color else pixels((c, 30, 40)) + i
            options = RGB if color else {**GRAY, "planarconfig": "separate"}
            writer.write(page, extratags=tags if not i else [], contiguous=False, **options)
            small = pixels((6, 8, 3), "u1")
            writer.write(small, subfiletype=1, contiguous=False, **RGB)


def write_fluoview(path: Path) -> None:
    kind = np.dtype(tifffile.TIFF.MM_HEADER)
    info = np.zeros((), kind)
    dimensions = [(b"X", 40, 0, 0.5, b"um"), (b"Y", 30, 0, 0.5, b"um"), (b"Z", 3, 0, 2, b"um")]
    dimensions += [(b"Ch", 2, 0, 1, b""), *[(b"", 0, 0, 0, b"")] * 6]
    info["Dimensions"] = np.array(dimensions, kind["Dimensions"].subdtype[0])
    tags = [(34361, 1, kind.itemsize, info.tobytes(), True), (34362, 12, 8, (0.0,) * 8, True)]
    with tifffile.TiffWriter(path) as writer:
        for i in range(6):
            writer.write(pixels((30, 40)) + i, extratags=tags, contiguous=False, **GRAY)


def write_mdgel(path: Path) -> None:
    texts = [(tag, 2, None, "text", True) for tag in (33448, 33449, 33450, 33451, 33452)]
    tags = [(33445, 4, 1, 2, True), (33446, 5, 1, (1, 4), True), (33447, 3, 1, 0, True), *texts]
    with tifffile.TiffWriter(path) as writer:
        writer.write(pixels((20, 30)), **GRAY)
        writer.write(pixels((4, 5)), extratags=tags, **GRAY)


def write_nih(path: Path) -> None:
    with tifffile.TiffWriter(path) as writer:
        for i in range(3):
            tags = [(43314, 1, 4, b"abcd", True)]
            writer.write(pixels((20, 30)) + i, extratags=tags, contiguous=False, **GRAY)


def write_avs(path: Path) -> None:
    tags = [(65000, 2, None, "<Argos/>", True)]
    with tifffile.TiffWriter(path) as writer:
        for k in (1, 2):
            level = pixels((256 // k, 320 // k, 3), "u1")
            writer.write(level, tile=(64, 64), extratags=tags if k == 1 else [], **RGB)
        for size in (30, 50):
            writer.write(pixels((size, 40, 3), "u1"), **RGB)


FLAVORS: list[tuple[Callable[[Path], None], list[tuple[str, int]], tuple[str, float]]] = [
    (write_svs, [("yxs", 3), ("yxs", 1), ("yxs", 1), ("yxs", 1)], ("x", 0.499)),
    (write_ndpi, [("yxs", 3), ("yxs", 1)], ("x", 0.25)),
    (write_qpi, [("cyx", 3), ("yxs", 1)], ("y", 0.5)),
    (write_bif, [("yxs", 2), ("yxs", 1)], ("x", 0.25)),
    (write_philips, [("yxs", 2), ("yxs", 1)], ("y", 0.25)),
    (write_scn, [("cyx", 2)], ("x", 1.0)),
    (write_indica, [("tyx", 2)], ("x", 1.0)),
    (write_lsm, [("tzcyx", 1), ("tzyxs", 1)], ("y", 0.3)),
    (write_fluoview, [("czyx", 1)], ("z", 2.0)),
    (write_mdgel, [("yx", 1)], ("x", 1.0)),
    (write_nih, [("tyx", 1)], ("x", 1.0)),
    (write_avs, [("yxs", 2), ("yxs", 1), ("yxs", 1)], ("x", 1.0)),
]


@pytest.mark.parametrize(
    ("write", "expected", "step"), FLAVORS, ids=[write.__name__[6:] for write, _, _ in FLAVORS]
)
def test_files_of_microscopes_and_scanners(
    write: Callable[[Path], None],
    expected: list[tuple[str, int]],
    step: tuple[str, float],
    tmp_path: Path,
) -> None:
    path = tmp_path / "m.tif"
    write(path)
    images = imload(path)
    assert_like_tifffile(path, images)
    assert [("".join(i.axis_names), len(i.levels)) for i in images] == expected
    axis = images[0].axis(step[0])
    assert axis is not None
    assert axis.scale == pytest.approx(step[1])
    assert axis.unit == ("micrometer" if step[1] != 1 else None)
    for image in images:
        json.dumps(image.metadata)
        for level in image.levels:
            assert_same_pixels(np.asarray(pickle.loads(pickle.dumps(level))), np.asarray(level))


def test_channels_of_lsm_are_not_a_color(tmp_path: Path) -> None:
    write_lsm(tmp_path / "m.tif", color=True)
    image = imload(tmp_path / "m.tif")[0]
    assert image.axis_names == ("z", "c", "y", "x")
    with tifffile.TiffFile(tmp_path / "m.tif") as tif:
        assert_same_pixels(image.array, np.moveaxis(tif.series[0].asarray(), -1, 1))


def write_metamorph(path: Path, order: str, data: NDArray[Any]) -> None:
    """Write a stack of 4 planes; with less `data`, it is truncated."""
    z, step = (3, 2) if order == "z" else (0, 1)
    rows = [[z, step, 2459000, 1000 + (0 if order == "c" else 500 * i), 0, 0] for i in range(4)]
    waves = [v for i in range(4) for v in (400 + (50 * i if order == "c" else 0), 1)]
    tags = [(33629, 5, 4, [1] * 8, False), (33630, 5, 4, waves, False), (33628, 4, 1, [1], False)]
    tifffile.imwrite(path, data[0], extratags=tags, **GRAY)

    # append the other planes and the values of the private tags
    raw = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        start, entries = tif.pages.first.dataoffsets[0], tif.pages.first.offset + 2
    codes = [struct.unpack_from("<H", raw, entries + 12 * i)[0] for i in range(20)]
    places = {code: entries + 12 * codes.index(code) for code in (33628, 33629)}
    raw = raw[: start + data[0].nbytes] + data[1:].tobytes()
    struct.pack_into("<I", raw, places[33629] + 8, len(raw))
    raw += struct.pack("<24I", *(v for row in rows for v in row))
    struct.pack_into("<II", raw, places[33628] + 4, 3, len(raw))
    end = len(raw) + 24
    raw += struct.pack("<6I", 4, end, 5, end, 6, end + 8) + struct.pack("<III", 1, 4, 3) + b"um\0\0"
    path.write_bytes(raw)


@pytest.mark.parametrize("order", ["z", "t", "c"])
def test_metamorph_stacks(order: str, tmp_path: Path) -> None:
    path, data = tmp_path / "m.stk.tif", pixels((4, 20, 30))
    write_metamorph(path, order, data)

    (image,) = imload(path)
    assert image.axis_names == (order, "y", "x")
    assert_same_pixels(image.array, data)
    assert image.axis("y") == Axis("y", 0.25, "micrometer")
    if order == "c":
        assert [channel.name for channel in image.channels] == [
            f"{400 + 50 * i} nm" for i in range(4)
        ]
    else:
        expected = Axis("z", 1.5, "micrometer") if order == "z" else Axis("t", 0.5, "second")
        assert image.axis(order) == expected
    write_metamorph(path, order, data[:3])
    with pytest.raises(UnreadableFileError, match="4 planes"):
        imload(path)


SCANIMAGE = [
    (
        "SI.hChannels.channelSave = [1;3]\nSI.hChannels.channelName = {'green' 'red' 'far'}\n"
        "SI.hStackManager.framesPerSlice = 5\nSI.hStackManager.numSlices = 3\n"
        "SI.hStackManager.stackZStepSize = 2.5\nSI.hRoiManager.scanFrameRate = 30\n"
        "SI.hRoiManager.imagingFovUm = [-100 -100;100 -100;100 100;-100 100]",
        ("ztcyx", (3, 5, 2)),
        {"t": (1 / 30, "second"), "z": (2.5, "micrometer"), "x": (5, "micrometer")},
    ),
    (
        "SI.hChannels.channelSave = 1\nSI.hStackManager.framesPerSlice = Inf\n"
        "SI.hRoiManager.scanFrameRate = 30\nSI.hScan2D.logAverageFactor = 3",
        ("tyx", (30,)),
        {"t": (0.1, "second")},
    ),
    (
        "SI.hChannels.channelSave = [1;2]\nSI.hFastZ.enable = true\n"
        "SI.hStackManager.numSlices = 4\nSI.hFastZ.numDiscardFlybackFrames = 1\n"
        "SI.hStackManager.numVolumes = 3\nSI.hRoiManager.scanVolumeRate = 8",
        ("tzcyx", (3, 5, 2)),
        {"t": (0.125, "second")},
    ),
]


@pytest.mark.parametrize(
    ("text", "expected", "steps"), SCANIMAGE, ids=["slow", "endless", "volumes"]
)
def test_scanimage(
    text: str,
    expected: tuple[str, tuple[int, ...]],
    steps: dict[str, tuple[float, str]],
    tmp_path: Path,
) -> None:
    path, data = tmp_path / "m.tif", pixels((30, 32, 40), "int16")
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for page in data:
            writer.write(page, software=text, description="f = 1", contiguous=False, **GRAY)
    (image,) = imload(path)
    names, lead = expected
    assert "".join(image.axis_names) == names
    assert_same_pixels(image.array, data.reshape(*lead, 32, 40))
    for name, (step, unit) in steps.items():
        axis = image.axis(name)
        assert axis is not None
        assert (axis.scale, axis.unit) == (pytest.approx(step), unit)
    if "green" in text:
        assert [channel.name for channel in image.channels] == ["green", "far"]


def test_an_incomplete_recording_is_reported(tmp_path: Path) -> None:
    data = pixels((7, 32, 40), "int16")
    text = "SI.hChannels.channelSave = 1\nSI.hFastZ.enable = true\nSI.hStackManager.numSlices = 4"
    with tifffile.TiffWriter(tmp_path / "m.tif", bigtiff=True) as writer:
        for page in data:
            writer.write(page, software=text, contiguous=False, **GRAY)
    with pytest.warns(FerryWarning, match="7 pages, 8"):
        (image,) = imload(tmp_path / "m.tif")
    assert image.shape == (2, 4, 32, 40)
    assert_same_pixels(np.asarray(image.array).reshape(8, 32, 40)[:7], data)


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("frame = {:04d}\nscanimage.SI5.channelsSave = [1;2]\nscanimage.SI5.stackNumSlices = 3\n"
         "scanimage.SI5.acqNumFrames = 2\nscanimage.SI5.scanFrameRate = 10\n", ("ztcyx", 0.1)),
        ("state.configPath='{}'\rstate.acq.numberOfChannelsSave=2\rstate.acq.numberOfFrames=6\r"
         "state.acq.frameRate=4\rstate.acq.numberOfZSlices=1\r", ("tcyx", 0.25)),
    ],
    ids=["5", "3"],
)  # fmt: skip
def test_older_scanimage(description: str, expected: tuple[str, float], tmp_path: Path) -> None:
    data = pixels((12, 32, 40), "int16")
    with tifffile.TiffWriter(tmp_path / "m.tif") as writer:
        for i, page in enumerate(data):
            writer.write(page, description=description.format(i), contiguous=False, **GRAY)
    (image,) = imload(tmp_path / "m.tif")
    assert "".join(image.axis_names) == expected[0]
    assert image.axis("t") == Axis("t", expected[1], "second")
    assert_same_pixels(np.asarray(image.array).reshape(data.shape), data)


def write_micromanager(
    path: Path, rows: Sequence[Sequence[int]], summary: dict[str, Any], planes: NDArray[Any]
) -> None:
    """Write a file as Micro-Manager does: header, summary, planes, index of c z t r."""
    header = json.dumps(summary).encode()
    out = bytearray(struct.pack("<2sHI", b"II", 42, 0) + bytes(32) + header)
    places, link = [], 4
    for plane in planes:
        out += bytes(len(out) % 2)
        ifd, (y, x) = len(out), plane.shape
        end = ifd + 162 + plane.nbytes
        places.append(ifd)
        struct.pack_into("<I", out, link, ifd)
        tags = [(256, 4, 1, x), (257, 4, 1, y), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 1)]
        tags += [(273, 4, 1, ifd + 162), (277, 3, 1, 1), (278, 4, 1, y), (279, 4, 1, plane.nbytes)]
        tags += [(282, 5, 1, end), (283, 5, 1, end), (296, 3, 1, 3), (51123, 2, 16, end + 8)]
        out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
        link = len(out)
        out += bytes(4)
        out += plane.astype("<u2").tobytes() + struct.pack("<II", 1, 1) + b'{"a": 1}'.ljust(16)

    index = len(out)
    out += struct.pack("<II", 3453623, len(places))
    for row, place in zip(rows, places, strict=True):
        out += struct.pack("<5I", *row, place)
    struct.pack_into("<8I", out, 8, 54773648, index, 0, 0, 0, 0, 2355492, len(header))
    path.write_bytes(out)


ROWS = [(c, z, t, 0) for t in range(3) for z in range(2) for c in range(2)]
SUMMARY = {
    **{"MicroManagerVersion": "2.0", "Frames": 3, "Slices": 2, "Channels": 2, "Positions": 1},
    **{"Interval_ms": 250.0, "PixelSize_um": 0.325, "z-step_um": 1.5, "Prefix": "x"},
    **{"ChNames": ["DAPI", "GFP"], "ChColors": [255, 65280]},
}


@pytest.mark.parametrize("is_first", [True, False])
def test_micromanager(is_first: bool, tmp_path: Path) -> None:
    path, data = tmp_path / "x_MMStack_Pos0.tif", pixels((12, 32, 40))
    summary = {**SUMMARY, "TimeFirst": is_first, "SlicesFirst": is_first}
    write_micromanager(path, ROWS, summary, data)
    (image,) = imload(path)
    assert_like_tifffile(path, [image])
    assert "".join(image.axis_names) == ("tzcyx" if is_first else "tczyx")
    assert axes_of(image)[0] == ("t", 250, "millisecond")
    assert image.axis("z") == Axis("z", 1.5, "micrometer")
    assert image.axis("x") == Axis("x", 0.325, "micrometer")
    assert [(c.name, c.color) for c in image.channels] == [("DAPI", "#0000ff"), ("GFP", "#00ff00")]


def test_micromanager_in_several_files(tmp_path: Path) -> None:
    data = pixels((12, 32, 40))
    paths = [tmp_path / f"x_MMStack_Pos0{end}.tif" for end in ("", "_1")]
    for path, part in zip(paths, (slice(8), slice(8, None)), strict=True):
        write_micromanager(path, ROWS[part], SUMMARY, data[part])
    for path in paths:
        (image,) = imload(path)
        assert_same_pixels(image.array, data.reshape(3, 2, 2, 32, 40))
    paths[1].unlink()
    (image,) = imload(paths[0])
    assert_same_pixels(image.array, data[:8].reshape(2, 2, 2, 32, 40))


def test_micromanager_with_a_hole(tmp_path: Path) -> None:
    path, data = tmp_path / "x_MMStack_Pos0.tif", pixels((11, 32, 40))
    write_micromanager(path, [*ROWS[:5], *ROWS[6:]], SUMMARY, data)
    with pytest.warns(FerryWarning, match="lacks 1 of 12"):
        (image,) = imload(path)
    whole_image = np.asarray(image.array).reshape(12, 32, 40)
    assert not whole_image[5].any()
    assert_same_pixels(np.delete(whole_image, 5, 0), data)


def test_ndtiff_with_its_index(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "corpus/tiff/NDTiffStorage__ndtiff3.2_11bit_NDTiffStack.tif"
    path = tmp_path / "a_NDTiffStack.tif"
    path.write_bytes(source.read_bytes())
    with tifffile.TiffFile(path) as tif:
        starts = [page.dataoffsets[0] for page in tif.pages]
        expected = tif.pages[3].asarray()
    index = b""
    for i, start in enumerate(starts):
        axes = json.dumps({"time": i % 5, "channel": i // 5}).encode()
        name = path.name.encode()
        index += struct.pack("<I", len(axes)) + axes + struct.pack("<I", len(name)) + name
        index += struct.pack("<8I", start, 64, 64, 4, 0, 0, 0, 0)
    (tmp_path / "NDTiff.index").write_bytes(index)

    (image,) = imload(path)
    assert_like_tifffile(path, [image])
    assert image.size("t") * image.size("c") == 10
    place = tuple({"t": 3, "c": 0}[name] for name in image.axis_names[:2])
    assert_same_pixels(np.asarray(image.array[place]), expected)


# --- sets of OME-TIFF, and ImageJ

NAMESPACE = 'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'


def ome_set(names: Sequence[str]) -> str:
    """Return the description of one file for each time point."""
    blocks = "".join(
        f'<TiffData FirstT="{t}" IFD="0" PlaneCount="1"><UUID FileName="{name}">urn:uuid:{t}'
        "</UUID></TiffData>"
        for t, name in enumerate(names)
    )
    return (
        f'<OME {NAMESPACE} UUID="urn:uuid:m"><Image ID="Image:0"><Pixels ID="Pixels:0" '
        'DimensionOrder="XYZCT" Type="uint16" SizeX="30" SizeY="20" SizeZ="1" SizeC="1" '
        f'SizeT="{len(names)}">{blocks}</Pixels></Image></OME>'
    )


def write_ome_set(folder: Path, metadata_file: str, data: NDArray[Any]) -> list[Path]:
    names = [f"s_{t}.ome.tif" for t in range(len(data))]
    other = f'<OME {NAMESPACE}><BinaryOnly MetadataFile="{metadata_file}" UUID="urn:uuid:m"/></OME>'
    for name, plane in zip(names, data, strict=True):
        text = ome_set(names) if name == metadata_file else other
        tifffile.imwrite(folder / name, plane, description=text, **GRAY)
    if metadata_file.endswith(".companion.ome"):
        (folder / metadata_file).write_text(ome_set(names), "utf-8")
    return [folder / name for name in names]


@pytest.mark.parametrize("metadata_file", ["s.companion.ome", "s_0.ome.tif"])
def test_any_file_of_a_set_opens_the_whole(metadata_file: str, tmp_path: Path) -> None:
    data = pixels((3, 20, 30))
    for path in write_ome_set(tmp_path, metadata_file, data):
        (image,) = imload(path)
        assert_same_pixels(np.asarray(image.array).squeeze(), data)


@pytest.mark.parametrize("name", ["../s.companion.ome", "/etc/passwd", "gone.ome"])
def test_a_description_elsewhere_is_not_opened(name: str, tmp_path: Path) -> None:
    (tmp_path / "s.companion.ome").write_text(ome_set(["s_0.ome.tif"]), "utf-8")
    (tmp_path / "in").mkdir()
    path = write_ome_set(tmp_path / "in", name, pixels((1, 20, 30)))[0]
    with pytest.warns(FerryWarning, match="is missing"):
        (image,) = imload(path)
    assert image.axis_names == ("y", "x")


def test_a_description_without_files_of_its_own_is_left_aside(tmp_path: Path) -> None:
    path = write_ome_set(tmp_path, "s.companion.ome", pixels((1, 20, 30)))[0]
    text = ome_set(["s_0.ome.tif"])
    (tmp_path / "s.companion.ome").write_text(text.replace("<UUID", "<X").replace("/UUID", "/X"))
    with pytest.warns(FerryWarning, match="opened as they are"):
        (image,) = imload(path)
    assert_same_pixels(image.array, pixels((1, 20, 30))[0])


def test_all_missing_files_are_named_at_once(tmp_path: Path) -> None:
    data = pixels((5, 20, 30))
    paths = write_ome_set(tmp_path, "s_0.ome.tif", data)
    for path in (paths[1], paths[3]):
        path.unlink()
    with pytest.warns(FerryWarning) as caught:
        (image,) = imload(paths[0])
    assert [str(w.message).count("s_1.ome.tif, s_3.ome.tif") for w in caught] == [1]
    found = np.asarray(image.array).squeeze()
    assert not found[[1, 3]].any()
    assert_same_pixels(found[[0, 2, 4]], data[[0, 2, 4]])


def test_an_intact_image_next_to_a_damaged_one_opens(tmp_path: Path) -> None:
    data = pixels((3, 20, 30))
    with tifffile.TiffWriter(tmp_path / "p.ome.tif", ome=True) as writer:
        writer.write(data, photometric="minisblack", metadata={"axes": "TYX"})
        writer.write(data[0, :7], photometric="minisblack")
    raw = (tmp_path / "p.ome.tif").read_bytes()
    (tmp_path / "p.ome.tif").write_bytes(raw.replace(b'SizeY="7"', b'SizeY="9"'))
    with pytest.warns(FerryWarning, match="some of its images"):
        (image,) = imload(tmp_path / "p.ome.tif")
    assert_same_pixels(np.asarray(image.array).squeeze(), data)


@pytest.mark.parametrize("order", ["czt", "zct", "tzc", "ctz", "xyczt(default)"])
def test_the_order_of_early_hyperstacks(order: str, tmp_path: Path) -> None:
    text = f"ImageJ=1.11a\nimages=24\nchannels=2\nslices=3\nframes=4\norder={order}\n"
    data = pixels((24, 20, 30))
    with tifffile.TiffWriter(tmp_path / "h.tif", byteorder=">") as writer:
        for page in data:
            writer.write(page, description=text, contiguous=False, **GRAY)
    (image,) = imload(tmp_path / "h.tif")
    with tifffile.TiffFile(tmp_path / "h.tif") as tif:
        stored, letters = tif.series[0].asarray(), tif.series[0].axes.lower()
    assert image.axis_names == tuple("tczyx")
    turned = stored.transpose([letters.index(name) for name in "tczyx"])
    assert_same_pixels(np.asarray(image.array), turned)


@pytest.mark.parametrize("order", ["<", ">"])
def test_imagej_beyond_4_gb(order: str, tmp_path: Path) -> None:
    path, n = tmp_path / "h.tif", 5000
    text = f"ImageJ=1.53t\nimages={n}\nframes={n}\nhyperstack=true\n"
    tifffile.imwrite(path, pixels((1000, 500)), byteorder=order, description=text, **GRAY)
    with tifffile.TiffFile(path) as tif:
        start = tif.pages.first.dataoffsets[0]
    last = pixels((1000, 500)) + 7
    with path.open("r+b") as file:  # the rest is a hole
        file.seek(start + (n - 1) * last.nbytes)
        file.write(last.astype(f"{order}u2").tobytes())
    (image,) = imload(path)
    assert image.shape == (n, 1000, 500)
    assert_same_pixels(np.asarray(image.array[-1]).astype("uint16"), last)
    assert_same_pixels(np.asarray(image.array[0]).astype("uint16"), pixels((1000, 500)))
    assert not image.array[2500].any()
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(UnreadableFileError, match="cut off"):
        imload(path)


# --- no leak


def test_a_thousand_opens_leave_nothing_open(tmp_path: Path) -> None:
    write_svs(tmp_path / "m.tif")
    tifffile.imwrite(tmp_path / "p.tif", pixels((3, 20, 30)), **GRAY)
    before = psutil.Process().num_fds()
    for i in range(1000):
        image = imload(tmp_path / ("m.tif" if i % 20 == 0 else "p.tif"))[0]
        np.asarray(image.array[:2])
    del image
    assert psutil.Process().num_fds() <= before + 1


def test_files_of_microscopes_open_by_their_own_suffix(tmp_path: Path) -> None:
    """They are TIFF files by other names; nothing is saved under those."""
    path = tmp_path / "slide.svs"
    tifffile.imwrite(path, np.arange(12, dtype=np.uint8).reshape(3, 4))
    (found,) = imload(path)
    assert found.shape == (3, 4)
    with pytest.raises(UnsupportedFormatError, match=r"\.svs, which is not .* saved"):
        plan(found, path)
