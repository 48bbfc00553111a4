"""Pages whose numbers ask for more memory than their file can fill.

They are opened in a child with 4 GB, which reports the memory that each took.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tifffile

from faults import run_fork
from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.codecs.tiff.pages.page_check import check_segment
from napari_ferry.errors import FerryWarning, UnreadableFileError
from tiff_files import GRAY

_MEGABYTES = 500
_TAGS = {
    **{"width": 256, "length": 257, "bits": 258, "compression": 259, "samples": 277},
    **{"rows": 278, "counts": 279, "tile_width": 322, "tile_length": 323, "tile_counts": 325},
    "offsets": 273,
}


class Damage(NamedTuple):
    """Tags of one page that are set to wrong values, in a file written with some options."""

    values: dict[str, int]
    options: dict[str, Any] = {}  # noqa: RUF012  # which no test changes
    page: int = 0


_DEFLATE, _TILES = {"compression": "zlib"}, {"tile": (16, 16), "compression": "zlib"}
DAMAGES = {
    "height": Damage({"length": 0xFF000000}),
    "width": Damage({"width": 0x80000014}, page=2),
    "half_gigabyte": Damage({"length": 1 << 24, "rows": 1 << 24}),
    "no_width": Damage({"width": 0}),
    "no_height": Damage({"length": 0}, _DEFLATE),
    "no_rows": Damage({"rows": 0}, _DEFLATE),
    "large_deflate": Damage({"width": 16384, "length": 16384, "rows": 16384}, _DEFLATE),
    "tall_deflate": Damage({"length": 1 << 31}, _DEFLATE),
    "large_lzw": Damage({"width": 16384, "length": 16384, "rows": 16384}, {"compression": "lzw"}),
    "large_zstd": Damage({"width": 16384, "length": 16384, "rows": 16384}, {"compression": "zstd"}),
    "large_lzma": Damage({"width": 16384, "length": 16384, "rows": 16384}, {"compression": "lzma"}),
    "packbits": Damage({"width": 8192, "length": 8192, "rows": 8192}, {"compression": "packbits"}),
    "jpeg_2000": Damage(
        {"width": 32768, "length": 32768, "rows": 32768}, {"compression": "jpeg2000"}
    ),
    "webp": Damage(
        {"width": 16383, "length": 16383, "rows": 16383},
        {"compression": "webp", "photometric": "rgb"},
    ),
    "wide_tiles": Damage({"tile_width": 1 << 30}, _TILES),
    "large_tiles": Damage({"tile_width": 1 << 14, "tile_length": 1 << 15}, _TILES),
    "many_tiles": Damage({"width": 1 << 20, "length": 1 << 20}, _TILES),
    "counts_beyond_the_end": Damage({"counts": 0xFFFFFFF0}, _DEFLATE),
    "tile_counts_beyond_the_end": Damage({"tile_counts": 0x7FFFFFFF}, {"tile": (32, 32)}),
    "missing_strip": Damage({"width": 1 << 16, "length": 1 << 16, "rows": 1 << 16, "counts": 0}),
    "samples": Damage({"samples": 65535}),
}


def write_damaged(path: Path, damage: Damage) -> None:
    """Write three pages, and replace values in the directory of one of them."""
    is_color = damage.options.get("photometric") == "rgb"
    data = pixels((3, 24, 20, 3), "uint8") if is_color else pixels((3, 24, 20))
    options = {**GRAY, **damage.options}
    with tifffile.TiffWriter(path) as tif:
        for frame in data:
            tif.write(frame, contiguous=False, **options)
    with tifffile.TiffFile(path) as tif:
        tags = tif.pages[damage.page].tags
        places = {name: tags[_TAGS[name]] for name in damage.values}
    raw = bytearray(path.read_bytes())
    for name, tag in places.items():
        # one value of four bytes, whatever the type was
        struct.pack_into("<HII", raw, tag.offset + 2, 4, 1, damage.values[name])
    path.write_bytes(raw)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("damaged")
    paths = [folder / f"{name}.tif" for name in ("whole", *DAMAGES)]
    for path in paths:
        write_damaged(path, DAMAGES.get(path.stem, Damage({})))
    code = "import sys, tiff_children; tiff_children.open_in_children(sys.argv[1:])"
    status, out, errors = run_fork(code, *paths)
    assert status == 0, errors
    return {Path(found["file"]).stem: found for found in map(json.loads, out.splitlines())}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_sizes_are_harmless(name: str, outcomes: dict[str, dict[str, Any]]) -> None:
    found, whole = outcomes[name], outcomes["whole"]
    assert found["status"] == 0
    assert found["seconds"] < 5
    assert found["megabytes"] - whole["megabytes"] < _MEGABYTES
    assert found["error"] is None or found["is_ours"], found["error"]
    assert found["error"] or found["warnings"]


def test_whole_pages_are_read(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["whole"]["error"] is None
    assert not outcomes["whole"]["warnings"]


@pytest.mark.parametrize(
    "options",
    [
        *({"compression": name} for name in ("zlib", "lzw", "zstd", "lzma", "packbits")),
        {"compression": "zlib", "rowsperstrip": 3000},
        {"compression": "zlib", "predictor": True, "tile": (1024, 1024)},
    ],
    ids=str,
)
def test_empty_pages_that_compress_well_are_read(options: dict[str, Any], tmp_path: Path) -> None:
    data = np.zeros((3000, 2000), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", data, **options, **GRAY)
    (image,) = imload(tmp_path / "a.tif")
    assert_same_pixels(image.array, data)


@pytest.mark.parametrize(
    ("nbytes", "stored", "most"),
    [(1 << 28, 1 << 17, float("inf")), (1 << 31, 1 << 22, 1032), (2 << 20, 1 << 10, 1032)],
)
def test_a_strip_of_implausible_size_is_refused(nbytes: int, stored: int, most: float) -> None:
    with pytest.raises(ValueError, match=f"{stored} bytes that would become {nbytes}"):
        check_segment(nbytes, stored, most)
    check_segment(nbytes, nbytes // 100, most)


@pytest.mark.parametrize("kind", [6, 8, 9, 11], ids=["sbyte", "sshort", "slong", "float"])
@pytest.mark.parametrize("tag", ["width", "length"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=["plain", "deflate"])
def test_sizes_that_are_not_whole_numbers_are_refused(
    kind: int, tag: str, options: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, pixels((20, 30)), **GRAY, **options)
    with tifffile.TiffFile(path, mode="r+b") as tif:
        tif.filehandle.seek(tif.pages.first.tags[_TAGS[tag]].offset + 2)
        tif.filehandle.write(struct.pack("<HIi", kind, 1, -5))
    with pytest.raises(UnreadableFileError, match=r"a\.tif is damaged"):
        imload(path)


def test_a_strip_said_to_end_beyond_the_file_is_reported(tmp_path: Path) -> None:
    path, data = tmp_path / "a.tif", pixels((20, 30))
    tifffile.imwrite(path, data, **GRAY)
    with tifffile.TiffFile(path) as tif:
        offset = tif.pages.first.tags["StripByteCounts"].valueoffset
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, offset, 1 << 31)
    path.write_bytes(content)
    with pytest.warns(FerryWarning, match=r"a\.tif is damaged: a strip .* ends at byte 21\d+"):
        assert_same_pixels(imload(path)[0].array, data)
