"""MetaImage: a header in text, beside its samples (``.mhd``) or before them (``.mha``).

https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from napari_ferry.codecs.binary.headers.foreign_header import (
    AT_END,
    Dimension,
    Header,
    fold_key,
    named_file,
    read_counts,
    read_head,
    read_offset,
    refuse,
)
from napari_ferry.codecs.binary.headers.sample_types import parse_type
from napari_ferry.files.links import base_name
from napari_ferry.image import Axis
from napari_ferry.image.axes import COLOR_SAMPLES, read_unit
from napari_ferry.units import is_step

SUFFIXES = (".mhd", ".mha")

_LAST_KEY = "elementdatafile"
_TRUE = ("true", "t", "1", "yes")
_RAW_CURE = "convert it to uncompressed samples in one file"
_AXES = "xyzt"


def read(path: Path, data: Path | None = None) -> Header | None:
    """Read a MetaImage header; ``None`` if the file is of another format.

    Parameters
    ----------
    path : Path
        The header.
    data : Path, optional
        The file that it must describe.

    Raises
    ------
    UnreadableFileError
        The header is damaged, names a missing file, or describes other than raw samples.
    """
    fields, end = _parse(read_head(path))
    if fields is None:
        return None
    name = fields[_LAST_KEY]
    if data is not None and (name.upper() == "LOCAL" or base_name(name) != data.name):
        return None
    _refuse_unsupported(path, fields, name)

    is_local = name.upper() == "LOCAL"
    data = path if is_local else named_file(path, name)
    offset = read_offset(fields.get("headersize", "0"), path, "HeaderSize", end_allowed=True)
    if is_local and offset != AT_END:
        offset = end
    word = re.sub(r"^MET_|_ARRAY$", "", fields.get("elementtype", "").upper())
    dtype = parse_type(word)
    if dtype is None:
        refuse(path, f"gives the ElementType {word[:40]!r}", "expected a number, as MET_USHORT")
    is_big = _flag(fields, "elementbyteordermsb", "binarydatabyteordermsb")

    return Header(
        path=path,
        data=data,
        program="MetaImage",
        dtype=dtype.newbyteorder(">" if is_big else "<"),
        dimensions=_dimensions(path, fields, dtype.itemsize),
        offset=offset,
        encoding="zlib" if _flag(fields, "compresseddata") else "",
        metadata={"MetaImage": fields},
    )


def _parse(head: bytes) -> tuple[dict[str, str] | None, int]:
    """Return the fields up to the name of the file of the samples, and the byte after them."""
    fields: dict[str, str] = {}
    end = 0
    for line in head.splitlines(keepends=True):
        end += len(line)
        key, mark, value = line.decode("latin-1").partition("=")
        if line.strip() and (not mark or not key.strip().isidentifier()):
            return None, 0
        if line.strip():
            fields[fold_key(key)] = value.strip()
        if fold_key(key) == _LAST_KEY:
            return (fields if "dimsize" in fields and value.strip() else None), end
    return None, 0


def _refuse_unsupported(path: Path, fields: Mapping[str, str], name: str) -> None:
    if _flag(fields, "compresseddata") and fields.get("headersize", "0") != "0":
        refuse(path, "skips bytes before compressed samples", _RAW_CURE)
    if not _flag(fields, "binarydata", default="true"):
        refuse(path, "describes samples in text", _RAW_CURE)
    if name.upper().startswith("LIST") or "%" in name:
        refuse(path, "describes samples in several files", _RAW_CURE)


def _flag(fields: Mapping[str, str], *keys: str, default: str = "false") -> bool:
    value = next((fields[key] for key in keys if key in fields), default)
    return value.strip().lower() in _TRUE


def _dimensions(path: Path, fields: Mapping[str, str], itemsize: int) -> tuple[Dimension, ...]:
    """Return the dimensions in the order of the file; a header has the fastest first."""
    sizes = read_counts(fields["dimsize"].split(), path, "DimSize")
    if not 2 <= len(sizes) <= len(_AXES):
        refuse(path, f"describes {len(sizes)} dimensions", "expected 2 to 4")
    unit = read_unit(fields.get("distanceunits", "").strip("?"), path.name)
    steps = _numbers(fields, "elementspacing", "elementsize")
    origin = _numbers(fields, "offset", "position", "origin")

    dimensions = []
    for i, (name, size) in enumerate(zip(_AXES, sizes, strict=False)):
        step = steps[i] if i < len(steps) and is_step(steps[i]) else 1.0
        start = origin[i] if i < len(origin) else 0.0
        dimensions.append(Dimension(Axis(name, step, None if name == "t" else unit, start), size))
    dimensions.reverse()

    count = read_counts([fields.get("elementnumberofchannels", "1")], path, "channels")[0]
    if count > 1:
        is_color = count in COLOR_SAMPLES and itemsize < 4
        dimensions.append(Dimension(Axis("s" if is_color else "c"), count))
    return tuple(dimensions)


def _numbers(fields: Mapping[str, str], *keys: str) -> list[float]:
    """Return the numbers of the first key found in a header; none if they are damaged."""
    words = next((fields[key].split() for key in keys if key in fields), [])
    try:
        return [float(word) for word in words]
    except ValueError:
        return []
