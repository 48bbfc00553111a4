"""TIFF files that end within their metadata."""

from __future__ import annotations

import os
import struct
import warnings
from pathlib import Path

import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.errors import FerryWarning
from napari_ferry.image import Axis
from ome_documents import foreign
from tiff_files import GRAY

DATA = pixels((24, 5, 7))


def write(path: Path, text: str, *, order: str, is_big: bool) -> int:
    """Write a file with its description at the end; return the length of the description."""
    raw = text.encode() + b"\0"
    options = {"byteorder": order, "bigtiff": is_big}
    tifffile.imwrite(path, DATA, description=" " * 99, **options, **GRAY)
    with tifffile.TiffFile(path) as tif:
        entry = tif.pages.first.tags[270].offset
    with path.open("r+b") as file:
        end = file.seek(0, os.SEEK_END)
        file.write(raw)
        file.seek(entry + 4)
        file.write(struct.pack(order + ("QQ" if is_big else "II"), len(raw), end))
    return len(raw)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("is_big", [False, True])
def test_a_description_beyond_the_end_gives_a_warning(
    order: str, is_big: bool, tmp_path: Path
) -> None:
    path = tmp_path / "a.ome.tif"
    nbytes = write(path, foreign(pixels='PhysicalSizeX="0.5"'), order=order, is_big=is_big)
    size = path.stat().st_size
    for missing in (0, 1):  # the last byte is a null character
        os.truncate(path, size - missing)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            (image,) = imload(path)
        assert image.axis("x") == Axis("x", 0.5, "micrometer")

    for missing in (2, 10, nbytes):
        os.truncate(path, size - missing)
        with pytest.warns(FerryWarning, match="a.ome.tif is cut off within the description"):
            (image,) = imload(path)
        assert_same_pixels(image.array, DATA)


def test_metadata_of_imagej_beyond_the_end_give_a_warning(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", DATA, imagej=True, metadata={"axes": "TYX", "Info": "x" * 99}
    )
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        entry = tif.pages.first.tags[50839].offset
    with (tmp_path / "a.tif").open("r+b") as file:
        file.seek(entry + 8)
        file.write(struct.pack(tif.byteorder + "I", (tmp_path / "a.tif").stat().st_size - 9))
    with pytest.warns(FerryWarning, match="cut off within the ImageJ metadata"):
        (image,) = imload(tmp_path / "a.tif")
    assert_same_pixels(image.array, DATA)
