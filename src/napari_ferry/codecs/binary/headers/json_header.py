"""JSON of other programs beside a raw file, with a width and a height."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.arguments import is_count, is_finite
from napari_ferry.codecs.binary.headers.foreign_header import (
    HEADER_BYTES,
    Dimension,
    Header,
    fold_key,
    refuse,
)
from napari_ferry.codecs.binary.headers.sample_types import (
    parse_order,
    parse_type,
    type_of_bits,
)
from napari_ferry.files.json_files import load_json
from napari_ferry.image import Axis
from napari_ferry.image.axes import COLOR_SAMPLES, read_unit
from napari_ferry.units import is_step

_SIZES = {
    "x": (
        *("width", "imagewidth", "framewidth", "roiwidth", "sensorwidth", "w", "nx", "sizex"),
        *("xsize", "columns", "cols", "ncols", "xpixels", "pixelsx", "npixelsx"),
    ),
    "y": (
        *("height", "imageheight", "frameheight", "roiheight", "sensorheight", "h", "ny", "sizey"),
        *("ysize", "rows", "nrows", "lines", "ypixels", "pixelsy", "npixelsy"),
    ),
    "c": ("channels", "nchannels", "numchannels", "channelcount", "sizec", "nc", "bands"),
    "z": (
        *("slices", "nslices", "numslices", "zslices", "depth", "sizez", "nz", "planes"),
        *("nplanes", "zplanes"),
    ),
    "t": (
        *("frames", "nframes", "numframes", "numberofframes", "framecount", "totalframes", "sizet"),
        *("nt", "timepoints", "ntimepoints", "numtimepoints", "images", "numimages"),
    ),
}
_TYPE = (
    *("dtype", "datatype", "pixeltype", "pixelformat", "sampletype", "sampleformat", "numbertype"),
    *("type", "format"),
)
_BITS = ("bits", "bitdepth", "bitsperpixel", "bitspersample", "bpp")
_BYTES = ("bytesperpixel", "bytespersample", "itemsize")
_ORDER = ("byteorder", "endian", "endianness")
_OFFSET = ("offset", "headersize", "headerbytes", "headeroffset", "headerlength", "byteoffset")
_PIXEL = ("pixelsize", "umperpixel", "micronsperpixel", "pixelspacing", "spacing", "resolution")
_PIXEL_OF = {
    "x": ("pixelsizex", "pixelwidth", "xscale", "scalex", "dx", "physicalsizex", "xpixelsize"),
    "y": ("pixelsizey", "pixelheight", "yscale", "scaley", "dy", "physicalsizey", "ypixelsize"),
    "z": ("pixelsizez", "zstep", "zspacing", "zscale", "scalez", "dz", "physicalsizez"),
}
_UNIT = ("unit", "units", "pixelunit", "pixelsizeunit", "lengthunit", "spaceunit", "spatialunit")
_RATE = ("fps", "framerate", "framespersecond", "acquisitionrate", "rate")
_INTERVAL = ("frameinterval", "interval", "timeinterval", "timestep", "dt", "frametime")
_SUFFIXES = {"um": "micrometer", "µm": "micrometer", "microns": "micrometer", "nm": "nanometer"} | {
    "mm": "millimeter", "ms": "millisecond", "s": "second", "sec": "second", "hz": "",
}  # fmt: skip
_PACKED = ("packed", "mono12p", "mono10p", "yuv", "bayer", "jpeg", "h264")
_COLOR_WORDS = {"rgb": 3, "bgr": 3, "rgba": 4, "bgra": 4}


def read(path: Path, data: Path | None = None) -> Header | None:
    """Read JSON with a width and a height; ``None`` for other JSON.

    Parameters
    ----------
    path : Path
        The JSON file.
    data : Path, optional
        The file of the samples; ``None`` if there is none beside the JSON.

    Raises
    ------
    UnreadableFileError
        The samples are packed or compressed, or their type cannot be found.
    """
    fields = _load(path)
    sizes = {name: _size(fields, keys) for name, keys in _SIZES.items()}
    if data is None or not (sizes["x"] and sizes["y"]):
        return None

    word = _type_word(path, fields)
    if _is_bit_depth(fields, word):
        sizes["z"] = 0
    offset = next((fields[key] for key in _OFFSET if is_count(fields.get(key))), 0)
    room = data.stat().st_size - offset
    channels = sizes["c"] or _colors_of(word) or 1
    dtype, assumed = _type(path, fields, word, room, math.prod(n or 1 for n in sizes.values()))

    frame = sizes["x"] * sizes["y"] * channels * (sizes["z"] or 1) * dtype.itemsize
    frames = sizes["t"] or max(1, room // frame)
    counts = {"t": frames, "z": sizes["z"] or 1, "c": channels, "y": sizes["y"], "x": sizes["x"]}
    order, stored = _order(fields, channels)
    return Header(
        path=path,
        data=data,
        program="JSON",
        dtype=dtype,
        dimensions=tuple(
            Dimension(_axis(path, fields, name), counts[name.replace("s", "c")])
            for name in order
            if name in "tyxs" or counts[name] > 1
        ),
        offset=offset,
        metadata={"JSON": fields},
        notes=tuple(f"{path.name} {note}." for note in (assumed, stored) if note),
    )


def _load(path: Path) -> dict[str, Any]:
    """Return the fields by folded keys, groups included; none if it is not JSON."""
    try:
        record = load_json(path, max_bytes=HEADER_BYTES)
    except (OSError, ValueError):
        return {}
    if not isinstance(record, Mapping):
        return {}
    groups = [value for value in record.values() if isinstance(value, Mapping)]
    return {
        fold_key(str(key)): value for group in (*groups, record) for key, value in group.items()
    }


def _size(fields: Mapping[str, Any], keys: tuple[str, ...]) -> int:
    """Return the first size under some keys; 0 for none."""
    found = (fields.get(key) for key in keys)
    return next((int(value) for value in map(_whole, found) if is_count(value, 1)), 0)


def _whole(value: object) -> object:
    """Return a whole number in a string or a float as an integer, other values unchanged."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 16:
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _type_word(path: Path, fields: Mapping[str, Any]) -> str:
    """Return the first known word for a type; empty for none.

    Raises
    ------
    UnreadableFileError
        The samples are packed or compressed.
    """
    words = [fields[key] for key in _TYPE if isinstance(fields.get(key), str)]
    packed = next((w for w in words if any(part in w.lower() for part in _PACKED)), None)
    if packed is not None:
        refuse(path, f"describes samples of {packed[:40]!r}", "convert them to whole samples")
    return next((word for word in words if parse_type(word) or _colored_type(word)), "")


def _is_bit_depth(fields: Mapping[str, Any], word: str) -> bool:
    """Return True if the depth is the number of bits of a sample, not the number of planes."""
    depth, dtype = _size(fields, ("depth",)), parse_type(word)
    if any(fields.get(key) for key in _SIZES["z"] if key != "depth"):
        return False
    return depth == 8 * dtype.itemsize if dtype else depth in (8, 16, 32)


def _type(
    path: Path, fields: Mapping[str, Any], word: str, room: int, count: int
) -> tuple[np.dtype[Any], str]:
    """Return the type of the samples: by its name, its bits, or the size of the file.

    The second value is the assumption, in words.
    """
    dtype, assumed = parse_type(word) or _colored_type(word), ""
    if dtype is None:
        bits = _size(fields, _BITS) or 8 * _size(fields, _BYTES)
        if not bits and _is_bit_depth(fields, word):
            bits = _size(fields, ("depth",))
        dtype = type_of_bits(bits or (8 * room // count if room % count == 0 else 0))
        if dtype is None:
            refuse(path, "does not name the data type", 'add one, such as "dtype": "uint16"')
        assumed = f"does not name the data type: {dtype.name} is assumed"

    order = next((mark for key in _ORDER if (mark := parse_order(fields.get(key)))), None)
    if fields.get("bigendian") is True or fields.get("littleendian") is False:
        order = ">"
    if order is not None:
        dtype = dtype.newbyteorder(order)  # type: ignore[arg-type]
    return dtype, assumed


def _colors_of(word: str) -> int:
    """Return the samples of a pixel of a color format; 0 for others."""
    letters = "".join(char for char in word.lower() if char.isalpha())
    return _COLOR_WORDS.get(letters, 0)


def _colored_type(word: str) -> np.dtype[Any] | None:
    """Return the type of a color format, as ``RGB24`` and ``RGB8``."""
    digits = int("".join(filter(str.isdigit, word))[:3] or 8)
    colors = _colors_of(word)
    return type_of_bits(digits // colors if digits > 16 else digits) if colors else None


def _order(fields: Mapping[str, Any], channels: int) -> tuple[str, str]:
    """Return the axes in the order of the file, and the assumption in words, if any."""
    if channels < 2:
        return "tzcyx", ""
    words = [str(fields.get(key, "")).lower() for key in ("interleaved", "interleave", "planar")]
    is_planar = words[0] == "false" or words[1] in ("planar", "bsq", "false") or words[2] == "true"
    is_adjacent = words[0] == "true" or words[1] in ("bip", "pixel", "true") or words[2] == "false"
    assumed = ""
    if not (is_planar or is_adjacent):
        is_adjacent = channels in COLOR_SAMPLES
        assumed = f"does not say how its {channels} channels are stored: they are read " + (
            "pixel by pixel" if is_adjacent else "plane by plane"
        )
    if not is_adjacent:
        return "tzcyx", assumed
    return ("tzyxs" if channels in COLOR_SAMPLES else "tzyxc"), assumed


def _axis(path: Path, fields: Mapping[str, Any], name: str) -> Axis:
    """Return an axis with its scale and unit."""
    if name == "t":
        rate, _ = _measure(fields, _RATE)
        step, unit = _measure(fields, _INTERVAL)
        step, unit = (1 / rate, "second") if rate else (step, unit or "second")
    elif name in "zyx":
        step, unit = _measure(fields, _PIXEL_OF[name])
        if not step and name != "z":
            step, unit = _measure(fields, _PIXEL)
        words = (fields.get(key) for key in _UNIT)
        unit = unit or next((word for word in words if isinstance(word, str)), "")
    else:
        return Axis(name)
    return Axis(name, step, read_unit(unit, path.name)) if is_step(step) else Axis(name)


def _measure(fields: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[float, str]:
    """Return the number under some keys with or without a unit at their end, and the unit."""
    for key in keys:
        for suffix, unit in ({"": ""} | _SUFFIXES).items():
            value = fields.get(key + suffix)
            if is_finite(value) and value > 0:
                return float(value), "micrometer" if "um" in key or "micron" in key else unit
    return 0.0, ""
