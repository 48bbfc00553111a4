r"""Image <-> the metadata of an ImageJ hyperstack, as tifffile hands them over and takes them.

ImageJ describes a stack by lines ``key=value`` in the first ImageDescription and by the private
tags IJMetadata (FileInfo and TiffEncoder of https://github.com/imagej/ImageJ are the
specification). Planes are stored in the order t z c. What ImageJ has no place for rides as one
line ``napari-ferry: {...}`` in its Info text, see `description`.
"""

from __future__ import annotations

import base64
import json
import math
import re
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from napari_ferry.description import KEY, Description, describe, parse_description, to_json
from napari_ferry.errors import FerryWarning, UnreadableFileError
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.units import (
    SECONDS,
    from_imagej,
    is_step,
    normalize,
    read_step,
    same_step,
    warn_uncalibrated,
)
from napari_ferry.units import to_imagej as unit_to_imagej

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

MAX_PLANES = 2**24
"""More planes than this are taken for a damaged description."""

ASSUMED_TIME = "the first axis is taken for time: the file does not say what it is"

_DTYPES = ("uint8", "uint16", "float32")
_RECORD_LINE = re.compile(rf"(?:^|\n){KEY}: (\{{.*\}})(?:\n|$)")
_COUNTS = {"t": "frames", "z": "slices", "c": "channels"}
_PIXELS = ("", "pixel", "pixels", "px", "pix")
_MAX_LABELS = 10_000
_LABEL_LENGTH = 40

# Steps whose inverse a rational of two 32-bit numbers holds to one part in a million.
_RATIONAL_STEPS = (1e-9, 1e9)

# What is said by other fields of the description, or again when saving.
_PARSED = frozenset(
    (
        *("ImageJ", "images", "channels", "slices", "frames", "hyperstack", "axes"),
        *("spacing", "finterval", "min", "max", "Ranges", "LUTs", "Info"),
    )
)


class ImageJTags(NamedTuple):
    """What ``tifffile.imwrite(..., imagej=True)`` needs to describe an image.

    Parameters
    ----------
    resolution : tuple of float, optional
        Pixels per unit along (x, y); ``None`` when uncalibrated.
    metadata : dict
        Its parameter of that name.
    shape6 : tuple of int
        Lengths of the axes t z c y x s.
    order : tuple of int
        Permutation of the image's leading axes into the order t z c.
    """

    resolution: tuple[float, float] | None
    metadata: dict[str, Any]
    shape6: tuple[int, ...]
    order: tuple[int, ...]


# --- writing


def why_not(image: Image) -> str | None:
    """Return why an ImageJ hyperstack cannot hold this image, in words; ``None`` when it can."""
    names = image.axis_names
    if image.dtype.name not in _DTYPES:
        return f"an ImageJ hyperstack holds {', '.join(_DTYPES)}, not {image.dtype.name}"
    if not set(names) <= set("tzcyxs"):
        strange = ", ".join(name for name in names if name not in "tzcyxs")
        return f"an ImageJ hyperstack has the axes t z c y x s, not {strange}"
    if (names[-3:] if "s" in names else names[-2:]) not in (("y", "x"), ("y", "x", "s")):
        return f"an ImageJ hyperstack has y and x (and s) last, not {' '.join(names)}"
    if "s" in names and (image.dtype.name != "uint8" or image.size("s") != 3):
        return (
            f"an ImageJ hyperstack holds colours of 3 samples of uint8, not "
            f"{image.size('s')} of {image.dtype.name}"
        )
    return "an ImageJ hyperstack cannot be empty" if 0 in image.shape else None


def to_imagej(image: Image) -> ImageJTags:
    """Describe an image that `why_not` has nothing against, for tifffile."""
    lead = [name for name in image.axis_names if name in ("t", "z", "c")]
    resolution, calibration = _write_calibration(image.axes)
    colored = "color" if image.is_rgb or _luts(image.channels, image.display) else "grayscale"
    metadata = {
        "axes": "TZCYXS",
        "mode": "composite" if image.size("c") > 1 else colored,
        **calibration,
        **({} if image.is_rgb else _write_look(image.channels, image.display, image.dtype.name)),
        **_write_private(image.metadata),
        **_write_labels(image, is_stored_order=lead == sorted(lead, key="tzc".index)),
    }
    info = metadata.get("Info", "")
    line = f"{KEY}: {json.dumps(describe(image))}\n"
    metadata["Info"] = f"{info}\n{line}" if info else line
    order = tuple(lead.index(name) for name in "tzc" if name in lead)
    return ImageJTags(resolution, metadata, tuple(map(image.size, "tzcyxs")), order)


def _write_calibration(
    axes: Sequence[Axis],
) -> tuple[tuple[float, float] | None, dict[str, Any]]:
    """Return the resolution (x, y), and the keys of the description that calibrate the axes."""
    said = {axis.name: axis for axis in _writable(axes)}
    y, x, z, t = (said.get(name, Axis(name)) for name in "yxzt")
    found: dict[str, Any] = {}
    if x.unit:
        found["unit"] = unit_to_imagej(x.unit)
    if y.unit != x.unit:
        found["yunit"] = unit_to_imagej(y.unit)
    if z.unit:
        found |= {"spacing": float(z.scale)}
        found |= {"zunit": unit_to_imagej(z.unit)} if z.unit != x.unit else {}
    if t.unit:
        seconds = t.scale * SECONDS[t.unit]
        found |= {"finterval": seconds, "fps": 1 / seconds}
    return (1 / x.scale, 1 / y.scale) if x.unit else None, found


def _writable(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """Return the axes as ImageJ can hold them: uncalibrated where it cannot."""
    said = {axis.name: _writable_axis(axis) for axis in axes}
    # one resolution cannot be left out alone
    is_plane = all(said[name].unit for name in "yx" if name in said)
    return tuple(
        Axis(name) if name in "yx" and not is_plane else axis for name, axis in said.items()
    )


def _writable_axis(axis: Axis) -> Axis:
    unit = normalize(axis.unit)
    low, high = _RATIONAL_STEPS if axis.name in ("y", "x") else (0.0, math.inf)
    holds = axis.name in ("y", "x", "z") or (axis.name == "t" and unit in SECONDS)
    sound = is_step(axis.scale) and low <= axis.scale <= high
    return Axis(axis.name, axis.scale, unit) if unit and holds and sound else Axis(axis.name)


def _write_look(
    channels: Sequence[Channel], display: Mapping[str, Any] | None, dtype: str
) -> dict[str, Any]:
    """Return display ranges and colour tables; all of them or none, as none can be left out."""
    look: dict[str, Any] = {}
    limits, luts = _limits(channels, dtype), _luts(channels, display)
    if limits:
        look["Ranges"] = tuple(value for pair in limits for value in pair)
    if len(limits) == 1:
        look["min"], look["max"] = limits[0]
    return look | ({"LUTs": luts} if luts else {})


def _limits(channels: Sequence[Channel], dtype: str) -> list[tuple[float, float]]:
    """Return the contrast limits of all channels, unknown ones as the range of integers."""
    known = [channel.contrast_limits for channel in channels]
    whole = None if dtype == "float32" else (0.0, 2.0 ** (8 * np.dtype(dtype).itemsize) - 1)
    limits = [pair or whole for pair in known]
    complete = [(float(pair[0]), float(pair[1])) for pair in limits if pair]
    return complete if any(known) and len(complete) == len(limits) else []


def _luts(
    channels: Sequence[Channel], display: Mapping[str, Any] | None
) -> list[NDArray[np.uint8]]:
    """Return one table, axes (rgb, 256), for each channel; none where no colour is known."""
    shown = (display or {}).get("channels")
    shown = list(shown)[: len(channels)] if isinstance(shown, list | tuple) else []
    shown += [None] * (len(channels) - len(shown))
    luts = [_lut(channel, each) for channel, each in zip(channels, shown, strict=True)]
    known = any(lut is not None for lut in luts)
    return [_ramp("#ffffff") if lut is None else lut for lut in luts] if known else []


def _lut(channel: Channel, shown: object) -> NDArray[np.uint8] | None:
    """Return the table of a channel, from its colour or else from its colormap."""
    if re.fullmatch("#[0-9a-fA-F]{6}", channel.color or ""):
        return _ramp(channel.color or "")
    colormap = shown.get("colormap") if isinstance(shown, dict) else None
    colors = colormap.get("colors") if isinstance(colormap, dict) else None
    try:
        table = np.asarray(colors, np.float64)[:, :3]
    except (TypeError, ValueError, IndexError):  # no colours, or not (n, 3 or 4) numbers
        return None
    if table.shape[1] != 3 or not np.isfinite(table).all():
        return None
    at = np.linspace(0, len(table) - 1, 256)
    rows = [np.interp(at, np.arange(len(table)), column) for column in table.T]
    lut: NDArray[np.uint8] = (np.clip(rows, 0, 1) * 255).round().astype(np.uint8)
    return lut


def _ramp(color: str) -> NDArray[np.uint8]:
    """Return the table from black to a colour ``#rrggbb``, axes (rgb, 256)."""
    rgb = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return (np.outer(rgb, np.arange(256)) / 255).round().astype(np.uint8)


def _write_private(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `parse_imagej` keeps of ImageJ's private tags, as tifffile takes it."""
    info, properties = metadata.get("Info"), metadata.get("Properties")
    found: dict[str, Any] = {"Info": _encodable(info)} if isinstance(info, str) else {}
    if isinstance(properties, dict) and properties:
        found["Properties"] = {
            _encodable(str(key)): _encodable(str(value)) for key, value in properties.items()
        }
    for key in ("ROI", "Overlays"):
        value = metadata.get(key)
        blobs = [_decode(blob) for blob in (value if isinstance(value, list) else [value])]
        if blobs and all(blobs):
            found[key] = blobs
    return found


def _write_labels(image: Image, *, is_stored_order: bool) -> dict[str, list[str]]:
    """Return a label for each stored plane: its own, or the name of its channel."""
    t, z, c = map(image.size, "tzc")
    labels = image.metadata.get("Labels")
    if not isinstance(labels, list) or len(labels) != t * z * c or not is_stored_order:
        labels = [channel.name or "" for channel in image.channels] * (t * z)
    short = [_encodable(str(label))[:_LABEL_LENGTH] for label in labels[: _MAX_LABELS + 1]]
    return {"Labels": short} if any(short) and len(short) <= _MAX_LABELS else {}


def _encodable(text: str) -> str:
    """Return text without the lone surrogates that UTF-16 cannot hold."""
    return text.encode("utf-16-le", "replace").decode("utf-16-le")


def _decode(text: object) -> bytes | None:
    """Return the bytes that a base64 text stands for, if it is one."""
    try:
        blob = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except ValueError:  # not ASCII, or not base64
        return None
    return blob if blob and base64.b64encode(blob).decode("ascii") == text else None


# --- reading


def parse_imagej(
    metadata: Mapping[str, Any],
    resolution: tuple[float, float] | None,
    shape_yx: tuple[int, int],
    dtype: str,
    samples: int,
    nframes: int | None,
) -> Description:
    """Return what the metadata of an ImageJ TIFF say about its image.

    The axes are those that the file names, in the order t z c y x s that it stores them in. Where
    our own record is there and fits, it says more, another order of the axes, too; a calibration,
    colour or display range that another program has changed since is kept.

    Parameters
    ----------
    metadata : mapping
        ``tifffile.TiffFile.imagej_metadata``.
    resolution : tuple of float, optional
        Pixels per unit along (x, y).
    shape_yx : tuple of int
        Pixels of one plane along (y, x).
    dtype : str
        Name of the data type of one sample.
    samples : int
        Samples of a pixel: 1, or 3 for colours.
    nframes : int, optional
        Planes that the file has, where they were counted.

    Raises
    ------
    UnreadableFileError
        More planes than any file has.

    Warns
    -----
    FerryWarning
        A calibration that is impossible, or sizes that contradict each other.
    """
    sizes, assumed = _parse_sizes(metadata, nframes)
    axes = [_parse_axis(name, metadata, resolution) for name in (*sizes, "y", "x")]
    n_channels = sizes.get("c", 1)
    channels, display = _parse_look(metadata, n_channels) if samples == 1 else ((), {})
    info, record = _split_info(metadata.get("Info"))
    other = {"Info": info, **({"assumed": ASSUMED_TIME} if assumed else {})}
    other |= {k: _plain(v) for k, v in metadata.items() if not _is_parsed(k, v)}
    header = Description(
        (*sizes.values(), *shape_yx, *((samples,) if samples > 1 else ())),
        (*axes, *((Axis("s"),) if samples > 1 else ())),
        dtype,
        channels,
        display=display,
        metadata={key: value for key, value in other.items() if value not in ("", None)},
    )
    return _join(header, record) if record and _fits(record, header) else header


def _parse_sizes(metadata: Mapping[str, Any], nframes: int | None) -> tuple[dict[str, int], bool]:
    """Return the lengths of the axes t z c that are named, and whether a name was assumed."""
    counts = {name: _count(metadata.get(key)) for name, key in _COUNTS.items()}
    named = {name: count for name, count in counts.items() if count}
    product, images = math.prod(named.values()), _count(metadata.get("images"))
    n = images or nframes or product
    if n > MAX_PLANES:
        raise UnreadableFileError(
            f"The ImageJ header announces {n} planes, and no more than {MAX_PLANES} are possible."
        )
    if n == product:
        return named, False
    if product > 1:
        n = nframes or n
        found = " x ".join(f"{count} {_COUNTS[name]}" for name, count in named.items())
        message = f"The ImageJ header says {found}, and {n} planes: opened as a plain stack."
        warnings.warn(message, FerryWarning, stacklevel=3)
    if n == 1 or "finterval" in metadata or "fps" in metadata:
        return {"t": n} if n > 1 else {}, False
    is_depth = "spacing" in metadata or "slices" in metadata
    return {"z" if is_depth else "t": n}, not is_depth


def has_sound_counts(metadata: Mapping[str, Any]) -> bool:
    """Whether the axes that are named make up all the planes, so that these need no counting."""
    counts = [_count(metadata.get(key)) or 1 for key in _COUNTS.values()]
    return math.prod(counts) == _count(metadata.get("images"))


def _count(value: object) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return value if is_count and isinstance(value, int) else None


def _parse_axis(
    name: str, metadata: Mapping[str, Any], resolution: tuple[float, float] | None
) -> Axis:
    """Return an axis with its calibration, if there is a possible one."""
    key, value = {
        "t": ("finterval", metadata.get("finterval") or None),
        "z": ("spacing", metadata.get("spacing")),
        "y": ("1 / YResolution", resolution and _inverse(resolution[1])),
        "x": ("1 / XResolution", resolution and _inverse(resolution[0])),
    }.get(name, ("", None))
    if value is None:
        return Axis(name)
    text = str(metadata.get(f"{name}unit") or ("sec" if name == "t" else metadata.get("unit", "")))
    unit = from_imagej(text)
    if unit is None and text.strip().lower() not in _PIXELS:
        warn_uncalibrated(f"The unit of {name} is {text[:40]!r}, which is not known")
        return Axis(name)
    # without a unit, a resolution is one of printing, and a time step means nothing
    if unit is None and name != "z":
        return Axis(name)
    step = read_step(value, key)
    return Axis(name, step, unit) if step else Axis(name)


def _inverse(value: float) -> float:
    return 1 / value if value else math.inf


def _parse_look(
    metadata: Mapping[str, Any], n_channels: int
) -> tuple[tuple[Channel, ...], dict[str, Any]]:
    """Return colours and contrast limits of the channels, and colormaps that are no one colour."""
    luts = metadata.get("LUTs", [])
    luts = [luts] if isinstance(luts, np.ndarray) else list(luts)
    if len(luts) != n_channels or any(np.shape(lut) != (3, 256) for lut in luts):
        luts = [None] * n_channels
    colors = [None if lut is None else _ramp_color(lut) for lut in luts]
    channels = tuple(map(Channel, [None] * n_channels, colors, _parse_limits(metadata, n_channels)))
    shown = [
        {} if lut is None or color else {"colormap": _colormap(i, lut)}
        for i, (lut, color) in enumerate(zip(luts, colors, strict=True))
    ]
    unknown = (Channel(),) * n_channels
    return channels if channels != unknown else (), {"channels": shown} if any(shown) else {}


def _parse_limits(metadata: Mapping[str, Any], n_channels: int) -> list[tuple[float, float] | None]:
    flat = list(metadata.get("Ranges", ()))
    if n_channels == 1 and {"min", "max"} <= metadata.keys():
        flat = [metadata["min"], metadata["max"]]
    if len(flat) != 2 * n_channels or not all(isinstance(value, int | float) for value in flat):
        return [None] * n_channels
    pairs = [(float(low), float(high)) for low, high in zip(flat[::2], flat[1::2], strict=True)]
    return [pair if -math.inf < pair[0] < pair[1] < math.inf else None for pair in pairs]


def _ramp_color(lut: NDArray[np.uint8]) -> str | None:
    """Return the colour ``#rrggbb`` that a table goes up to evenly from black, if it does."""
    color = "#" + "".join(f"{value:02x}" for value in lut[:, -1])
    # ImageJ cuts off where we round
    is_even = np.abs(lut.astype(np.int16) - _ramp(color)).max() <= 1
    return color if is_even and color != "#000000" else None


def _colormap(i: int, lut: NDArray[np.uint8]) -> dict[str, Any]:
    colors = [[*(value / 255 for value in rgb), 1.0] for rgb in lut.T.tolist()]
    return {"name": f"imagej {i}", "colors": colors}


def _split_info(info: object) -> tuple[str, Description | None]:
    """Return the Info text without our own line, and our record from it."""
    text = info if isinstance(info, str) else ""
    found = _RECORD_LINE.search(text)
    if found is None:
        return text, None
    rest = "\n".join(part for part in (text[: found.start()], text[found.end() :]) if part)
    try:
        return rest, parse_description(json.loads(found[1]))
    except (ValueError, OverflowError, RecursionError):  # not written by us
        return rest, None


def _is_parsed(key: str, value: object) -> bool:
    """Return whether other fields say this; a unit without a name is kept as it stands."""
    if key in ("unit", "yunit", "zunit", "tunit"):
        return bool(from_imagej(str(value))) or str(value).strip().lower() in _PIXELS
    return key in _PARSED


def _plain(value: object) -> Any:
    """Return a value of tifffile's as plain JSON; bytes become base64 text."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return to_json(value)


# --- our record, and what others changed since


def _fits(record: Description, header: Description) -> bool:
    """Return whether a record describes the planes of this header."""
    sizes, stored = _named_sizes(record), _named_sizes(header)
    names = [axis.name for axis in record.axes]
    tail = ["y", "x", "s"] if "s" in stored else ["y", "x"]
    single = dict.fromkeys("tzc", 1)
    return (
        names[-len(tail) :] == tail
        and {**single, **sizes} == {**single, **stored}
        and record.dtype in (header.dtype, np.dtype(header.dtype).newbyteorder(">").str)
    )


def _named_sizes(description: Description) -> dict[str, int]:
    names = [axis.name for axis in description.axes]
    return dict(zip(names, description.shape, strict=True))


def _join(header: Description, record: Description) -> Description:
    """Return what the record says, but for what another program has changed in the header."""
    said = {axis.name: axis for axis in header.axes}
    pairs = zip(record.axes, _writable(record.axes), strict=True)
    axes = tuple(_join_axis(axis, wrote, said.get(axis.name)) for axis, wrote in pairs)
    n_channels = _named_sizes(header).get("c", 1)
    is_colour = header.axes[-1].name == "s"
    wrote = {} if is_colour else _write_look(record.channels, record.display, header.dtype)
    joined = replace(record, axes=axes, metadata=_join_metadata(header, record))
    if (header.channels, header.display) == _parse_look(wrote, n_channels):
        return joined
    names = [channel.name for channel in record.channels] or [None] * n_channels
    looks = header.channels or (Channel(),) * n_channels
    return replace(
        joined,
        channels=tuple(replace(look, name=n) for look, n in zip(looks, names, strict=True)),
        display={**(record.display or {}), **(header.display or {})},
    )


def _join_axis(axis: Axis, wrote: Axis, said: Axis | None) -> Axis:
    """Return the record's axis, or the header's where it says another step than was written."""
    if said is None or same_step(wrote.scale, wrote.unit, said.scale, said.unit):
        return axis
    return said


def _join_metadata(header: Description, record: Description) -> dict[str, Any]:
    """Return the record's metadata, with what ImageJ keeps itself as it stands now."""
    own = record.metadata or {}
    wrote = {key: _plain(value) for key, value in _write_private(own).items()}
    kept = {key: (header.metadata or {}).get(key) for key in ("Info", "ROI", "Overlays")}
    return {
        **own,
        **{k: now for k, now in kept.items() if now and wrote.get(k) not in (now, [now])},
    }
