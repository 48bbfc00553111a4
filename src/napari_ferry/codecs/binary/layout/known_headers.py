"""The headers of formats that are renamed to ``.raw`` or ``.bin``.

Where a header says the layout of plain samples after it, that is the layout: NumPy's
(https://numpy.org/neps/nep-0001-npy-format.html), MRC2014 (https://www.ccpem.ac.uk/mrc_format),
NRRD (https://teem.sourceforge.net/nrrd/format.html) and PGM or PPM (netpbm's ``pgm(5)``). Other
formats are named by their first bytes.
"""

from __future__ import annotations

import ast
import math
import re
import struct
from typing import Any

import numpy as np

from napari_ferry.codecs.binary.layout.layout import Layout
from napari_ferry.codecs.binary.layout.source import Source

_NAMES = (
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
    (0, b"GIF87a", "GIF", ".gif"),
    (0, b"GIF89a", "GIF", ".gif"),
    (0, b"\xda\xce\xbe\x0a", "Nikon ND2 file", ".nd2"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000 image", ".jp2"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "OLE compound file (such as Olympus OIB)", ".oib"),
    (0, b"ZISRAWFILE", "Zeiss CZI file", ".czi"),
    (0, b"SIMPLE  =", "FITS image", ".fits"),
    (128, b"DICM", "DICOM image", ".dcm"),
    (344, b"n+1\0", "NIfTI image", ".nii"),
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
)

_MRC_TYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
_NRRD_TYPES = {
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("short", "short int", "signed short", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    "float": "f4",
    "double": "f8",
}
_MAX_HEADER = 1 << 20
_MAX_DIGITS = 15


def foreign_name(source: Source) -> tuple[str, str] | None:
    """Return what a file is by its first bytes, and its usual suffix; None where it is not."""
    head = source.read(0, 1024)
    for at, magic, name, suffix in _NAMES:
        if head[at : at + len(magic)] == magic:
            return name, suffix
    return None


def read_header(source: Source) -> Layout | None:
    """Return the layout that a file's own header gives; None where there is no such header."""
    head = source.read(0, 4096)
    for magic, read in (
        (b"\x93NUMPY", _npy),
        (b"NRRD000", _nrrd),
        (b"P5", _netpbm),
        (b"P6", _netpbm),
    ):
        if head.startswith(magic):
            found = read(source, head)
            return found if found and _fits(found, source.size) else None
    if head[208:212] == b"MAP ":
        found = _mrc(source, head)
        return found if found and _fits(found, source.size) else None
    return None


def _fits(layout: Layout, size: int) -> bool:
    return layout.nbytes > 0 and layout.offset + layout.nbytes <= size


def _made(name: str, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...]) -> Layout | None:
    """Return the layout of an array in C order, whose last axis of 3 or 4 is color."""
    if dtype.kind not in "uif" or not shape or len(shape) < 2:
        return None
    channels = shape[-1] if len(shape) > 2 and shape[-1] in (3, 4) else 1
    y, x = shape[-3:-1] if channels > 1 else shape[-2:]
    frames = math.prod(shape) // max(1, y * x * channels)
    reasons = (f"the header of {offset} bytes is that of {name}",)
    together = "pixel" if channels > 1 else ""
    return Layout(dtype, offset, frames, channels, together, y, x, 1.0, reasons)  # type: ignore[arg-type]


def _npy(source: Source, head: bytes) -> Layout | None:
    wide = head[6:7] > b"\x01"
    length = int.from_bytes(head[8:12] if wide else head[8:10], "little")
    begin = 12 if wide else 10
    if length > _MAX_HEADER:
        return None
    try:
        record = ast.literal_eval(source.read(begin, length).decode("latin-1"))
        dtype, shape = np.dtype(record["descr"]), tuple(record["shape"])
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        return None
    if record.get("fortran_order") or not all(isinstance(n, int) and n > 0 for n in shape):
        return None
    return _made("a NumPy file", dtype, begin + length, shape)


def _mrc(source: Source, head: bytes) -> Layout | None:
    order = ">" if head[212:214] == b"\x11\x11" else "<"
    nx, ny, nz, mode = struct.unpack(f"{order}4i", head[:16])
    (extended,) = struct.unpack(f"{order}i", head[92:96])
    if mode not in _MRC_TYPES or min(nx, ny, nz) < 1 or extended < 0:
        return None
    dtype = np.dtype(order + _MRC_TYPES[mode])
    found = _made("an MRC file", dtype, 1024 + extended, (nz, ny, nx, 1))
    return found and Layout(
        dtype, 1024 + extended, nz, 1, "", ny, nx, found.confidence, found.reasons
    )


def _nrrd(source: Source, head: bytes) -> Layout | None:
    text = source.read(0, 1 << 16)
    end = min(
        (at + len(stop) for stop in (b"\n\n", b"\r\n\r\n") if (at := text.find(stop)) >= 0),
        default=0,
    )
    fields = dict(re.findall(r"(?m)^([a-z ]+):[ =]*(.*?)\r?$", text[:end].decode("latin-1")))
    kind = _NRRD_TYPES.get(fields.get("type", "").strip().lower())
    is_plain = fields.get("encoding", "").strip() == "raw" and "data file" not in fields
    if kind is None or not is_plain or {"byte skip", "line skip"} & set(fields):
        return None
    digits = re.findall(r"\d+", fields.get("sizes", ""))
    if any(len(n) > _MAX_DIGITS for n in digits):
        return None
    sizes = [int(n) for n in digits]
    order = ">" if fields.get("endian", "").strip() == "big" else "<"
    return _made("an NRRD file", np.dtype(order + kind), end, tuple(reversed(sizes)))


def _netpbm(source: Source, head: bytes) -> Layout | None:
    found = re.match(rb"P([56])(?:\s+|#[^\n]*\n)+(\d+)\s+(\d+)\s+(\d+)\s", head)
    if found is None:
        return None
    x, y, most = (int(n) for n in found.groups()[1:])
    dtype = np.dtype("u1" if most < 256 else ">u2")
    shape = (1, y, x, 3) if found[1] == b"6" else (1, y, x)
    layout = _made("a PGM or PPM image", dtype, found.end(), shape)
    return layout
