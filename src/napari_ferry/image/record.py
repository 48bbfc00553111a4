"""Conversion of images to plain JSON and back: the record of an image in every format.

The record is one JSON object with a version. Other programs ignore it, and malformed values in it
are ignored when it is read; a record without valid axes is reported::

    {"napari-ferry": 1, "dtype": "uint16", "name": "cells", "kind": "image",
     "axes": [{"name": "t", "size": 100, "scale": 0.5, "unit": "second", "translation": 0.0}, ...],
     "channels": [{"name": "GFP", "color": "#00ff00", "contrast_limits": [0, 4095]}, ...],
     "display": {...}, "metadata": {...}}

`docs/byte-layout.md` describes the location of the record in each format.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np

from napari_ferry.arguments import is_count, is_finite
from napari_ferry.arrays import Array
from napari_ferry.errors import warn
from napari_ferry.files.json_files import parse_json
from napari_ferry.image.axes import Axis, Channel, frame_ndim, is_valid_scale, read_unit
from napari_ferry.image.image import Image, Kind
from napari_ferry.image.json_values import to_json
from napari_ferry.units import same_step

KEY = "napari-ferry"
VERSION = 1

ASSUMED = "assumed"
"""Key of `Image.metadata`: a sentence about assumptions that were made when the file was opened."""

ASSUMED_TIME = "the first axis is assumed to be time because the file does not specify it"
"""Value of `ASSUMED`, for an image whose file does not name its first axis."""

NOTES = "notes"
"""Key of `Image.metadata`: text of the user about the image."""

SPEED = "times real time"
"""Key of `Image.metadata`: playback speed of a movie with a frame axis in playback time."""

CHANNEL_DISPLAYS = "channels"
"""Key of `Image.display`: list of the display of each channel, if the channels differ in it."""

CHANNEL_AXIS = "channel_axis"
"""Key of `Image.display`: `SLIDER` for channels that share a layer."""

SLIDER = "slider"
"""Value of `CHANNEL_AXIS` and `SINGLETONS`."""

SINGLETONS = "singletons"
"""Key of `Image.display`: `SLIDER` for axes of length 1 that the layer of the image had."""

LAYER_ORDER = "order"
"""Key of `Image.display`: index of the layer from which the image was made."""

MAX_PLANES = 2**24
"""Limit of the planes in one image; a description with more is considered damaged."""

_UNSAVED = (ASSUMED, SPEED)
"""Keys of `Image.metadata` about opening or drawing, which are not saved."""

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Description:
    """An image without its pixels; the fields are those of `Image`."""

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
        """Length of each axis, by name."""
        return dict(zip((axis.name for axis in self.axes), self.shape, strict=True))

    @property
    def frame_ndim(self) -> int:
        """Number of axes of a frame: y and x, and the samples of a color."""
        return frame_ndim(self.axes)

    def has_dtype(self, names: Iterable[str]) -> bool:
        """Return True if the data type is one of these native types, in either byte order."""
        return any(self.dtype in (name, np.dtype(name).newbyteorder(">").str) for name in names)

    def to_image(self, *levels: Array) -> Image:
        """Return the image with these pixels."""
        return Image(
            levels=levels,
            axes=self.axes,
            channels=self.channels,
            name=self.name,
            kind=self.kind,
            display=dict(self.display or {}),
            metadata=dict(self.metadata or {}),
        )


def describe(image: Image) -> dict[str, Any]:
    """Return the JSON record of an image."""
    return {
        KEY: VERSION,
        "dtype": image.dtype.str if image.dtype.byteorder == ">" else image.dtype.name,
        "name": image.name,
        "kind": image.kind,
        "axes": [
            describe_axis(axis, size) for axis, size in zip(image.axes, image.shape, strict=True)
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
    """Return the description in a JSON record, or ``None`` if it is not a valid record.

    A valid record has axes with names and lengths, y and x among them. Other fields are ignored
    where they are missing or malformed.
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
        shape=tuple(shape),
        axes=tuple(parse_axis(axis) for axis in axes),
        dtype=str(record.get("dtype") or ""),
        channels=parse_channels(record.get("channels"), n_channels),
        name=str(record.get("name") or ""),
        kind="labels" if record.get("kind") == "labels" else "image",
        display=display if isinstance(display, Mapping) else {},
        metadata=metadata if isinstance(metadata, Mapping) else {},
    )


def read_record(text: str) -> Description | None:
    """Return the description in the JSON text of a record, or ``None`` if it is not a record."""
    try:
        return parse_description(parse_json(text))
    except ValueError:
        return None


def parse_own_record(record: object, place: str) -> Description | None:
    """Return the description in a record known to be ours, or ``None`` if it is damaged.

    Parameters
    ----------
    record : object
        The record, or its JSON text.
    place : str
        Its place in the file, such as ``"the OME-XML"``.

    Warns
    -----
    FerryWarning
        The record is damaged.
    """
    is_text = isinstance(record, str)
    description = read_record(record) if is_text else parse_description(record)  # type: ignore[arg-type]
    if description is None:
        warn(
            f"The record of {KEY} in {place} is damaged and ignored: display settings, notes and "
            "names that only the record holds are lost; check the axes, and get a complete copy "
            "of the file if there is one."
        )
    return description


def merge_value(own: _T, written: _T, header: _T) -> _T:
    """Return the value of our record, or of the header if another program has changed it.

    Parameters
    ----------
    own : object
        Value in our record.
    written : object
        Value that we wrote to the header, which can hold less than the record.
    header : object
        Value in the header now.

    >>> merge_value("#0000FF", "#0000ff", "#0000ff")
    '#0000FF'
    >>> merge_value("#0000FF", "#0000ff", "#00ff00")
    '#00ff00'
    """
    return own if written == header else header


def merge_axes(
    own: Iterable[Axis], written: Iterable[Axis], header: Iterable[Axis]
) -> tuple[Axis, ...]:
    """Return the axes of a record, or of the header if another program has changed their step.

    Parameters
    ----------
    own, written : iterable of Axis
        Axes of our record, and the same axes as the header can hold them.
    header : iterable of Axis
        Axes of the header now, in any order; axes that it does not name are unchanged.
    """
    by_name = {axis.name: axis for axis in header}
    return tuple(
        _merge_axis(axis, wrote, by_name.get(axis.name))
        for axis, wrote in zip(own, written, strict=True)
    )


def describe_axis(axis: Axis, size: int) -> dict[str, Any]:
    """Return the record of an axis, uncalibrated if its scale is not valid."""
    is_valid = is_valid_scale(axis.scale)
    return {
        "name": axis.name,
        "size": size,
        "scale": float(axis.scale) if is_valid else 1.0,
        # scale 1 with the unit would look like a measured distance
        "unit": axis.unit if is_valid else None,
        "translation": float(axis.translation) if math.isfinite(axis.translation) else 0.0,
    }


def _merge_axis(own: Axis, written: Axis, header: Axis | None) -> Axis:
    if header is None or same_step(written.scale, written.unit, header.scale, header.unit):
        return own
    return header


def _size(axis: object) -> int | None:
    """Return the length in the record of an axis, or ``None`` if it is not valid."""
    size = axis.get("size") if isinstance(axis, Mapping) else None
    return size if is_count(size) else None


def parse_axis(axis: Mapping[str, Any]) -> Axis:
    """Return the axis in a record, uncalibrated if its scale is not valid."""
    scale, translation, unit = axis.get("scale"), axis.get("translation"), axis.get("unit")
    return Axis(
        str(axis.get("name")),
        scale if is_finite(scale) and is_valid_scale(scale) else 1.0,
        read_unit(unit, f"The axis {axis.get('name')}") if isinstance(unit, str) else None,
        translation if is_finite(translation) else 0.0,
    )


def parse_channels(channels: object, count: int) -> tuple[Channel, ...]:
    """Return the channels in a record, or none if their number is not `count`."""
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
