"""Fax pages: sound ones are read, damaged ones are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from napari_ferry import UnreadableFileError, imload
from napari_ferry.codecs.tiff.pages import fax

COMPRESSIONS = ("tiff_ccitt", "group3", "group4")


def page(margin: int) -> np.ndarray:
    """Return a page with random ink above a white margin, axes (y, x), bool; True is white."""
    steps = np.random.default_rng(0).integers(-1, 2, (200, 300))
    ink = np.cumsum(steps, 1) % 20 < 10
    ink[200 - margin :] = True
    return ink


def write(path: Path, pixels: np.ndarray, compression: str) -> tuple[int, int]:
    """Write a fax page with one strip; return its offset and size."""
    image = PIL.Image.fromarray((pixels * 255).astype("u1")).convert("1")
    image.save(path, compression=compression, tiffinfo={278: 200})
    with tifffile.TiffFile(path) as tif:
        return tif.pages[0].dataoffsets[0], tif.pages[0].databytecounts[0]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("margin", [0, 1, 2, 100, 199, 200])
def test_a_sound_page_is_read(compression: str, margin: int, tmp_path: Path) -> None:
    write(tmp_path / "fax.tif", page(margin), compression)
    found = np.asarray(imload(tmp_path / "fax.tif")[0].load())
    expected = page(margin)
    assert (found == expected).all() or (found == ~expected).all()


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("margin", [0, 60])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.7])
def test_a_damaged_page_is_refused(
    compression: str, margin: int, part: float, tmp_path: Path
) -> None:
    path = tmp_path / "fax.tif"
    offset, nbytes = write(path, page(margin), compression)
    content = bytearray(path.read_bytes())
    start = offset + int(nbytes * part)
    content[start : start + 8] = bytes(8)
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="invalid fax codes after row"):
        imload(path)[0].load()


def test_codes_that_are_too_many_to_count_are_not_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fax.tif"
    offset, nbytes = write(path, page(60), "group3")
    content = bytearray(path.read_bytes())
    content[offset + nbytes // 2 : offset + nbytes // 2 + 8] = bytes(8)
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match="invalid fax codes"):
        imload(path)[0].load()
    monkeypatch.setattr(fax, "_MAX_COUNTED", 1)
    imload(path)[0].load()
