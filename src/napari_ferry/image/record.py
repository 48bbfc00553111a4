"""Image <-> plain JSON: the record of what an image means that rides in every format.

The record is one JSON object, versioned, ignored by other programs, and read leniently::

    {"napari-ferry": 1, "dtype": "uint16", "name": "cells", "kind": "image",
     "axes": [{"name": "t", "size": 100, "scale": 0.5, "unit": "second", "translation": 0.0}, ...],
     "channels": [{"name": "GFP", "color": "#00ff00", "contrast_limits": [0, 4095]}, ...],
     "display": {...}, "metadata": {...}}

`docs/formats.md` says where each format keeps it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np

from napari_ferry.arguments import is_count, is_finite
from napari_ferry.arrays import Array
from napari_ferry.image.axes import Axis, Channel, frame_ndim, read_unit
from napari_ferry.image.image import Image, Kind
from napari_ferry.units import same_step

KEY = "napari-ferry"
VERSION = 1

SPEED = "times real time"
"""Key of `Image.metadata`: the speed of a movie, whose frame axis has steps of its own time."""

_UNSAVED = ("assumed", SPEED)
"""Keys of `Image.metadata` that say how an image was opened or drawn."""

MAX_PLANES = 2**24
"""More planes than this in one image are taken for a damaged description."""

_LISTS = (Sequence, set, frozenset)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Description:
    """What an image means, without its pixels; fields as those of `Image`."""

    shape: tuple[int, ...]
    axes: tuple[Axis, ...]
    dtype: str = ""
    channels: tuple[Channel, ...] = ()
    name: str = ""
    kind: Kind = "image"
    display: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each axis, by its name."""
        return dict(zip((axis.name for axis in self.axes), self.shape, strict=True))

    @property
    def frame_ndim(self) -> int:
        """Number of axes of a frame: y and x, and the samples of a color."""
        return frame_ndim(self.axes)

    def has_dtype(self, names: Iterable[str]) -> bool:
        """Return whether the data type is one of these native ones, in either byte order."""
        return any(self.dtype in (name, np.dtype(name).newbyteorder(">").str) for name in names)

    def to_image(self, *levels: Array) -> Image:
        """Join the description with its pixels."""
        return Image(
            levels,
            self.axes,
            self.channels,
            self.name,
            self.kind,
            dict(self.display or {}),
            dict(self.metadata or {}),
        )


def describe(image: Image) -> dict[str, Any]:
    """Return the JSON record of an image."""
    return {
        KEY: VERSION,
        "dtype": image.dtype.str if image.dtype.byteorder == ">" else image.dtype.name,
        "name": image.name,
        "kind": image.kind,
        "axes": [
            _describe_axis(axis, size) for axis, size in zip(image.axes, image.shape, strict=True)
        ],
        "channels": describe_channels(image.channels),
        "display": to_json(image.display),
        "metadata": to_json({k: v for k, v in image.metadata.items() if k not in _UNSAVED}),
    }


def describe_channels(channels: Iterable[Channel]) -> list[dict[str, Any]]:
    """Return the JSON record of channels."""
    return [
        {
            "name": channel.name,
            "color": channel.color,
            "contrast_limits": to_json(channel.contrast_limits),
        }
        for channel in channels
    ]


def parse_description(record: object) -> Description | None:
    """Read a JSON record, or return ``None`` where it is none or is broken.

    What is missing or malformed in an otherwise sound record is left out; a record without
    sound axes, y and x among them, is no record.
    """
    if not isinstance(record, Mapping) or not isinstance(record.get(KEY), int):
        return None
    axes = record.get("axes")
    if not isinstance(axes, Sequence) or isinstance(axes, str):
        return None
    sizes = [_size(axis) for axis in axes]
    names = [str(axis.get("name")) for axis in axes if isinstance(axis, Mapping)]
    if None in sizes or len(set(names)) != len(sizes) or not {"y", "x"} <= set(names):
        return None
    shape = cast("list[int]", sizes)
    n_channels = dict(zip(names, shape, strict=True)).get("c", 1)
    display, metadata = record.get("display"), record.get("metadata")
    return Description(
        tuple(shape),
        tuple(_parse_axis(axis) for axis in axes),
        str(record.get("dtype") or ""),
        parse_channels(record.get("channels"), n_channels),
        str(record.get("name") or ""),
        "labels" if record.get("kind") == "labels" else "image",
        display if isinstance(display, Mapping) else {},
        metadata if isinstance(metadata, Mapping) else {},
    )


def read_record(text: str) -> Description | None:
    """Read a record from its JSON text, or return ``None`` where that is not one of ours."""
    try:
        return parse_description(json.loads(text))
    except (ValueError, RecursionError):  # no JSON, or one that is nested without end
        return None


def unless_changed(own: _T, wrote: _T, said: _T) -> _T:
    """Return what our record says, or what the header says where that is not what we `wrote`.

    A header can hold less than a record does, so that the two differ from the start.

    >>> unless_changed("#0000FF", "#0000ff", "#0000ff")
    '#0000FF'
    >>> unless_changed("#0000FF", "#0000ff", "#00ff00")
    '#00ff00'
    """
    return own if wrote == said else said


def join_axes(own: Iterable[Axis], wrote: Iterable[Axis], said: Iterable[Axis]) -> tuple[Axis, ...]:
    """Return the axes of a record, but those whose step another program has changed since.

    Parameters
    ----------
    own, wrote : iterable of Axis
        What our record says, and as much of it as the header could hold, axis by axis.
    said : iterable of Axis
        What the header says now, in any order; an axis that it does not name is unchanged.
    """
    now = {axis.name: axis for axis in said}
    return tuple(
        _join_axis(axis, written, now.get(axis.name))
        for axis, written in zip(own, wrote, strict=True)
    )


def to_json(value: object) -> Any:
    """Return `value` as plain JSON values: numpy scalars and arrays become numbers and lists.

    What JSON cannot hold is left out of mappings and becomes ``None`` elsewhere, and so do numbers
    that are not finite; `not_json` names it.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items() if _has_json(item)}
    if isinstance(value, _LISTS) and not isinstance(value, bytes):
        return [to_json(item) for item in value]
    return None


def not_json(value: object, path: str = "") -> dict[str, str]:
    """Return what JSON cannot hold, by its dotted path, and what becomes of it.

    >>> not_json({"a": {"b": object()}, "c": [1, float("nan")], 5: "d"})
    {'a.b': 'cannot be kept: it is no plain text, number or list', 'c.1': 'is not finite: null \
is stored', '5': 'is named by an int: the name becomes text'}
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return {path: "is not finite: null is stored"}
    if not _has_json(value):
        return {path: "cannot be kept: it is no plain text, number or list"}
    found: dict[str, str] = {}
    if isinstance(value, Mapping):
        for key, item in value.items():
            place = f"{path}.{key}" if path else str(key)
            if not isinstance(key, str):
                found[place] = f"is named by {_a(type(key).__name__)}: the name becomes text"
            found |= not_json(item, place)
    elif isinstance(value, _LISTS) and not isinstance(value, str):
        for i, item in enumerate(value):
            found |= not_json(item, f"{path}.{i}" if path else str(i))
    return found


def is_sound_scale(scale: float) -> bool:
    """Return whether neighbors along an axis can be this far apart: finite, and not at all 0."""
    return bool(math.isfinite(scale)) and scale != 0


def _has_json(value: object) -> bool:
    """Return whether JSON can hold a value, but for what is in it."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.item() if value.ndim == 0 else []
    if value is None or isinstance(value, bool | int | float | str | Mapping):
        return True
    return isinstance(value, _LISTS) and not isinstance(value, bytes)


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _describe_axis(axis: Axis, size: int) -> dict[str, Any]:
    """Return the record of an axis; without a sound scale it is one that nobody calibrated."""
    is_sound = is_sound_scale(axis.scale)
    return {
        "name": axis.name,
        "size": size,
        "scale": float(axis.scale) if is_sound else 1.0,
        # a step of 1 in the unit would be a measure that nobody took
        "unit": axis.unit if is_sound else None,
        "translation": float(axis.translation) if math.isfinite(axis.translation) else 0.0,
    }


def _join_axis(own: Axis, wrote: Axis, said: Axis | None) -> Axis:
    if said is None or same_step(wrote.scale, wrote.unit, said.scale, said.unit):
        return own
    return said


def _size(axis: object) -> int | None:
    """Return the length that a record gives of an axis, if it is a sound one."""
    size = axis.get("size") if isinstance(axis, Mapping) else None
    return size if is_count(size) else None


def _parse_axis(axis: Mapping[str, Any]) -> Axis:
    scale, translation, unit = axis.get("scale"), axis.get("translation"), axis.get("unit")
    return Axis(
        str(axis.get("name")),
        scale if is_finite(scale) and is_sound_scale(scale) else 1.0,
        read_unit(unit, f"The axis {axis.get('name')}") if isinstance(unit, str) else None,
        translation if is_finite(translation) else 0.0,
    )


def parse_channels(channels: object, count: int) -> tuple[Channel, ...]:
    """Read the record of channels; all of them, or none when their number does not fit."""
    if not isinstance(channels, Sequence) or len(channels) != count:
        return ()
    return tuple(_parse_channel(channel) for channel in channels)


def _parse_channel(channel: object) -> Channel:
    if not isinstance(channel, Mapping):
        return Channel()
    name, color, limits = (channel.get(key) for key in ("name", "color", "contrast_limits"))
    limits = limits if isinstance(limits, Sequence) and len(limits) == 2 else ()
    return Channel(
        name if isinstance(name, str) else None,
        color if isinstance(color, str) else None,
        (float(limits[0]), float(limits[1])) if limits and all(map(is_finite, limits)) else None,
    )
