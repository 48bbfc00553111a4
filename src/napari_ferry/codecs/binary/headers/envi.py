"""ENVI: a header ``.hdr`` in text beside the samples of spectral bands.

https://www.nv5geospatialsoftware.com/docs/enviheaderfiles.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from napari_ferry.codecs.binary.headers.foreign_header import (
    Dimension,
    Header,
    fold_key,
    read_counts,
    read_head,
    read_offset,
    refuse,
)
from napari_ferry.image import Axis, Channel
from napari_ferry.image.axes import read_unit
from napari_ferry.units import is_step

SUFFIXES = (".hdr",)
DATA_SUFFIXES = (".img", ".dat", ".raw", ".bin", ".bsq", ".bil", ".bip", "")
"""Suffixes of the samples, the usual ones first."""

_TYPES = {
    1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 6: "c8", 9: "c16", 12: "u2", 13: "u4", 14: "i8",
    15: "u8",
}  # fmt: skip
_ORDERS = {"bsq": "cyx", "bil": "ycx", "bip": "yxc"}


def is_header(path: Path) -> bool:
    """Return True for the first bytes of an ENVI header."""
    return path.is_file() and _begins(read_head(path))


def read(path: Path, data: Path | None = None) -> Header | None:
    """Read an ENVI header; ``None`` if the file is of another format.

    Parameters
    ----------
    path : Path
        The header.
    data : Path, optional
        The file of the samples; by default the one of the same name.

    Raises
    ------
    UnreadableFileError
        The header is damaged, describes compressed samples, or their file is missing.
    """
    head = read_head(path)
    if not _begins(head):
        return None
    fields = _parse(head.decode("latin-1"))
    if fields.get("filecompression", "0") not in ("0", ""):
        refuse(path, "describes compressed samples", "save them without compression")

    (code,) = read_counts([fields.get("datatype", "")], path, "data type")
    if code not in _TYPES:
        refuse(path, f"gives the data type {code}", f"expected one of {list(_TYPES)}")
    interleave = fields.get("interleave", "bsq").lower()
    if interleave not in _ORDERS:
        refuse(path, f"gives the interleave {interleave[:20]!r}", "expected bsq, bil or bip")

    order = ">" if fields.get("byteorder", "0") == "1" else "<"
    return Header(
        path=path,
        data=data or _data_beside(path),
        program="ENVI",
        dtype=np.dtype(order + _TYPES[code]),
        dimensions=_dimensions(path, fields, _ORDERS[interleave]),
        offset=read_offset(fields.get("headeroffset", "0"), path, "header offset"),
        channels=_channels(fields),
        metadata={"ENVI": fields},
    )


def _begins(head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:4].upper() == b"ENVI"


def _parse(text: str) -> dict[str, str]:
    """Return the fields; values in braces may have several lines."""
    found = re.findall(r"(?m)^[ \t]*([^=\n;{}]+?)[ \t]*=[ \t]*(\{[^}]*\}|[^\r\n]*)", text)
    return {fold_key(key): " ".join(value.split()) for key, value in found}


def _data_beside(path: Path) -> Path:
    """Return the file of the samples: ``a.img`` or ``a`` of ``a.hdr``, ``a.img`` of ``a.img.hdr``.

    Raises
    ------
    UnreadableFileError
        It does not exist.
    """
    bare = path.with_suffix("")
    candidates = [bare] if bare.suffix.lower() in DATA_SUFFIXES[:-1] else []
    candidates += [bare.with_name(bare.name + suffix) for suffix in DATA_SUFFIXES]
    candidates += [bare.with_name(bare.name + suffix.upper()) for suffix in DATA_SUFFIXES[:-1]]
    found = next((data for data in candidates if data.is_file()), None)
    if found is None:
        names = ", ".join(bare.name + suffix for suffix in DATA_SUFFIXES[:-1])
        refuse(path, f"describes a raw file, but none of {names} is beside it", "put it there")
    return found


def _dimensions(path: Path, fields: Mapping[str, str], order: str) -> tuple[Dimension, ...]:
    """Return the dimensions in the order of the file; a single band has no channel axis."""
    words = [fields.get(key, "") for key in ("samples", "lines")]
    x, y = read_counts(words, path, "samples and lines")
    (bands,) = read_counts([fields.get("bands", "1")], path, "bands")
    steps, unit = _pixel_size(path, fields)
    dimensions = {
        "c": Dimension(Axis("c"), bands),
        "y": Dimension(Axis("y", steps[1], unit), y),
        "x": Dimension(Axis("x", steps[0], unit), x),
    }
    return tuple(dimensions[name] for name in order if name != "c" or bands > 1)


def _pixel_size(path: Path, fields: Mapping[str, str]) -> tuple[tuple[float, float], str | None]:
    """Return the sizes of a pixel along x and y, and their unit."""
    words = _items(fields.get("pixelsize", "")) or _items(fields.get("mapinfo", ""))[5:]
    try:
        x, y = (float(word) for word in words[:2])
    except ValueError:
        return (1.0, 1.0), None
    if not (is_step(x) and is_step(y)):
        return (1.0, 1.0), None
    units = [word.partition("=")[2] for word in words if word.lower().startswith("units")]
    return (x, y), read_unit(units[0].strip(), path.name) if units else None


def _channels(fields: Mapping[str, str]) -> tuple[Channel, ...]:
    """Return the bands by their names or wavelengths, if each has one."""
    unit = fields.get("wavelengthunits", "")
    unit = "" if fold_key(unit) in ("unknown", "index") else unit
    names = _items(fields.get("bandnames", ""))
    names = names or [f"{word} {unit}".strip() for word in _items(fields.get("wavelength", ""))]
    count = fields.get("bands", "1")
    return tuple(map(Channel, names)) if 1 < len(names) == int(count) else ()


def _items(value: str) -> list[str]:
    return [item.strip() for item in value.strip("{} ").split(",") if item.strip()]
