"""Files with the suffix of another format."""

from __future__ import annotations

import io
import resource
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from napari_ferry import imload
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.file_formats import identify_format


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".gif", ".tif", ".ome.tif"])
@pytest.mark.parametrize(("kind", "actual"), [("PNG", ".png"), ("JPEG", ".jpg"), ("WebP", ".webp")])
def test_an_image_with_the_suffix_of_another_format_is_named(
    suffix: str, kind: str, actual: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    PillowImage.new("L", (30, 20)).save(path, format=kind)
    with pytest.raises(UnreadableFileError, match=rf"a{suffix}.* \({kind} image\).* {actual}"):
        imload(path)


def test_a_huge_image_with_the_suffix_of_a_movie_is_not_decoded(tmp_path: Path) -> None:
    whole = io.BytesIO()
    PillowImage.new("L", (30, 20)).save(whole, format="PNG")
    huge = bytearray(whole.getvalue())
    struct.pack_into(">II", huge, 16, 40_000, 40_000)
    struct.pack_into(">I", huge, 29, zlib.crc32(huge[12:29]))
    for suffix in (".mp4", ".mkv", ".gif", ".tif"):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(huge)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(UnreadableFileError, match=r"\(PNG image\)"):
            imload(path)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize(
    ("suffix", "other", "message"),
    [
        (".mp4", "GIF", r"\(GIF image\): give it the suffix \.gif"),
        (".mp4", "TIFF", r"\(TIFF image\): give it the suffix \.tif"),
        (".gif", "TIFF", r"\(TIFF image\)"),
        (".tif", "GIF", r"\(GIF image\)"),
    ],
)
def test_formats_that_open_are_named_as_others(
    suffix: str, other: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    PillowImage.new("L", (30, 20)).save(path, format=other)
    with pytest.raises(UnreadableFileError, match=message):
        imload(path)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"PK\x03\x04", "zip archive"),
        (bytes(4) + b"ftypheic", "HEIF image"),
        (bytes(4) + b"ftypisom", "MP4 or QuickTime movie"),
        (bytes(512) + b"\x89HDF\r\n\x1a\n", "HDF5 file"),
    ],
)
def test_formats_are_identified(head: bytes, name: str) -> None:
    found = identify_format(head)
    assert found is not None
    assert found.name == name


def test_samples_are_of_no_format() -> None:
    assert identify_format(bytes(1024)) is None
    assert identify_format(b"") is None
