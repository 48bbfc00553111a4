"""Large pages, read by tiles or strips."""

from __future__ import annotations

import os
import pickle  # noqa: TID251 - what is read here was written here
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import psutil
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.arrays.regions import split_by_bytes, whole_region
from napari_ferry.arrays.sliced_view import put_off_slices
from napari_ferry.codecs.tiff.pages import tiles
from napari_ferry.codecs.tiff.pages.tiles import Tiles
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.layers.layer_data import to_layers
from tiff_files import GRAY, RGB

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
    with pytest.raises(ValueError, match="reading them makes a copy"):
        image.array.__array__(copy=False)


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


def test_levels_of_a_small_pyramid_are_read_by_tiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As napari reads them: a visible part of all planes first, and one plane of it then."""
    data = pixels((3, 128, 128))
    with tifffile.TiffWriter(tmp_path / "p.ome.tif", ome=True) as writer:
        options = {"photometric": "minisblack", "tile": (16, 16), "compression": "zlib"}
        writer.write(data, subifds=1, metadata={"axes": "ZYX"}, **options)
        writer.write(data[:, ::2, ::2].copy(), subfiletype=1, **options)

    read = []
    read_segment = tiles.read_segment
    monkeypatch.setattr(
        tiles, "read_segment", lambda *args: read.append(args[2]) or read_segment(*args)
    )
    ((levels, *_),) = to_layers(imload(tmp_path / "p.ome.tif"))
    for level, step in zip(map(put_off_slices, levels), (1, 2), strict=True):
        read.clear()
        visible = level[..., 16:48, 32:64]
        assert read == []
        assert_same_pixels(np.asarray(visible[1]), data[1, ::step, ::step][16:48, 32:64])
        assert len(read) == 4


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
    with pytest.warns(FerryWarning, match="lacks some or all pixels"):
        (image,) = imload(path)
    before, start = psutil.Process().memory_info().rss, monotonic()
    y, x = divmod(200 * 79 + 3, 391)
    place = np.s_[y * 256 : y * 256 + 256, x * 256 : x * 256 + 256]
    assert_same_pixels(image.array[place], tile)
    assert not image.array[::1000, ::1000].any()
    assert monotonic() - start < 5
    assert psutil.Process().memory_info().rss - before < 200e6
