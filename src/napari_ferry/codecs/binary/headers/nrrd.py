"""NRRD: a header in text, beside its samples (``.nhdr``) or before them (``.nrrd``).

https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.codecs.binary.headers.foreign_header import (
    Dimension,
    Header,
    fold_key,
    named_file,
    read_counts,
    read_head,
    read_offset,
    refuse,
)
from napari_ferry.codecs.binary.headers.sample_types import parse_order, parse_type
from napari_ferry.files.links import base_name
from napari_ferry.image import Axis
from napari_ferry.image.axes import read_unit
from napari_ferry.units import is_step

SUFFIXES = (".nhdr", ".nrrd")
MAGIC = b"NRRD000"

_ENCODINGS = {"raw": "", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
"""Word for an encoding -> compression of the samples."""

_RAW_CURE = "convert it to raw encoding in one file"
_LABELS = {"x": "x", "y": "y", "z": "z", "t": "t", "time": "t", "c": "c", "channel": "c"}
_COLORS = {"rgbcolor": 3, "rgbacolor": 4}
_SPATIAL = ("", "?", "???", "domain", "space", "none")


def read(path: Path, data: Path | None = None) -> Header | None:
    """Read an NRRD header; ``None`` if the file is of another format.

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
    head = read_head(path)
    if not head.startswith(MAGIC):
        return None
    fields, end = parse(head)
    name = fields.get("datafile", "")
    if data is not None and base_name(name) != data.name:
        return None
    encoding = _read_encoding(path, fields, name)

    dtype = sample_type(fields)
    if dtype is None:
        refuse(path, f"gives the type {fields.get('type', '')[:40]!r}", "expected a number")
    offset = read_offset(fields.get("byteskip", "0"), path, "byte skip", end_allowed=True)
    if not name and offset >= 0:
        offset += end
    return Header(
        path=path,
        data=named_file(path, name) if name else path,
        program="NRRD",
        dtype=dtype,
        dimensions=_dimensions(path, fields),
        offset=offset,
        encoding=encoding,
        metadata={"NRRD": fields},
    )


def parse(head: bytes) -> tuple[dict[str, str], int]:
    """Return the fields of a header, and the byte after it."""
    blank = re.search(rb"\r?\n\r?\n", head)
    end = blank.end() if blank else len(head)
    found = re.findall(r"(?m)^([^#:\n]+):[ =]*(.*?)\r?$", head[:end].decode("latin-1"))
    return {fold_key(key): value.strip() for key, value in found}, end


def sample_type(fields: Mapping[str, str]) -> np.dtype[Any] | None:
    """Return the type of the samples; ``None`` for other than numbers."""
    word = re.sub(r"_t$", "", fields.get("type", "").lower())
    dtype = None if word == "block" else parse_type(word)
    order = parse_order(fields.get("endian", "little")) or "<"
    return None if dtype is None else dtype.newbyteorder(order)  # type: ignore[arg-type]


def _read_encoding(path: Path, fields: Mapping[str, str], name: str) -> str:
    """Return the compression of the samples, empty for none.

    Raises
    ------
    UnreadableFileError
        The samples are in another encoding, in several files, or after other data.
    """
    encoding = fields.get("encoding", "raw").lower()
    if encoding not in _ENCODINGS:
        refuse(path, f"describes samples in the encoding {encoding[:20]!r}", _RAW_CURE)
    if name.upper().startswith("LIST") or "%" in name:
        refuse(path, "describes samples in several files", _RAW_CURE)
    if fields.get("lineskip", "0") != "0":
        refuse(path, "skips lines of text before the samples", _RAW_CURE)
    if _ENCODINGS[encoding] and fields.get("byteskip", "0") != "0":
        refuse(path, "skips bytes before compressed samples", _RAW_CURE)
    return _ENCODINGS[encoding]


def _dimensions(path: Path, fields: Mapping[str, str]) -> tuple[Dimension, ...]:
    """Return the dimensions in the order of the file; a header has the fastest first."""
    sizes = read_counts(fields.get("sizes", "").split(), path, "sizes")
    names = _axis_names(fields, sizes)
    if names is None:
        refuse(path, f"describes {len(sizes)} dimensions", "expected x, y and up to z, t and c")
    axes = _calibrated(path, fields, names)
    return tuple(Dimension(axis, size) for axis, size in zip(axes, sizes, strict=True))[::-1]


def _axis_names(fields: Mapping[str, str], sizes: Sequence[int]) -> list[str] | None:
    """Return the name of each axis, from its label or its kind; ``None`` if one is unknown."""
    labels = re.findall(r'"([^"]*)"', fields.get("labels", ""))
    kinds = [fold_key(kind) for kind in fields.get("kinds", "").split()]
    names = [
        _name_of(labels[i] if i < len(labels) else "", kinds[i] if i < len(kinds) else "", size)
        for i, size in enumerate(sizes)
    ]
    free = iter(name for name in "xyzt" if name not in names)
    named = [name or next(free, "") for name in names]
    is_image = {"x", "y"} <= set(named) and "" not in named
    return named if is_image and len(set(named)) == len(named) else None


def _name_of(label: str, kind: str, size: int) -> str:
    """Return the name of an axis; empty for the next spatial one."""
    if _COLORS.get(kind) == size:
        return "s"
    if kind == "time":
        return "t"
    if kind not in _SPATIAL:
        return "c"
    return _LABELS.get(label.strip().lower(), "")


def _calibrated(path: Path, fields: Mapping[str, str], names: Sequence[str]) -> list[Axis]:
    """Return the axes with their steps, units and origins."""
    vectors = re.findall(r"none|\([^)]*\)", fields.get("spacedirections", "").lower())
    spacings, units = fields.get("spacings", "").split(), _quoted(fields, "units")
    space_units, mins = _quoted(fields, "spaceunits"), fields.get("axismins", "").split()
    origin = _vector(fields.get("spaceorigin", ""))

    axes = []
    for i, name in enumerate(names):
        step, start, unit = _at(spacings, i), _at(mins, i), units[i] if i < len(units) else ""
        vector = _vector(vectors[i]) if i < len(vectors) else []
        if vector:
            along = int(np.argmax(np.abs(vector)))
            step = math.hypot(*vector)
            start = origin[along] if along < len(origin) else 0.0
            unit = space_units[along] if along < len(space_units) else unit
        is_known = is_step(step)
        axes.append(
            Axis(
                name,
                step if is_known else 1.0,
                read_unit(unit, f"{path.name}: axis {name}") if is_known else None,
                start if math.isfinite(start) else 0.0,
            )
        )
    return axes


def _quoted(fields: Mapping[str, str], key: str) -> list[str]:
    text = fields.get(key, "")
    return re.findall(r'"([^"]*)"', text) if '"' in text else text.split()


def _at(words: Sequence[str], i: int) -> float:
    """Return one of some numbers in words; NaN for none."""
    try:
        return float(words[i])
    except (IndexError, ValueError):
        return math.nan


def _vector(text: str) -> list[float]:
    """Return the numbers of a vector; none if it is damaged."""
    try:
        return [float(word) for word in re.split(r"[,\s]+", text.strip("() ")) if word]
    except ValueError:
        return []
