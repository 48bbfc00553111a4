"""Headers of formats whose files are renamed to ``.raw`` or ``.bin``.

If a header describes the plain samples after it, it gives the layout: NumPy's
(https://numpy.org/neps/nep-0001-npy-format.html), MRC2014 (https://www.ccpem.ac.uk/mrc_format),
NRRD (https://teem.sourceforge.net/nrrd/format.html) and PGM or PPM (netpbm's ``pgm(5)``).
"""

from __future__ import annotations

import ast
import math
import re
import struct
from dataclasses import replace
from typing import Any

import numpy as np

from napari_ferry.codecs.binary.headers import nrrd
from napari_ferry.codecs.binary.layout.layout import Layout
from napari_ferry.codecs.binary.layout.source import Source

_MRC_TYPES = {0: "i1", 1: "i2", 2: "f4", 6: "u2", 12: "f2"}
_MAX_HEADER = 1 << 20
_MAX_DIGITS = 15


def read_header(source: Source) -> Layout | None:
    """Read the layout from the header of a known format; None if the file has no such header."""
    head = source.read(0, 4096)
    for magic, read in (
        (b"\x93NUMPY", _read_npy),
        (b"NRRD000", _read_nrrd),
        (b"P5", _read_netpbm),
        (b"P6", _read_netpbm),
    ):
        if head.startswith(magic):
            layout = read(source, head)
            return layout if layout and _fits(layout, source.size) else None
    if head[208:212] == b"MAP ":
        layout = _read_mrc(head)
        return layout if layout and _fits(layout, source.size) else None
    return None


def _fits(layout: Layout, size: int) -> bool:
    return layout.nbytes > 0 and layout.offset + layout.nbytes <= size


def _array_layout(
    format_name: str, dtype: np.dtype[Any], offset: int, shape: tuple[int, ...]
) -> Layout | None:
    """Return the layout of an array in C order; a last axis of 3 or 4 is color."""
    if dtype.kind not in "uif" or not shape or len(shape) < 2:
        return None
    channels = shape[-1] if len(shape) > 2 and shape[-1] in (3, 4) else 1
    y, x = shape[-3:-1] if channels > 1 else shape[-2:]

    return Layout(
        dtype=dtype,
        offset=offset,
        frames=math.prod(shape) // max(1, y * x * channels),
        channels=channels,
        interleaving="pixel" if channels > 1 else "",
        y=y,
        x=x,
        confidence=1.0,
        reasons=(f"the header of {offset} bytes matches {format_name}",),
    )


def _read_npy(source: Source, head: bytes) -> Layout | None:
    is_version_2 = head[6:7] > b"\x01"
    length = int.from_bytes(head[8:12] if is_version_2 else head[8:10], "little")
    begin = 12 if is_version_2 else 10
    if length > _MAX_HEADER:
        return None
    try:
        record = ast.literal_eval(source.read(begin, length).decode("latin-1"))
        dtype, shape = np.dtype(record["descr"]), tuple(record["shape"])
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        return None
    if record.get("fortran_order") or not all(isinstance(n, int) and n > 0 for n in shape):
        return None
    return _array_layout("a NumPy file", dtype, begin + length, shape)


def _read_mrc(head: bytes) -> Layout | None:
    order = ">" if head[212:214] == b"\x11\x11" else "<"
    nx, ny, nz, mode = struct.unpack(f"{order}4i", head[:16])
    (extended,) = struct.unpack(f"{order}i", head[92:96])
    if mode not in _MRC_TYPES or min(nx, ny, nz) < 1 or extended < 0:
        return None
    dtype = np.dtype(order + _MRC_TYPES[mode])

    # The last axis of one prevents a width of 3 or 4 from being read as color.
    layout = _array_layout("an MRC file", dtype, 1024 + extended, (nz, ny, nx, 1))
    return layout and replace(layout, frames=nz, y=ny, x=nx)


def _read_nrrd(source: Source, head: bytes) -> Layout | None:
    fields, end = nrrd.parse(source.read(0, 1 << 16))

    # Only uncompressed samples in the same file, directly after the header.
    dtype = nrrd.sample_type(fields)
    is_plain = fields.get("encoding") == "raw" and "datafile" not in fields
    if dtype is None or not is_plain or {"byteskip", "lineskip"} & set(fields):
        return None

    digits = fields.get("sizes", "").split()
    if any(not n.isdecimal() or len(n) > _MAX_DIGITS for n in digits):
        return None
    return _array_layout("an NRRD file", dtype, end, tuple(int(n) for n in reversed(digits)))


def _read_netpbm(source: Source, head: bytes) -> Layout | None:
    match = re.match(rb"P([56])(?:\s+|#[^\n]*\n)+(\d+)\s+(\d+)\s+(\d+)\s", head)
    if match is None:
        return None
    x, y, most = (int(n) for n in match.groups()[1:])
    dtype = np.dtype("u1" if most < 256 else ">u2")
    shape = (1, y, x, 3) if match[1] == b"6" else (1, y, x)
    return _array_layout("a PGM or PPM image", dtype, match.end(), shape)
