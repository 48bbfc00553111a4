"""Compressed samples of NRRD and MetaImage."""

from __future__ import annotations

import bz2
import gzip
import pickle  # noqa: TID251 - our own arrays
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from helpers import assert_same_pixels, pixels
from napari_ferry import InvalidImageError, UnreadableFileError, imload, load_binary
from napari_ferry.codecs.binary.sidecar_check import read_sidecar_status

SHAPE = (3, 20, 30)
NRRD = "NRRD0004\ntype: uint16\ndimension: 3\nsizes: 30 20 3\nencoding: {}\nendian: {}\n"
MHA = (
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = {}\n"
    "CompressedData = True\nDimSize = 30 20 3\nElementType = MET_USHORT\nElementDataFile = {}\n"
)
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    **{"gzip": gzip.compress, "gz": gzip.compress},
    **{"bzip2": bz2.compress, "zlib": zlib.compress},
}


def write(folder: Path, name: str, encoding: str, data: np.ndarray) -> tuple[Path, Path]:
    """Write a header and its compressed samples; return both files, which may be one."""
    encoded, is_big = ENCODERS[encoding](data.tobytes()), data.dtype.byteorder == ">"
    path, samples = folder / name, folder / "a.raw.gz"
    is_single = path.suffix in (".nrrd", ".mha")
    if path.suffix.startswith(".n"):
        text = NRRD.format(encoding, "big" if is_big else "little")
        text += "\n" if is_single else "data file: a.raw.gz\n"
    else:
        text = MHA.format(is_big, "LOCAL" if is_single else "a.raw.gz")
    path.write_bytes(text.encode() + (encoded if is_single else b""))
    if not is_single:
        samples.write_bytes(encoded)
    return path, path if is_single else samples


FILES = [
    *(("a.nrrd", "gzip"), ("a.nrrd", "gz"), ("a.nrrd", "bzip2"), ("a.nhdr", "gzip")),
    *(("a.mha", "zlib"), ("a.mhd", "zlib")),
]


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
@pytest.mark.parametrize(("name", "encoding"), FILES)
def test_compressed_samples_are_read(name: str, encoding: str, dtype: str, tmp_path: Path) -> None:
    data = pixels(SHAPE).astype(dtype)
    path, _ = write(tmp_path, name, encoding, data)
    (image,) = imload(path)
    assert (image.axis_names, image.dtype) == (("z", "y", "x"), data.dtype)
    assert_same_pixels(image.array[1], data[1])
    again = pickle.loads(pickle.dumps(image.array))
    assert_same_pixels(again, data)
    image.close()
    assert_same_pixels(image.load(), data)
    status = read_sidecar_status(path)
    assert status is None or not status.error


@pytest.mark.parametrize(("name", "encoding"), FILES)
def test_damaged_samples_are_refused(name: str, encoding: str, tmp_path: Path) -> None:
    data = pixels(SHAPE)
    path, samples = write(tmp_path, name, encoding, data)
    whole = samples.read_bytes()
    for damaged in (whole[:-20], whole[:-4] + b"abcd"):
        samples.write_bytes(damaged)
        with pytest.raises(UnreadableFileError, match="is damaged: its samples cannot"):
            imload(path)[0].load()

    for count, amount in ((2, "2400 of the 3600"), (4, "more than the 3600")):
        write(tmp_path, name, encoding, pixels((count, 20, 30)))
        with pytest.raises(UnreadableFileError, match=f"it holds {amount} bytes"):
            imload(path)[0].load()


def test_more_samples_than_the_file_can_hold_are_refused(tmp_path: Path) -> None:
    path, _ = write(tmp_path, "a.nrrd", "gzip", pixels(SHAPE))
    path.write_bytes(path.read_bytes().replace(b"30 20 3", b"90000 90000 3"))
    with pytest.raises(UnreadableFileError, match="cannot be the 48600000000 bytes"):
        imload(path)


def test_compressed_samples_are_not_mapped(tmp_path: Path) -> None:
    path, _ = write(tmp_path, "a.nrrd", "gzip", pixels(SHAPE))
    assert_same_pixels(load_binary(path), pixels(SHAPE))
    with pytest.raises(InvalidImageError, match="is compressed and cannot be mapped"):
        load_binary(path, mapped=True)
