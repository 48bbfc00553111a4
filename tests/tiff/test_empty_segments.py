"""TIFF files with strips or tiles that were never written."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from helpers import assert_same_pixels, pixels
from napari_ferry import imload
from napari_ferry.errors import FerryWarning
from tiff_files import GRAY


def clear(path: Path, page: int, *, n_strips: int | None = None) -> None:
    """Set offsets and sizes of the first strips of a page to 0, as before they are written."""
    with tifffile.TiffFile(path) as tif:
        tags = [tif.pages[page].tags[code] for code in (273, 279)]
        places = [(tag.valueoffset, tag.count, {3: "H", 4: "I"}[int(tag.dtype)]) for tag in tags]
    with path.open("r+b") as file:
        for offset, count, form in places:
            file.seek(offset)
            file.write(bytes(struct.calcsize(form) * min(count, n_strips or count)))


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}], ids=str)
@pytest.mark.parametrize("rows", [2, 6], ids=["3 strips", "1 strip"])
@pytest.mark.parametrize(
    "description", [None, "ImageJ=1.53t\nimages=4\nframes=4\n"], ids=["plain", "ImageJ"]
)
def test_missing_strips_give_a_warning(
    description: str | None, rows: int, options: dict[str, Any], tmp_path: Path
) -> None:
    data = pixels((4, 6, 7))
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for t, frame in enumerate(data):
            text = None if t else description
            writer.write(
                frame, description=text, rowsperstrip=rows, contiguous=False, **options, **GRAY
            )
    clear(tmp_path / "a.tif", 3, n_strips=1)
    with pytest.warns(FerryWarning, match="1 of its 4 pages, first of page 3: 0 is shown"):
        (image,) = imload(tmp_path / "a.tif")
    data[3, :rows] = 0
    assert_same_pixels(image.array, data)


def test_a_file_without_any_pixels_gives_a_warning(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", pixels((64, 48)), rowsperstrip=16, **GRAY)
    clear(tmp_path / "a.tif", 0)
    with pytest.warns(FerryWarning, match="1 of its 1 pages"):
        (image,) = imload(tmp_path / "a.tif")
    assert not np.asarray(image.array).any()


def test_complete_pages_give_no_warning(tmp_path: Path) -> None:
    data = pixels((3, 64, 48))
    tifffile.imwrite(tmp_path / "a.tif", data, rowsperstrip=16, compression="zlib", **GRAY)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (image,) = imload(tmp_path / "a.tif")
    assert_same_pixels(image.array, data)
