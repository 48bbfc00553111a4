"""Sizes and types of samples in the name of a raw file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.codecs.binary.headers.foreign_header import Dimension, Header
from napari_ferry.codecs.binary.headers.sample_types import parse_order, parse_type
from napari_ferry.image import Axis

SUFFIXES = (".mmap",)

# https://caiman.readthedocs.io/en/latest/File_Formats.html: pixels are in Fortran order, and the
# order in the name refers to the array (pixels, frames)
_CAIMAN = re.compile(
    r"_d1_(?P<y>\d+)_d2_(?P<x>\d+)_d3_(?P<z>\d+)_order_(?P<order>[CF])_frames_(?P<t>\d+)",
    re.IGNORECASE,
)
_PRODUCT = re.compile(r"(?<![0-9.])(\d{1,6})x(\d{1,6})(?:x(\d{1,7}))?(?:x(\d{1,6}))?(?![0-9.])")
_NAMED = re.compile(
    r"(?<![a-z0-9])(?:(width|height|frames|slices|x|y|z|t|w|h|n)[-=_]?(\d{1,7})"
    r"|(\d{1,7})(width|height|frames|fr|w|h|x|y|z|t))(?![a-z0-9])"
)
_NAMES = {"width": "x", "w": "x", "height": "y", "h": "y", "slices": "z"} | {
    "frames": "t", "fr": "t", "n": "t", "x": "x", "y": "y", "z": "z", "t": "t",
}  # fmt: skip
_ORDER = re.compile(r"(?<![a-z])(le|be|little|big|littleendian|bigendian|lsb|msb)(?![a-z])")
_TYPE = re.compile(
    r"(?<![a-z0-9])([<>]?(?:u?int|float|u|i|f|s)(?:8|16|32|64)|(?:8|16|32)-?bits?"
    r"|unsigned-?(?:8|16|32)|ushort|short|uchar|float|double|single)(?![a-z0-9]|\.\d)"
)
_SUFFIX_ORDER = re.compile(r"(?<=\d)(le|be)(?![a-z])")


def read(data: Path) -> Header | None:
    """Read the description in the name of a raw file; ``None`` for other names."""
    return _read_caiman(data) or _read_sizes(data)


def _read_caiman(data: Path) -> Header | None:
    """Read the name of a memory map of CaImAn."""
    match = _CAIMAN.search(data.name)
    if match is None:
        return None
    sizes = {name: int(match[name]) for name in "yxzt"}
    if 0 in sizes.values():
        return None

    order = "tzxy" if match["order"].upper() == "F" else "zxyt"
    return Header(
        path=data,
        data=data,
        program="CaImAn",
        dtype=np.dtype("<f4"),
        dimensions=tuple(
            Dimension(Axis(name), sizes[name]) for name in order if name != "z" or sizes["z"] > 1
        ),
    )


def _read_sizes(data: Path) -> Header | None:
    """Read a name such as ``cells_512x512x100_uint16.raw``; the width is first, frames are last."""
    text = re.sub(r"[_ ,;()\[\]]", "-", data.stem.lower())
    sizes = _sizes(text)
    nbytes = data.stat().st_size
    dtype = None if sizes is None else _type(text, nbytes, sizes)
    if sizes is None or dtype is None:
        return None
    pixels = int(np.prod(list(sizes.values()), dtype=object)) * dtype.itemsize
    if "t" not in sizes and nbytes % pixels == 0 and nbytes:
        sizes["t"] = nbytes // pixels
    header = Header(
        path=data,
        data=data,
        program="file name",
        dtype=dtype,
        dimensions=tuple(
            Dimension(Axis(name), sizes[name])
            for name in "tzyx"
            if name in "yx" or sizes.get(name, 1) > 1
        ),
    )
    # a name is not proof, so one that does not fit is not used
    if header.nbytes != nbytes:
        return None
    shape = " x ".join(map(str, header.description.shape))
    note = f"{data.name} has no header: it is read as {shape} of {dtype.name}, by its name."
    return replace(header, notes=(note,))


def _sizes(text: str) -> dict[str, int] | None:
    """Return the sizes in a name by axis; ``None`` without a width and a height."""
    named = {
        _NAMES[first or last]: int(after or before)
        for first, after, before, last in _NAMED.findall(text)
    }
    product = _PRODUCT.search(text)
    if {"x", "y"} <= set(named):
        return named if all(named.values()) else None
    if product is None:
        return None
    numbers = [int(word) for word in product.groups() if word]

    # numpy has the frames first: so do names whose last two sizes alone are equal
    if len(numbers) == 3 and numbers[1] == numbers[2] != numbers[0]:
        numbers = [*numbers[1:], numbers[0]]
    axes = {2: "xy", 3: "xyt", 4: "xyzt"}[len(numbers)]
    sizes = dict(zip(axes, numbers, strict=True)) | {k: n for k, n in named.items() if k in "zt"}
    return sizes if all(sizes.values()) else None


def _type(text: str, nbytes: int, sizes: Mapping[str, int]) -> np.dtype[Any] | None:
    """Return the type in a name; without one, uint8 for a file with one byte for each pixel."""
    text = _SUFFIX_ORDER.sub(r"-\1", text)
    match = _TYPE.search(text)
    if match is None:
        pixels = int(np.prod(list(sizes.values()), dtype=object))
        return np.dtype("u1") if "t" in sizes and nbytes == pixels else None
    dtype = parse_type(match[1])
    order = _ORDER.search(text)
    mark = parse_order(order[1]) if order else None
    return dtype if dtype is None or mark is None else dtype.newbyteorder(mark)  # type: ignore[arg-type]
