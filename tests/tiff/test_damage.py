"""Sentences about damaged and unusual TIFF files."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from napari_ferry import UnreadableFileError, imload
from napari_ferry.arrays.growth import growing_files
from napari_ferry.errors import FerryWarning


def one_page(**tags: int) -> bytes:
    """Return a TIFF file of 8 x 8 bytes, with some of its tags replaced."""
    numbers = {"compression": 259, "tile_width": 322, "tile_length": 323, "strip": 273, "size": 279}
    values = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: 64}
    values |= {numbers[name]: value for name, value in tags.items()}
    if 322 in values:
        values |= {324: values.pop(273), 325: values.pop(279)}
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(values.items())]
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    return head + b"".join(entries) + bytes(4 + 64)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not a TIFF file .it is empty"),
        (b"GIF89a..", "is not a TIFF file; .*GIF"),
        (b"II*\0", "is cut off: it ends after 4 bytes"),
        (b"MM\0+\0\x08", "is cut off: it ends after 6 bytes"),
        (b"II*\0\x08\0\0\0", "is cut off: its first page is beyond the end"),
        (one_page(compression=65000), "not supported .compression EER_V0"),
        (one_page(compression=60000), "compressed with 60000, which is not supported"),
        (one_page(compression=50000), "is damaged .its pixels cannot be decoded"),
        (one_page(tile_width=0, tile_length=0), "is damaged or of an unsupported kind"),
        (one_page(strip=200), "is damaged .it ends before its last pixel"),
    ],
)
def test_what_is_wrong_is_named(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "strange.tif"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=sentence) as raised:
        imload(path)[0].load()
    assert "strange.tif" in str(raised.value)
    assert not re.search(r"\(0\)|division|returned|COMPRESSION\.", str(raised.value))


def test_a_strip_beyond_the_end_is_reported_unless_the_file_grows(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(one_page(size=1000))
    message = r"a\.tif is damaged: a strip of its first page ends at byte 1008, beyond the end of "
    with pytest.warns(FerryWarning, match=message + r"the file at byte 186; its pixels are"):
        imload(path)
    with growing_files():
        assert imload(path)[0].shape == (8, 8)
