"""Headers of other formats in raw files."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from napari_ferry import UnreadableFileError, find_layouts
from raw_files import brief, scene, stored, write


def test_a_header_of_very_long_numbers_is_ignored(tmp_path):
    path = tmp_path / "a.raw"
    sizes = b"9" * 5000 + b" 8 16"
    path.write_bytes(
        b"NRRD0004\ntype: uint8\nencoding: raw\nsizes: " + sizes + b"\n\n" + bytes(2000)
    )
    assert all("NRRD" not in reason for one in find_layouts(path) for reason in one.reasons)


def test_header_of_numpy_is_read(tmp_path):
    pixels = stored(">u2", scene())
    np.save(tmp_path / "a.npy", pixels)
    path = (tmp_path / "a.npy").rename(tmp_path / "a.raw")
    (found,) = find_layouts(path)
    assert brief(found) == (">u2", 128, 12, 90, 132, 1)
    assert found.confidence == 1.0
    assert "NumPy" in found.reasons[0]


def test_header_that_contradicts_known_fields_is_ignored(tmp_path):
    np.save(tmp_path / "a.npy", stored("<u2", scene()))
    found = find_layouts(tmp_path / "a.npy", y=45)
    assert {layout.y for layout in found} == {45}


def test_headers_of_mrc_nrrd_and_pgm_are_read(tmp_path):
    pixels = stored("<i2", scene((4, 50, 60)))
    mrc = struct.pack("<4i", 60, 50, 4, 1).ljust(208, b"\0") + b"MAP \x44\x44\0\0"
    nrrd = (
        b"NRRD0004\n# made by hand\ntype: int16\ndimension: 3\nsizes: 60 50 4\n"
        b"endian: little\nencoding: raw\n\n"
    )
    for header, name in ((mrc.ljust(1024, b"\0"), "MRC"), (nrrd, "NRRD")):
        (found,) = find_layouts(write(tmp_path / "a.raw", pixels, header))
        assert brief(found) == ("<i2", len(header), 4, 50, 60, 1)
        assert name in found.reasons[0]
    pgm = b"P5\n# by hand\n60 50\n255\n"
    (found,) = find_layouts(write(tmp_path / "a.raw", stored("u1", scene((1, 50, 60))), pgm))
    assert brief(found) == ("u1", len(pgm), 1, 50, 60, 1)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"MM\0*\0\0\0\x08", "TIFF"),
        (b"II+\0\x08\0\0\0", "BigTIFF"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"GIF89a", "GIF"),
        (b"\0\0\0\x18ftypisom", "MP4"),
        (b"\0" * 128 + b"DICM", "DICOM"),
        (b"SIMPLE  =                    T", "FITS"),
        (b"PK\x03\x04", "zip"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"ZISRAWFILE", "CZI"),
    ],
)
def test_other_formats_are_identified(tmp_path, head, name):
    path = write(tmp_path / "a.raw", stored("<u2", scene((2, 30, 40))), head)
    with pytest.raises(UnreadableFileError, match=name):
        find_layouts(path)


def test_known_offset_overrules_another_format(tmp_path):
    path = write(tmp_path / "a.raw", stored("<u2", scene()), b"PK\x03\x04")
    assert find_layouts(path, offset=4)[0].offset == 4


def npy(text: str) -> bytes:
    """Return a header of NumPy."""
    return b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "head",
    [
        npy("{'descr': '<u2', 'fortran_order': True, 'shape': (2, 24, 30)}"),
        npy("{'descr': '<u2', 'fortran_order': False, 'shape': (1440,)}"),
        npy("{'descr': '<c8', 'fortran_order': False, 'shape': (2, 24, 30)}"),
        b"\x93NUMPY\x01\0\xff\xff{'descr'",
        b"\x93NUMPY\x01\0\x04\0(((( ",
        b"\x93NUMPY\x01\0\x20\0{'descr': '<u2', 'shape': (1e9,)}",
        b"\x93NUMPY\x02\0\xff\xff\xff\x7f{'descr'",
        b"NRRD0004\ntype: int16\nsizes: 99999 99999\nencoding: raw\n\n",
        b"NRRD0004\nencoding: gzip\n\n",
        b"P5 no numbers",
        bytes(208) + b"MAP ",
    ],
)
def test_damaged_headers_are_ignored(tmp_path, head):
    path = write(tmp_path / "a.raw", stored("<u2", scene((2, 24, 30))), head)
    for layout in find_layouts(path):
        assert layout.confidence < 1
