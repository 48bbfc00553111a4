"""Channels and colormaps <-> the display ranges and color tables of an ImageJ hyperstack."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_ferry.image import Channel
from napari_ferry.image.axes import limits_of
from napari_ferry.image.colormaps import color_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_ferry.image import Image
    from napari_ferry.image.record import Description

LOOKS = ("colormap", "contrast_limits")
"""What a display says that ImageJ has a place for."""

_WHITE = "#ffffff"


def as_channels(said: Image | Description) -> tuple[tuple[Channel, ...], dict[str, Any]]:
    """Return the channels and how they are shown; an image without axis c is its own channel."""
    display = dict(said.display or {})
    if any(axis.name == "c" for axis in said.axes):
        return said.channels, display
    (channel,) = said.channels or (Channel(),)
    limits = channel.contrast_limits or limits_of(display)
    shown = {} if said.kind == "labels" else display
    return (replace(channel, contrast_limits=limits),), {"channels": [shown]}


def as_one(channels: Sequence[Channel], display: Mapping[str, Any]) -> dict[str, Any]:
    """Return how an image without axis c is shown, of its one channel or none."""
    shown = {**(channels[0].to_display() if channels else {}), **display.get("channels", [{}])[0]}
    return shown | ({"colormap": "gray"} if shown.get("colormap") == _WHITE else {})


def write_look(
    channels: Sequence[Channel], display: Mapping[str, Any] | None, dtype: str
) -> dict[str, Any]:
    """Return display ranges and color tables; all of them or none, as none can be left out."""
    look: dict[str, Any] = {}
    limits, luts = _limits(channels, dtype), luts_of(channels, display)
    if limits:
        look["Ranges"] = tuple(value for pair in limits for value in pair)
    if len(limits) == 1:
        look["min"], look["max"] = limits[0]
    return look | ({"LUTs": luts} if luts else {})


def _limits(channels: Sequence[Channel], dtype: str) -> list[tuple[float, float]]:
    """Return the contrast limits of all channels, unknown ones as the range of integers."""
    known = [_sound(channel.contrast_limits) for channel in channels]
    whole = None if dtype == "float32" else (0.0, 2.0 ** (8 * np.dtype(dtype).itemsize) - 1)
    limits = [pair or whole for pair in known]
    complete = [(float(pair[0]), float(pair[1])) for pair in limits if pair]
    return complete if any(known) and len(complete) == len(limits) else []


def _sound(limits: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return limits that can be shown, ``None`` for others."""
    return limits if limits and -math.inf < limits[0] < limits[1] < math.inf else None


def luts_of(
    channels: Sequence[Channel], display: Mapping[str, Any] | None
) -> list[NDArray[np.uint8]]:
    """Return one table, axes (rgb, 256), for each channel; none where no color is known."""
    shown = (display or {}).get("channels")
    shown = list(shown)[: len(channels)] if isinstance(shown, list | tuple) else []
    shown += [None] * (len(channels) - len(shown))
    luts = [_lut(channel, each) for channel, each in zip(channels, shown, strict=True)]
    known = any(lut is not None for lut in luts)
    return [_ramp(_WHITE) if lut is None else lut for lut in luts] if known else []


def _lut(channel: Channel, shown: object) -> NDArray[np.uint8] | None:
    """Return the table of a channel, from its color or else from its colormap."""
    if re.fullmatch("#[0-9a-fA-F]{6}", channel.color or ""):
        return _ramp(channel.color or "")
    table = color_table(shown.get("colormap"), 256) if isinstance(shown, dict) else None
    return None if table is None else (table.T * 255).round().astype(np.uint8)


def _ramp(color: str) -> NDArray[np.uint8]:
    """Return the table from black to a color ``#rrggbb``, axes (rgb, 256)."""
    rgb = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return (np.outer(rgb, np.arange(256)) / 255).round().astype(np.uint8)


def parse_look(
    metadata: Mapping[str, Any], n_channels: int
) -> tuple[tuple[Channel, ...], dict[str, Any]]:
    """Return colors and contrast limits of the channels, and colormaps that are no one color."""
    if not {"LUTs", "Ranges", "min", "max"} & metadata.keys():
        return (), {}
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
    return [_sound(pair) for pair in pairs]


def _ramp_color(lut: NDArray[np.uint8]) -> str | None:
    """Return the color ``#rrggbb`` that a table goes up to evenly from black, if it does."""
    color = "#" + "".join(f"{value:02x}" for value in lut[:, -1])
    # ImageJ cuts off where we round
    is_even = np.abs(lut.astype(np.int16) - _ramp(color)).max() <= 1
    return color if is_even and color != "#000000" else None


def _colormap(i: int, lut: NDArray[np.uint8]) -> dict[str, Any]:
    colors = [[*(value / 255 for value in rgb), 1.0] for rgb in lut.T.tolist()]
    return {"name": f"imagej {i}", "colors": colors}
