"""Convert between channels and the display ranges and color tables of an ImageJ hyperstack."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_ferry.image import Channel
from napari_ferry.image.axes import limits_of
from napari_ferry.image.channel_displays import channel_displays
from napari_ferry.image.colormaps import color_table, is_hex_color, rgb_of
from napari_ferry.image.record import CHANNEL_DISPLAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_ferry.image import Image
    from napari_ferry.image.record import Description

DISPLAY_KEYS = ("colormap", "contrast_limits")
"""Display settings with an equivalent in ImageJ."""

_WHITE = "#ffffff"


def to_channels(source: Image | Description) -> tuple[tuple[Channel, ...], dict[str, Any]]:
    """Return the channels and their display; an image without axis c is a single channel."""
    display = dict(source.display or {})
    if any(axis.name == "c" for axis in source.axes):
        return source.channels, display
    (channel,) = source.channels or (Channel(),)
    limits = channel.contrast_limits or limits_of(display)
    channel_display = {} if source.kind == "labels" else display
    return (replace(channel, contrast_limits=limits),), {CHANNEL_DISPLAYS: [channel_display]}


def single_display(channels: Sequence[Channel], display: Mapping[str, Any]) -> dict[str, Any]:
    """Return the display of an image without axis c, given its single channel or none."""
    single = {**(channels[0].to_display() if channels else {}), **channel_displays(display, 1)[0]}
    return single | ({"colormap": "gray"} if single.get("colormap") == _WHITE else {})


def write_colors(
    channels: Sequence[Channel], display: Mapping[str, Any] | None, dtype: str
) -> dict[str, Any]:
    """Return the display ranges and color tables, each for all channels or for none.

    ImageJ has no way to omit those of one channel.
    """
    entries: dict[str, Any] = {}
    limits, luts = _limits(channels, dtype), luts_of(channels, display)
    if limits:
        entries["Ranges"] = tuple(value for pair in limits for value in pair)
    if len(limits) == 1:
        entries["min"], entries["max"] = limits[0]
    return entries | ({"LUTs": luts} if luts else {})


def _limits(channels: Sequence[Channel], dtype: str) -> list[tuple[float, float]]:
    """Return the contrast limits of all channels; unknown ones are the range of an integer type."""
    known = [_valid_limits(channel.contrast_limits) for channel in channels]
    full = None if dtype == "float32" else (0.0, 2.0 ** (8 * np.dtype(dtype).itemsize) - 1)
    limits = [pair or full for pair in known]
    complete = [(float(pair[0]), float(pair[1])) for pair in limits if pair]
    return complete if any(known) and len(complete) == len(limits) else []


def _valid_limits(limits: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return finite, increasing limits unchanged, or None for others."""
    return limits if limits and -math.inf < limits[0] < limits[1] < math.inf else None


def luts_of(
    channels: Sequence[Channel], display: Mapping[str, Any] | None
) -> list[NDArray[np.uint8]]:
    """Return a table per channel, axes (rgb, 256), uint8; none if no color is known."""
    displays = channel_displays(display, len(channels))
    luts = [_lut(channel, each) for channel, each in zip(channels, displays, strict=True)]
    known = any(lut is not None for lut in luts)
    return [_ramp(_WHITE) if lut is None else lut for lut in luts] if known else []


def _lut(channel: Channel, display: Mapping[str, Any]) -> NDArray[np.uint8] | None:
    """Return the table of a channel from its color, or else from its colormap."""
    if is_hex_color(channel.color):
        return _ramp(channel.color)
    table = color_table(display.get("colormap"), 256)
    return None if table is None else (table.T * 255).round().astype(np.uint8)


def _ramp(color: str) -> NDArray[np.uint8]:
    """Return the table from black to a color ``#rrggbb``, axes (rgb, 256)."""
    levels = np.outer([*rgb_of(color)], np.arange(256)) / 255
    return levels.round().astype(np.uint8)


def parse_colors(
    metadata: Mapping[str, Any], n_channels: int
) -> tuple[tuple[Channel, ...], dict[str, Any]]:
    """Return the channels with their colors and contrast limits, and the display of the rest.

    A color table that is not a ramp from black to one color becomes a colormap in the display.
    """
    if not {"LUTs", "Ranges", "min", "max"} & metadata.keys():
        return (), {}

    luts = metadata.get("LUTs", [])
    luts = [luts] if isinstance(luts, np.ndarray) else list(luts)
    if len(luts) != n_channels or any(np.shape(lut) != (3, 256) for lut in luts):
        luts = [None] * n_channels

    colors = [None if lut is None else _ramp_color(lut) for lut in luts]
    channels = tuple(map(Channel, [None] * n_channels, colors, _parse_limits(metadata, n_channels)))
    displays = [
        {} if lut is None or color else {"colormap": _colormap(i, lut)}
        for i, (lut, color) in enumerate(zip(luts, colors, strict=True))
    ]
    if channels == (Channel(),) * n_channels:
        channels = ()
    return channels, {CHANNEL_DISPLAYS: displays} if any(displays) else {}


def _parse_limits(metadata: Mapping[str, Any], n_channels: int) -> list[tuple[float, float] | None]:
    flat = list(metadata.get("Ranges", ()))
    if n_channels == 1 and {"min", "max"} <= metadata.keys():
        flat = [metadata["min"], metadata["max"]]
    if len(flat) != 2 * n_channels or not all(isinstance(value, int | float) for value in flat):
        return [None] * n_channels
    pairs = [(float(low), float(high)) for low, high in zip(flat[::2], flat[1::2], strict=True)]
    return [_valid_limits(pair) for pair in pairs]


def _ramp_color(lut: NDArray[np.uint8]) -> str | None:
    """Return the last color ``#rrggbb`` of a linear ramp from black, or None for other tables."""
    color = "#" + "".join(f"{value:02x}" for value in lut[:, -1])
    # ImageJ truncates and we round, so values may differ by 1

    is_even = np.abs(lut.astype(np.int16) - _ramp(color)).max() <= 1
    return color if is_even and color != "#000000" else None


def _colormap(i: int, lut: NDArray[np.uint8]) -> dict[str, Any]:
    colors = [[*(value / 255 for value in rgb), 1.0] for rgb in lut.T.tolist()]
    return {"name": f"imagej {i}", "colors": colors}
