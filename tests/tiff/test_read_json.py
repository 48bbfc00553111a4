"""TIFF files of tifffile, with its JSON descriptions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.errors import FerryWarning, UnreadableFileError
from tiff_files import GRAY, RGB


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": True},
        {"compression": "lzw"},
        {"compression": "zstd", "rowsperstrip": 3},
        {"compression": "packbits"},
        {"tile": (16, 32)},
        {"tile": (16, 16), "compression": "zlib"},
        {"byteorder": ">"},
        {"byteorder": ">", "rowsperstrip": 5, "bigtiff": True},
        {"byteorder": ">", "compression": "lzw", "predictor": True},
        {"rowsperstrip": 7},
        {"metadata": None},
        {"metadata": None, "contiguous": False},
        {"imagej": True},
        {"imagej": True, "compression": "zlib"},
        {"ome": True},
        {"ome": True, "tile": (16, 16)},
        {"datetime": True, "resolution": (300, 300), "description": "words", "metadata": None},
        {"software": "other"},
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(20, 33), (5, 20, 33)])
def test_stacks_of_tifffile(
    options: dict[str, Any], shape: tuple[int, ...], tmp_path: Path
) -> None:
    path = tmp_path / ("foreign.ome.tif" if options.get("ome") else "foreign.tif")
    data = pixels(shape)
    tifffile.imwrite(path, data, photometric="minisblack", **options)
    (image,) = imload(path)
    stored = data.reshape(image.shape)  # OME-TIFF has all five axes
    assert_same_pixels(image.array, stored)
    assert_same_pixels(image.array[..., 3:7, ::-2], stored[..., 3:7, ::-2])
    assert image.axis_names[-2:] == ("y", "x")


@pytest.mark.parametrize("dtype", ["int8", "uint32", "int64", "float16", "float64", "complex64"])
def test_types_of_tifffile(dtype: str, tmp_path: Path) -> None:
    data = pixels((3, 8, 9), dtype)
    tifffile.imwrite(tmp_path / "foreign.tif", data, photometric="minisblack")
    assert_same_pixels(imload(tmp_path / "foreign.tif")[0].array, data)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}], ids=str)
@pytest.mark.parametrize("frames", [1, 3])
def test_colors_of_tifffile(
    planar: str, options: dict[str, Any], frames: int, tmp_path: Path
) -> None:
    data = pixels((frames, 20, 33, 3), "uint8")
    stored = np.moveaxis(data, -1, 1) if planar == "separate" else data
    with tifffile.TiffWriter(tmp_path / "foreign.tif") as writer:
        for frame in stored:
            writer.write(frame, planarconfig=planar, **RGB, **options)
    (image,) = imload(tmp_path / "foreign.tif")
    assert image.axis_names == (("t", "y", "x", "s") if frames > 1 else ("y", "x", "s"))
    assert_same_pixels(image.array, data if frames > 1 else data[0])


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}], ids=str)
@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize(
    ("lead", "names"), [((), ""), ((5,), "t"), ((2, 5), "tz"), ((2, 1, 5), "tcz")]
)
def test_colors_that_tifffile_describes_without_axes(
    lead: tuple[int, ...], names: str, samples: int, options: dict[str, Any], tmp_path: Path
) -> None:
    data = pixels((*lead, 20, 33, samples), "uint8")
    tifffile.imwrite(tmp_path / "r.tif", data, photometric="rgb", **options)
    (image,) = imload(tmp_path / "r.tif")
    assert image.axis_names == (*names, "y", "x", "s")
    assert image.is_rgb
    assert_same_pixels(image.array, data)


def test_jpeg_without_axes_is_a_color(tmp_path: Path) -> None:
    data = pixels((4, 32, 40, 3), "uint8")
    tifffile.imwrite(tmp_path / "r.tif", data, photometric="rgb", compression="jpeg")
    (image,) = imload(tmp_path / "r.tif")
    assert (image.axis_names, image.shape) == (("t", "y", "x", "s"), data.shape)
    assert_same_pixels(image.array, tifffile.imread(tmp_path / "r.tif"))


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
def test_samples_without_color_are_channels(options: dict[str, Any], tmp_path: Path) -> None:
    data = pixels((4, 20, 33, 2))
    path = tmp_path / "c.tif"
    tifffile.imwrite(path, data, photometric="minisblack", planarconfig="contig", **options)
    (image,) = imload(path)
    assert image.axis_names == ("t", "c", "y", "x")
    assert_same_pixels(image.array, np.moveaxis(data, -1, 1))


def test_planes_that_tifffile_treats_as_a_color_remain_planes(tmp_path: Path) -> None:
    data = pixels((3, 20, 33))
    with pytest.warns(DeprecationWarning, match="RGB"):
        tifffile.imwrite(tmp_path / "z.tif", data)
    with pytest.warns(FerryWarning, match="tagged as red, green and blue.*with the axes 'cyx'"):
        (image,) = imload(tmp_path / "z.tif")
    assert "assumed" in image.metadata
    assert image.axis_names == ("t", "y", "x")
    assert_same_pixels(image.array, data)


@pytest.mark.parametrize(
    ("shape", "expected", "is_ours"),
    [
        ([9, 6, 7], (5, 6, 7), False),
        ([9, 6, 7], (5, 6, 7), True),
        ([100_000, 6, 7], (5, 6, 7), False),
        ([3, 2, 6, 7], (2, 2, 6, 7), False),
        ([2, 9, 6, 7], (1, 5, 6, 7), False),
    ],
)
def test_a_longer_shape_than_the_pages_is_cut_with_a_warning(
    shape: list[int], expected: tuple[int, ...], is_ours: bool, tmp_path: Path
) -> None:
    record: dict[str, Any] = {"shape": shape}
    if is_ours:
        axes = [{"name": name, "size": n} for name, n in zip("zyx", shape, strict=True)]
        record["napari-ferry"] = {"napari-ferry": 1, "dtype": "uint16", "axes": axes}
    data = pixels((5, 6, 7))
    tifffile.imwrite(tmp_path / "a.tif", data, description=json.dumps(record), **GRAY)
    size = " x ".join(map(str, shape))
    with pytest.warns(FerryWarning, match=f"it describes {size} pixels, but the file has 5 pages"):
        (image,) = imload(tmp_path / "a.tif")
    assert image.shape == expected
    assert image.axis_names[0] == ("z" if is_ours else "t")
    assert_same_pixels(np.asarray(image.array).reshape(-1, 6, 7), data[: np.prod(expected[:-2])])


def test_a_stack_with_a_single_directory_opens_whole(tmp_path: Path) -> None:
    data = pixels((5, 6, 7))
    tifffile.imwrite(tmp_path / "a.tif", data, truncate=True, photometric="minisblack")
    (image,) = imload(tmp_path / "a.tif")
    assert_same_pixels(image.array, data)


@pytest.mark.parametrize(
    "text",
    [
        '{"shape":' + "[" * 100_000,
        '{"shape": [5, 6, 7], "a": ' + "[" * 500 + "]" * 500 + "}",
        '{"shape": [' + "9" * 5000 + ", 6, 7]}",
        '{"shape": [5.0, 6, 7]}',
        '{"shape": [NaN, 6, 7]}',
        '{"shape": [5, 6, 7]',
    ],
    ids=lambda text: text[:30],
)
def test_an_unusable_description_is_ignored_with_a_warning(text: str, tmp_path: Path) -> None:
    data = pixels((5, 6, 7))
    tifffile.imwrite(tmp_path / "a.tif", data, description=text, **GRAY)
    with pytest.warns(FerryWarning, match=r"description of a\.tif is not valid JSON with a shape"):
        (image,) = imload(tmp_path / "a.tif")
    assert_same_pixels(image.array, data)


def test_pages_after_those_of_a_description_join_them(tmp_path: Path) -> None:
    data = pixels((3, 6, 7))
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(data[:2], description=json.dumps({"shape": [2, 6, 7]}), **GRAY)
        writer.write(data[2], description="a note", **GRAY)
    (image,) = imload(tmp_path / "a.tif")
    assert_same_pixels(np.asarray(image.array), data)


def test_a_longer_shape_than_pages_of_two_kinds_is_ignored(tmp_path: Path) -> None:
    data = pixels((5, 6, 7))
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(data, description=json.dumps({"shape": [9, 6, 7]}), **GRAY)
        writer.write(data[0, :3], **GRAY)
    with pytest.warns(FerryWarning, match="it describes 9 x 6 x 7 pixels"):
        images = imload(tmp_path / "a.tif")
    assert sum(np.asarray(image.array).size for image in images) == data.size + 21


def test_a_first_page_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    text = json.dumps({"shape": [2, 6, 7]})
    tifffile.imwrite(path, pixels((2, 6, 7)), description=text, compression="zlib", **GRAY)
    with tifffile.TiffFile(path) as tif:
        at = tif.pages.first.tags["Compression"].valueoffset
    content = bytearray(path.read_bytes())
    content[at : at + 2] = (60_000).to_bytes(2, "little")
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"a\.tif"):
        imload(path)[0].load()
