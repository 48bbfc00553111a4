"""Every pixel is read from the file or has a fill value, and is never uninitialized memory."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from helpers import assert_same_pixels, make_image, pixels
from napari_ferry import imload, imsave
from napari_ferry.arrays import Frames
from napari_ferry.codecs.tiff.pages import tiles
from napari_ferry.codecs.tiff.pages.arrays import pages_array
from napari_ferry.codecs.tiff.pages.pages import TiffPages
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Axis, Image
from napari_ferry.io.search import codecs
from napari_ferry.rendering.render import render
from poison import poisoned, read_filled

GRAY: dict[str, Any] = {"photometric": "minisblack", "metadata": None}
OME = 'xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"'


def in_all_ways(path: Path) -> list[NDArray[Any]]:
    """Read every image of a path: whole, by threads, by frame, by parts, by lists of indices."""
    found = []
    for image in imload(path):
        whole = np.array(image.array)
        found.append(whole)
        if isinstance(image.array, Frames):
            found.append(image.array.read_all(workers=3))
        back = tuple(slice(None, None, -1) for _ in image.shape)
        last = tuple(slice(n // 2, n) for n in image.shape)
        lists = ([n - 1 for n in image.shape[:1]], *(slice(None) for _ in image.shape[1:]))
        found += [np.asarray(image.array[key]) for key in (back, last, lists)]
        found += [np.asarray(image.array[i]) for i in range(image.shape[0])]
        found += [np.asarray(level) for level in image.levels[1:]]
        places = [name for name in "zyx" if name in image.axis_names]
        beyond = [image.size(name) + 3 for name in places]
        found.append(image.extract_patch(0, None, [-1] * len(places), beyond, dtype=None))
        assert_same_pixels(found[-1].astype(image.dtype), found[-1])
        assert_same_pixels(np.asarray(image.array[back]), whole[back])
        assert_same_pixels(np.asarray(image.array[last]), whole[last])
    return found


# --- the contract: every format, every reader


@pytest.mark.parametrize(
    "suffix", [s for codec in codecs() for s in (*codec.SUFFIXES[:1], *codec.SUFFIXES[-1:])]
)
@pytest.mark.parametrize("axes", ["yx", "tyx", "tyxs"])
def test_every_format_fills_its_arrays(suffix: str, axes: str, tmp_path: Path) -> None:
    image = make_image(axes, "uint8", t=5, y=34, x=46)
    saved = imsave(image, tmp_path / f"cells{suffix}")[0]
    read_filled(lambda: in_all_ways(saved))


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
def test_parts_of_a_series(suffix: str, tmp_path: Path) -> None:
    image = make_image("tcyx", "uint16", t=6, y=34, x=46)
    made = imsave(image, tmp_path / f"cells{suffix}", size_cap=30e3 / 1e9)
    assert len(made) > 1
    for path in (made[1], tmp_path):
        assert_same_pixels(read_filled(lambda path=path: in_all_ways(path))[0], image.array)  # type: ignore[misc]


# --- sets of OME-TIFF


def write_set(folder: Path, data: NDArray[Any], *, prefix: str = "", **options: Any) -> list[Path]:
    """Write frames as an OME-TIFF set of one file each, then put a prefix before their names."""
    blocks = "".join(
        f'<TiffData IFD="0" FirstT="{t}" PlaneCount="1">'
        f'<UUID FileName="s_T{t}.ome.tif">urn:uuid:set-{t}</UUID></TiffData>'
        for t in range(len(data))
    )
    paths = [folder / f"{prefix}s_T{t}.ome.tif" for t in range(len(data))]
    for t, path in enumerate(paths):
        xml = (
            f'<OME {OME} UUID="urn:uuid:set-{t}"><Image ID="Image:0"><Pixels ID="Pixels:0" '
            f'DimensionOrder="XYZCT" Type="uint16" SizeX="{data.shape[2]}" SizeY="{data.shape[1]}" '
            f'SizeZ="1" SizeC="1" SizeT="{len(data)}">{blocks}</Pixels></Image></OME>'
        )
        tifffile.imwrite(path, data[t], description=xml, **GRAY, **options)
    return paths


COMPRESSED: list[dict[str, Any]] = [{}, {"compression": "zlib"}, {"tile": (16, 16)}]


@pytest.mark.parametrize("options", COMPRESSED)
def test_a_renamed_set_is_found_by_its_uuids(options: dict[str, Any], tmp_path: Path) -> None:
    data = pixels((4, 20, 30))
    paths = write_set(tmp_path, data, prefix="mouse3_", **options)
    for path in (tmp_path, paths[0], paths[2]):
        found = read_filled(lambda path=path: in_all_ways(path))  # type: ignore[misc]
        assert_same_pixels(found[0].squeeze(), data)


def test_renamed_files_of_a_set_are_distinguished(tmp_path: Path) -> None:
    data = pixels((3, 20, 30))
    a, b, _ = write_set(tmp_path, data)
    a.rename(tmp_path / "x")
    b.rename(a)
    (tmp_path / "x").rename(b)
    for path in (a, b):
        assert_same_pixels(np.asarray(imload(path)[0].array).squeeze(), data)


def test_a_renamed_set_whose_description_is_in_one_file(tmp_path: Path) -> None:
    data = pixels((3, 20, 30))
    first, *others = write_set(tmp_path, data, prefix="mouse3_")
    pointer = '<BinaryOnly MetadataFile="s_T0.ome.tif" UUID="urn:uuid:set-0"/>'
    for t, path in enumerate(others, 1):
        xml = f'<OME {OME} UUID="urn:uuid:set-{t}">{pointer}</OME>'
        tifffile.imwrite(path, data[t], description=xml, **GRAY)
    for path in (first, others[0], tmp_path):
        assert_same_pixels(np.asarray(imload(path)[0].array).squeeze(), data)


@pytest.mark.parametrize("options", COMPRESSED)
def test_missing_files_of_a_renamed_set_are_zero_and_named(
    options: dict[str, Any], tmp_path: Path
) -> None:
    data = pixels((4, 20, 30))
    paths = write_set(tmp_path, data, prefix="mouse3_", **options)
    paths[3].unlink()
    with pytest.warns(FerryWarning, match=r"s_T3\.ome\.tif is missing"):
        found = read_filled(lambda: in_all_ways(tmp_path))
    data[3] = 0
    assert_same_pixels(found[0].squeeze(), data)


@pytest.mark.parametrize("options", COMPRESSED)
def test_files_without_the_rest_of_their_sets(options: dict[str, Any], tmp_path: Path) -> None:
    """Files of one size and layout, each with fewer frames than its description."""
    data = pixels((3, 4, 20, 30))
    for k, frames in enumerate(data):
        (tmp_path / "all").mkdir(exist_ok=True)
        first, *others = write_set(tmp_path / "all", frames, **options)
        first.rename(tmp_path / f"cell_{k}.ome.tif")
        for path in others:
            path.unlink()
    (tmp_path / "all").rmdir()
    with pytest.warns(FerryWarning, match=r"s_T1\.ome\.tif"):
        found = read_filled(lambda: in_all_ways(tmp_path))
    data[:, 1:] = 0
    assert_same_pixels(found[0].reshape(data.shape), data)


# --- pages that are cut off, sparse, in pieces, or not there


def write_strips(path: Path, data: NDArray[Any], strips: list[bytes], compression: int = 1) -> None:
    """Write one gray page of 16-bit pixels in strips of 16 rows; an empty one is left out."""
    places, body = [], b""
    for strip in strips:
        places.append(8 + len(body) if strip else 0)
        body += strip + b"\xee" * 6
    body += b"\0" * (len(body) % 2)
    n, lists = len(strips), 8 + len(body)
    tags = [
        *((256, 4, 1, data.shape[1]), (257, 4, 1, data.shape[0]), (258, 3, 1, 16)),
        *((259, 3, 1, compression), (262, 3, 1, 1), (273, 4, n, lists), (277, 3, 1, 1)),
        *((278, 4, 1, 16), (279, 4, n, lists + 4 * n)),
    ]
    raw = b"II*\0" + struct.pack("<I", lists + 8 * n) + body
    raw += struct.pack(f"<{2 * n}I", *places, *map(len, strips)) + struct.pack("<H", len(tags))
    path.write_bytes(raw + b"".join(struct.pack("<HHII", *tag) for tag in tags) + b"\0" * 4)


ENCODERS: dict[int, Callable[[bytes], bytes]] = {
    1: bytes,
    5: imagecodecs.lzw_encode,
    8: zlib.compress,
    32773: imagecodecs.packbits_encode,
    50000: imagecodecs.zstd_encode,
}


@pytest.mark.parametrize("compression", ENCODERS)
@pytest.mark.parametrize("large_page", [1 << 10, 1 << 30])
@pytest.mark.parametrize("nbytes", [960, 959, 480, 60, 2])
def test_a_strip_that_is_too_short_is_refused(
    compression: int, large_page: int, nbytes: int, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(tiles, "LARGE_PAGE", large_page)
    data, encode = pixels((40, 30)), ENCODERS[compression]
    raw = [data[k : k + 16].tobytes() for k in (0, 16, 32)]
    raw[1] = raw[1][:nbytes]
    path = tmp_path / "cut.tif"
    write_strips(path, data, [encode(strip) for strip in raw], compression)
    if nbytes == 960:
        assert_same_pixels(read_filled(lambda: in_all_ways(path))[0], data)
    else:
        for byte in (0, 1):
            with poisoned(byte), pytest.raises(UnreadableFileError, match=r"cut\.tif is damaged"):
                np.asarray(imload(path)[0].array)


@pytest.mark.parametrize("compression", ENCODERS)
@pytest.mark.parametrize("large_page", [1 << 10, 1 << 30])
@pytest.mark.parametrize("missing", [[0], [1], [2], [0, 2], [0, 1, 2]])
def test_missing_strips_are_filled(
    compression: int, large_page: int, missing: list[int], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(tiles, "LARGE_PAGE", large_page)
    data, path = pixels((40, 30)), tmp_path / "sparse.tif"
    strips = [ENCODERS[compression](data[k : k + 16].tobytes()) for k in (0, 16, 32)]
    for k in missing:
        strips[k] = b""
        data[16 * k : 16 * k + 16] = 0
    write_strips(path, data, strips, compression)
    with pytest.warns(FerryWarning, match="lacks some or all pixels"):
        assert_same_pixels(read_filled(lambda: in_all_ways(path))[0], data)


@pytest.mark.parametrize("large_page", [1 << 10, 1 << 30])
@pytest.mark.parametrize("shape", [(3, 50, 70), (3, 50, 70, 3), (50, 70), (2, 16, 17)])
@pytest.mark.parametrize("compression", [None, "zlib", "jpeg"])
def test_tiles_at_the_border(
    shape: tuple[int, ...], compression: Any, large_page: int, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(tiles, "LARGE_PAGE", large_page)
    data, path = pixels(shape, "uint8"), tmp_path / "tiled.tif"
    photometric = "rgb" if shape[-1] == 3 else "minisblack"
    tifffile.imwrite(
        path, data, photometric=photometric, compression=compression, tile=(32, 32), metadata=None
    )
    found = read_filled(lambda: in_all_ways(path))[0]
    if compression != "jpeg":
        assert_same_pixels(found, data)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("left", [0.3, 0.6, 0.9])
def test_a_truncated_file(compression: Any, left: float, tmp_path: Path) -> None:
    """Existing pixels are correct, and missing ones are refused or reported."""
    data, path = pixels((6, 50, 70)), tmp_path / "cut.tif"
    with tifffile.TiffWriter(path) as writer:
        for plane in data:
            writer.write(plane, contiguous=False, compression=compression, rowsperstrip=8, **GRAY)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * left)])

    def read() -> list[NDArray[Any]]:
        frames = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FerryWarning)
            (image,) = imload(path)
        for i in range(len(image.array)):
            try:
                frames.append(np.asarray(image.array[i]))
            except UnreadableFileError:
                frames.append(np.zeros(0))
        return frames

    for found, expected in zip(read_filled(read), data, strict=False):
        if found.size:
            assert_same_pixels(found, expected)


@pytest.mark.parametrize("move", [None, (0, -1)])
def test_pages_and_files_that_are_not_named_are_zero(move: Any, tmp_path: Path) -> None:
    data = pixels((3, 3, 20, 30), "uint8")
    for planes, name in ((data, "a.tif"), (data[:1], "b.tif")):
        with tifffile.TiffWriter(tmp_path / name) as writer:
            for plane in planes:
                options: dict[str, Any] = {"photometric": "rgb", "planarconfig": "separate"}
                writer.write(plane, contiguous=False, metadata=None, compression="zlib", **options)
    files = [TiffPages(tmp_path / "a.tif"), None, TiffPages(tmp_path / "b.tif")]
    table = np.array([[0, 2], [0, -1], [1, 0], [-1, -1], [2, 0], [2, -1], [0, 0]])
    frame = (20, 30, 3) if move else (3, 20, 30)
    array = pages_array(files, table, (len(table),), frame, np.dtype("u1"), move=move)
    expected = np.zeros((7, *data.shape[1:]), "u1")
    expected[[0, 4, 6]] = data[[2, 0, 0]]
    expected = np.moveaxis(expected, 1, -1) if move else expected
    for found in read_filled(lambda: [np.asarray(array), *(array[i : i + 1] for i in range(7))]):
        assert_same_pixels(found, expected if len(found) == 7 else found)


# --- folders


@pytest.mark.parametrize("options", COMPRESSED)
@pytest.mark.parametrize("lengths", [(1, 1, 1), (3, 3, 3), (3, 2, 4), (3, 1, 4), (1, 3, 1)])
def test_folders(options: dict[str, Any], lengths: tuple[int, ...], tmp_path: Path) -> None:
    data = [pixels((n, 20, 30), seed=k) for k, n in enumerate(lengths)]
    for k, frames in enumerate(data):
        with tifffile.TiffWriter(tmp_path / f"f{k}.tif") as writer:
            for frame in frames:
                writer.write(frame, contiguous=False, **GRAY, **options)

    found = read_filled(lambda: in_all_ways(tmp_path))[0]
    assert_same_pixels(found.reshape(-1, 20, 30), np.concatenate(data))


# --- what is drawn


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_drawings(dtype: str) -> None:
    plain = np.random.default_rng(1).integers(0, 200, (4, 3, 37, 41)).astype(dtype)
    space = (Axis("y", 2.0, "micrometer", 5.0), Axis("x", 1.0, "micrometer"))
    images = [
        Image((plain[:, 0],), (Axis("t"), *space), display={"colormap": "viridis"}),
        Image(
            (plain[:, 0].astype("u2"),),
            (Axis("t"), *space),
            kind="labels",
            display={"contour": 2, "opacity": 0.5},
        ),
        Image((np.moveaxis(plain, 1, -1).astype("u1"),), (Axis("t"), *space, Axis("s"))),
    ]
    read_filled(lambda: np.asarray(render(images, fit="1080p", time_stamp="top_left").array))


# --- what libraries written in C give

READ_ALL = """
import hashlib, sys, warnings
import numpy as np
from napari_ferry import imload
warnings.simplefilter("ignore")
for path in sys.argv[1:]:
    for image in imload(path):
        print(path, hashlib.sha256(np.ascontiguousarray(image.array).tobytes()).hexdigest())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs an allocator of glibc")
def test_memory_allocated_by_libraries_is_never_shown(tmp_path: Path) -> None:
    """The same files are read over memory full of one byte, and of another."""
    data = pixels((3, 50, 70), "uint8")
    for name in (None, "zlib", "lzw", "packbits", "zstd", "jpeg", "png", "jpeg2000", "webp"):
        is_color = name == "webp"
        tifffile.imwrite(
            tmp_path / f"{name}.tif",
            np.stack([data] * 3, -1) if is_color else data,
            photometric="rgb" if is_color else "minisblack",
            compression=name,
            tile=(32, 32),
        )
    for suffix in (".gif", ".mp4", ".mkv", ".bin"):
        imsave(make_image("tyx", "uint8", t=9, y=34, x=46), tmp_path / f"movie{suffix}")
    paths = [str(path) for path in sorted(tmp_path.iterdir()) if path.suffix != ".json"]
    found = []
    for byte in ("85", "170"):
        # glibc fills what it gives with the complement of this byte, and Python asks it for all
        settings = {"MALLOC_PERTURB_": byte, "PYTHONMALLOC": "malloc"}
        done = subprocess.run(
            [sys.executable, "-c", READ_ALL, *paths],
            env=os.environ | settings,
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(done.stdout)
    assert found[0] == found[1]
    assert found[0].count("\n") == len(paths)
