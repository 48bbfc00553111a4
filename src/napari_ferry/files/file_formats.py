"""Formats of files: identified by their first bytes, and the suffixes of image formats."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

_FOREIGN = (".czi", ".csv", ".h5", ".hdf5", ".lif", ".nd2", ".npy", ".npz", ".svg")
"""Suffixes of image and table formats that neither napari-ferry nor Pillow knows."""

_SIGNATURES = (
    (0, b"\x89PNG\r\n\x1a\n", "PNG image", ".png"),
    (0, b"\xff\xd8\xff", "JPEG image", ".jpg"),
    (0, b"II*\0", "TIFF image", ".tif"),
    (0, b"MM\0*", "TIFF image", ".tif"),
    (0, b"II+\0\x08\0\0\0", "BigTIFF image", ".tif"),
    (0, b"MM\0+\0\x08\0\0", "BigTIFF image", ".tif"),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5 file", ".h5"),
    (512, b"\x89HDF\r\n\x1a\n", "HDF5 file", ".h5"),
    (0, b"\x0e\x03\x13\x01", "HDF4 file", ".hdf"),
    (0, b"CDF\x01", "netCDF file", ".nc"),
    (0, b"CDF\x02", "netCDF file", ".nc"),
    (0, b"GIF87a", "GIF image", ".gif"),
    (0, b"GIF89a", "GIF image", ".gif"),
    (0, b"\xda\xce\xbe\x0a", "Nikon ND2 file", ".nd2"),
    (0, b"\xff\x0a", "JPEG XL image", ".jxl"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL image", ".jxl"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000 image", ".jp2"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "OLE compound file (such as Olympus OIB)", ".oib"),
    (0, b"ZISRAWFILE", "Zeiss CZI file", ".czi"),
    (0, b"SIMPLE  =", "FITS image", ".fits"),
    (128, b"DICM", "DICOM image", ".dcm"),
    (344, b"n+1\0", "NIfTI image", ".nii"),
    (4, b"ftypheic", "HEIF image", ".heic"),
    (4, b"ftypmif1", "HEIF image", ".heic"),
    (4, b"ftypavif", "AVIF image", ".avif"),
    (4, b"ftyp", "MP4 or QuickTime movie", ".mp4"),
    (4, b"moov", "QuickTime movie", ".mov"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM movie", ".mkv"),
    (8, b"AVI ", "AVI movie", ".avi"),
    (8, b"WEBPVP8", "WebP image", ".webp"),
    (0, b"MATLAB 5.0 MAT-file", "MATLAB file", ".mat"),
    (0, b"PK\x03\x04", "zip archive", ".zip"),
    (0, b"\x1f\x8b\x08", "gzip archive", ".gz"),
    (0, b"\xfd7zXZ\0", "xz archive", ".xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd archive", ".zst"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z archive", ".7z"),
    (0, b"%PDF-", "PDF", ".pdf"),
    (0, b"OggS", "Ogg movie", ".ogv"),
    (0, b"FLV\x01", "Flash movie", ".flv"),
)
"""Offset and value of the identifying bytes, name of the format, and usual suffix."""

HEAD_BYTES = 1024
"""Bytes at the start of a file that identify its format."""


class KnownFormat(NamedTuple):
    """Name of a format and the usual suffix of its files."""

    name: str
    suffix: str


def identify_format(head: bytes) -> KnownFormat | None:
    """Identify the format of a file by its first `HEAD_BYTES`, or ``None`` if it is unknown.

    >>> identify_format(b"GIF89a...")
    KnownFormat(name='GIF image', suffix='.gif')
    """
    for at, magic, name, suffix in _SIGNATURES:
        if head[at : at + len(magic)] == magic:
            return KnownFormat(name, suffix)
    return None


def other_format(path: Path, expected: str) -> str:
    """Return a clause with the actual format of a file, or that it is empty; "" if unknown.

    Parameters
    ----------
    path : Path
        A file that is not a valid one of the expected format.
    expected : str
        A word in the names of the expected formats: such a file is damaged instead.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head:
        return "it is empty: get a complete copy of it"
    known = identify_format(head)
    if known is None or expected in known.name:
        return ""
    return f"its content is in another format ({known.name}): give it the suffix {known.suffix}"


def is_image_suffix(suffix: str, known: Iterable[str]) -> bool:
    """Return True for the suffix of a format, False for a part of a name like ``cells.v2``.

    Parameters
    ----------
    suffix : str
        The suffix, in lower case.
    known : iterable of str
        Suffixes of the formats of napari-ferry.
    """
    if not suffix or suffix in {*known, *_FOREIGN}:
        return bool(suffix)
    from PIL import Image as Pictures  # which imports all of its formats

    return suffix in Pictures.registered_extensions()
