"""Ripple: a header ``.rpl`` with one key and value per line, beside the samples of a cube.

The format of Lispix (https://www.nist.gov/lispix/doc/image-file-formats/raw-file-format.htm), as
HyperSpy extends it by scales and units.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from napari_ferry.codecs.binary.headers.foreign_header import (
    Dimension,
    Header,
    fold_key,
    read_counts,
    read_head,
    read_offset,
    refuse,
)
from napari_ferry.codecs.binary.headers.sample_types import parse_order, parse_type
from napari_ferry.image import Axis
from napari_ferry.image.axes import read_unit
from napari_ferry.units import METERS, SECONDS, is_step

SUFFIXES = (".rpl",)
DATA_SUFFIXES = (".raw", ".bin", ".dat")

_ORDERS = {"image": "dyx", "vector": "yxd", "dontcare": "dyx"}
_NAMES = {"x": "width", "y": "height", "d": "depth"}


def read(path: Path, data: Path | None = None) -> Header | None:
    """Read a Ripple header; ``None`` if the file is of another format.

    Parameters
    ----------
    path : Path
        The header.
    data : Path, optional
        The file of the samples; by default the one of the same name.

    Raises
    ------
    UnreadableFileError
        The header is damaged, or the file of the samples is missing.
    """
    fields = _parse(read_head(path).decode("latin-1"))
    if not {"width", "height", "datalength"} <= set(fields):
        return None
    kind, length = fields.get("datatype", "unsigned").lower(), fields["datalength"]
    dtype = parse_type(f"{kind}{8 * int(length)}") if length in ("1", "2", "4", "8") else None
    if dtype is None:
        refuse(path, f"describes {kind[:20]} samples of {length[:20]} bytes", "correct it")
    record = fold_key(fields.get("recordby", "image").replace("'", ""))
    if record not in _ORDERS:
        refuse(path, f"is recorded by {record[:20]!r}", "expected image, vector or dont-care")

    order = parse_order(fields.get("byteorder", "")) or "<"
    return Header(
        path=path,
        data=data or _data_beside(path),
        program="Ripple",
        dtype=dtype.newbyteorder(order),  # type: ignore[arg-type]
        dimensions=_dimensions(path, fields, _ORDERS[record]),
        offset=read_offset(fields.get("offset", "0"), path, "offset"),
        metadata={"Ripple": fields},
    )


def _parse(text: str) -> dict[str, str]:
    """Return the fields; keys and values are separated by a tab, or by other space."""
    lines = (line.split(";")[0].split(None, 1) for line in text.splitlines())
    return {fold_key(line[0]): line[1].strip() for line in lines if len(line) == 2}


def _data_beside(path: Path) -> Path:
    """Return the file of the samples.

    Raises
    ------
    UnreadableFileError
        It does not exist.
    """
    suffixes = (*DATA_SUFFIXES, *(suffix.upper() for suffix in DATA_SUFFIXES))
    candidates = [path.with_suffix(suffix) for suffix in suffixes]
    found = next((data for data in candidates if data.is_file()), None)
    if found is None:
        refuse(path, f"describes {candidates[0].name}, which is not there", "put it beside it")
    return found


def _dimensions(path: Path, fields: Mapping[str, str], order: str) -> tuple[Dimension, ...]:
    """Return the dimensions in the order of the file; a depth of one is none."""
    words = [fields["width"], fields["height"], fields.get("depth", "1")]
    sizes = dict(zip("xyd", read_counts(words, path, "width, height and depth"), strict=True))
    return tuple(
        Dimension(_axis(path, fields, name), sizes[name])
        for name in order
        if name != "d" or sizes["d"] > 1
    )


def _axis(path: Path, fields: Mapping[str, str], name: str) -> Axis:
    """Return an axis with its scale; depth is time or height by its unit, else channels."""
    key = _NAMES[name]
    unit = read_unit(fields.get(f"{key}units", "").strip("'\""), f"{path.name}: {key}")
    if name == "d":
        is_stack = fields.get("recordby", "image").lower() != "vector"
        name = "t" if unit in SECONDS else "z" if unit in METERS or is_stack else "c"
    if name == "c":
        return Axis(name)

    step, start = _number(fields, f"{key}scale"), _number(fields, f"{key}origin")
    if step is None or not is_step(step):
        return Axis(name)
    return Axis(name, step, unit, start or 0.0)


def _number(fields: Mapping[str, str], key: str) -> float | None:
    try:
        return float(fields[key])
    except (KeyError, ValueError):
        return None
