"""Metadata of OME-NGFF of an image: multiscales, omero and image-label, as they are saved.

https://ngff.openmicroscopy.org/0.5/. Reading uses them, too, to find changes by another program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_ferry.arguments import is_finite, is_whole
from napari_ferry.image import Axis, Channel
from napari_ferry.image.axes import COLOR_SAMPLES, limits_of
from napari_ferry.image.channel_displays import channel_displays
from napari_ferry.image.colormaps import PRIMARY_COLORS, color_of, is_hex_color
from napari_ferry.image.json_values import to_json
from napari_ferry.image.record import Description
from napari_ferry.units import METERS, SECONDS, is_step

_ORDER = "tczyx"
_TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
_UNITS = {"time": SECONDS, "space": METERS}
_SAMPLE_CHANNELS = (("R", "#ff0000"), ("G", "#00ff00"), ("B", "#0000ff"), ("A", "#ffffff"))


def store_order(names: Sequence[str]) -> tuple[int, ...] | None:
    """Return the axes of an image in the order of OME-NGFF, or ``None`` if it cannot hold them.

    It holds y and x, and at most one axis of each other kind: t, z, and one for channels, which is
    c, the samples s of a color, or any other.

    >>> store_order("ctzyx"), store_order("pqyx")
    ((1, 0, 2, 3, 4), None)
    """
    kinds = [name if name in "tzyx" else "c" for name in names]
    if len(set(kinds)) < len(kinds):
        return None
    return tuple(sorted(range(len(names)), key=lambda axis: _ORDER.index(kinds[axis])))


def store_name(name: str) -> str:
    """Return the name of an axis in OME-NGFF: the samples of a color are channels."""
    return "c" if name == "s" else name


def storable_axis(axis: Axis) -> Axis:
    """Return an axis within the limits of OME-NGFF: with a valid scale, and a known unit."""
    is_valid = is_step(abs(axis.scale))  # readers refuse others
    is_known = axis.unit in _UNITS.get(_TYPES.get(axis.name, ""), {})
    return Axis(
        axis.name,
        float(axis.scale) if is_valid else 1.0,
        axis.unit if is_valid and is_known else None,
        float(axis.translation) if np.isfinite(axis.translation) else 0.0,
    )


def describe_axes(axes: Sequence[Axis]) -> list[dict[str, Any]]:
    """Return the value of ``axes``, for axes with the names and the order of the store."""
    return [_describe_axis(storable_axis(axis)) for axis in axes]


def _describe_axis(axis: Axis) -> dict[str, Any]:
    kind = _TYPES.get(axis.name)
    described: dict[str, Any] = {"name": axis.name}
    if kind is not None:
        described["type"] = kind
    if axis.unit is not None:
        described["unit"] = axis.unit
    return described


def describe_transformations(
    axes: Sequence[Axis], factors: Sequence[float], shifts: Sequence[float]
) -> list[dict[str, Any]]:
    """Return the ``coordinateTransformations`` of a level.

    Pixel centers are at whole numbers, so that the first mean of f pixels is at (f - 1) / 2.

    Parameters
    ----------
    axes : sequence of Axis
        Axes at full resolution, in the order of the store.
    factors : sequence of float
        Downsampling factors of the level.
    shifts : sequence of float
        Position of its first pixel, in pixels of full resolution.
    """
    stored = [storable_axis(axis) for axis in axes]
    scale = [axis.scale * factor for axis, factor in zip(stored, factors, strict=True)]
    translation = [
        axis.translation + shift * axis.scale for axis, shift in zip(stored, shifts, strict=True)
    ]
    return [
        {"type": "scale", "scale": scale},
        {"type": "translation", "translation": translation},
    ]


def describe_rendering(description: Description) -> dict[str, Any] | None:
    """Return ``omero`` for the channels of an image; ``None`` if nothing is known of them.

    Programs choose contrast limits by themselves where there are none; here the whole range of the
    type would take their place.
    """
    channels = channels_of(description)
    displays = channel_displays(description.display, len(channels))
    hidden = [display.get("visible") is False for display in displays]
    if len(channels) == 1:
        hidden = [(description.display or {}).get("visible") is False]
    if not any(hidden) and all(channel == Channel() for channel in channels):
        return None

    full_range = _range_of(description.dtype)
    return {
        "channels": [
            _describe_channel(channel, full_range, is_active=not hide)
            for channel, hide in zip(channels, hidden, strict=True)
        ],
        "rdefs": {"model": "color"},
    }


def channels_of(description: Description) -> Sequence[Channel]:
    """Return the channels of an image; the only one is described by its display."""
    sizes = description.sizes
    if "c" in sizes:
        return description.channels or (Channel(),) * sizes["c"]
    if "s" in sizes:
        is_color = description.frame_ndim == 3 and sizes["s"] in COLOR_SAMPLES
        colors = _SAMPLE_CHANNELS[: sizes["s"]] if is_color else ((None, None),) * sizes["s"]
        return tuple(Channel(name, color) for name, color in colors)
    display = description.display or {}
    color = _color_of(display.get("colormap"))
    return (Channel(None, color, limits_of(display)),)


def _color_of(colormap: object) -> str | None:
    """Return the color of a colormap from black to one color, without the help of napari."""
    if not isinstance(colormap, str):
        return color_of(colormap)
    color = PRIMARY_COLORS.get(colormap, colormap)
    return color if is_hex_color(color) and colormap != "gray" else None


def _describe_channel(
    channel: Channel, full_range: tuple[float, float], *, is_active: bool
) -> dict[str, Any]:
    """Return a channel with all fields required by the specification."""
    start, end = channel.contrast_limits or full_range
    if not (np.isfinite(start) and np.isfinite(end) and start < end):
        start, end = full_range
    color = channel.color if is_hex_color(channel.color) else "#ffffff"
    described: dict[str, Any] = {
        "active": is_active,
        "coefficient": 1,
        "color": color[1:].upper(),
        "family": "linear",
        "inverted": False,
        "window": {
            "min": min(full_range[0], start),
            "max": max(full_range[1], end),
            "start": start,
            "end": end,
        },
    }
    return {"label": channel.name, **described} if channel.name else described


def _range_of(dtype: str) -> tuple[float, float]:
    """Return the range of a type of integers, and 0 to 1 of others."""
    kind = np.dtype(dtype or "f8")
    if kind.kind not in "iu":
        return 0.0, 1.0
    info = np.iinfo(kind)
    return float(info.min), float(info.max)


def describe_labels(display: Mapping[str, Any] | None, version: str, source: str) -> dict[str, Any]:
    """Return ``image-label``: the colors of labels, and their image.

    Parameters
    ----------
    display : mapping, optional
        Display settings of the labels.
    version : str
        Version of OME-NGFF.
    source : str
        Path of the image; empty if there is none.
    """
    described: dict[str, Any] = {"version": version}
    colors = _label_colors((display or {}).get("colormap"))
    if colors:
        described["colors"] = [
            {"label-value": value, "rgba": rgba} for value, rgba in colors.items()
        ]
    if source:
        described["source"] = {"image": source}
    return described


def _label_colors(colormap: object) -> dict[int, list[int]]:
    """Return the color of each label, and skip invalid entries."""
    direct = to_json(colormap.get("direct")) if isinstance(colormap, Mapping) else None
    colors: dict[int, list[int]] = {}
    for pair in direct if isinstance(direct, list) else ():
        value, color = pair if isinstance(pair, list) and len(pair) == 2 else (None, None)
        rgba = _to_bytes(color)
        if rgba and is_whole(value) and abs(value) < 2**63:
            colors[int(value)] = rgba
    return colors


def _to_bytes(color: object) -> list[int] | None:
    """Return red, green, blue and alpha from 0 to 255, or ``None`` if they are not numbers."""
    if not (isinstance(color, list) and len(color) == 4 and all(map(is_finite, color))):
        return None
    return [int(value) for value in np.clip(np.asarray(color, float) * 255 + 0.5, 0, 255)]
