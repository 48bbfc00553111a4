"""Channels in the rendering settings ``omero`` of OME-NGFF: their colors and windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_ferry.arguments import is_finite
from napari_ferry.codecs.zarr.omero import COLOR
from napari_ferry.codecs.zarr.repair.documents import Entry, show_value

_COLOR = "FFFFFF"
"""Color of channels without a valid one; the specification requires it."""

_ENDS = ("min", "max", "start", "end")


def repair_channels(count: int, dtype: np.dtype[Any], entry: Entry) -> None:
    """Give each channel of an image a color, and a window with all four numbers.

    Parameters
    ----------
    count : int
        Number of channels of the array.
    dtype : data type
        Type of its samples, whose range is the window of channels without one.
    entry : Entry
        Group of the image.
    """
    omero = entry.ome.get("omero")
    channels = omero.get("channels") if isinstance(omero, dict) else None
    if not isinstance(channels, list):
        if omero is not None:
            entry.remark("the channels in omero are not a list: they are left as they are.")
        return
    if len(channels) > count:
        entry.remark(
            f"omero describes {len(channels)} channels, but the array has {count}: the others are "
            "left as they are."
        )

    limits = _range_of(dtype)
    for number, channel in enumerate(channels):
        if not isinstance(channel, dict):
            entry.change(f"channel {number}: {show_value(channel)} -> a channel without a name")
            channels[number] = _describe(limits)
            continue
        _repair_color(channel, number, entry)
        _repair_window(channel, number, limits, entry)
    for number in range(len(channels), count):
        channels.append(_describe(limits))
        entry.change(f"channel {number}: missing -> a channel without a name")


def _range_of(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the range of integers, and 0 to 1 for other types."""
    if dtype.kind not in "iu":
        return 0, 1
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def _describe(limits: tuple[float, float]) -> dict[str, Any]:
    low, high = limits
    window = {"min": low, "max": high, "start": low, "end": high}
    return {"active": True, "color": _COLOR, "window": window}


def _repair_color(channel: dict[str, Any], number: int, entry: Entry) -> None:
    """Write a color as six hexadecimal digits."""
    old = channel.get("color")
    found = COLOR.fullmatch(old) if isinstance(old, str) else None
    new = found[1] if found else _COLOR
    if old != new:
        channel["color"] = new
        before = "missing" if old is None else show_value(old)
        entry.change(f"color of channel {number}: {before} -> {new!r}")


def _repair_window(
    channel: dict[str, Any], number: int, limits: tuple[float, float], entry: Entry
) -> None:
    """Complete the window of a channel, and swap reversed limits."""
    old = channel.get("window")
    given = old if isinstance(old, dict) else {}
    now = {name: _to_number(given.get(name)) for name in _ENDS}
    new = _complete(now, limits)
    if {name: given.get(name) for name in _ENDS} == new:
        return
    channel["window"] = {**given, **new}
    before = _window_text(old)
    note = " (reversed)" if _is_reversed(now, "start", "end") else ""
    if None in (now["min"], now["max"]):
        note = " (unknown values from the type of the pixels)"
    entry.change(f"window of channel {number}: {before} -> {_window_text(new)}{note}")


def _window_text(window: object) -> str:
    """Return the numbers of a window as text."""
    if not isinstance(window, dict) or not window:
        return "missing" if not window else show_value(window)
    return ", ".join(f"{name} {show_value(value)}" for name, value in window.items())


def _to_number(value: Any) -> float | None:
    """Return a finite number, also from text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return value if is_finite(value) else None


def _is_reversed(window: dict[str, float | None], low: str, high: str) -> bool:
    first, last = window[low], window[high]
    return first is not None and last is not None and first > last


def _complete(window: dict[str, float | None], limits: tuple[float, float]) -> dict[str, float]:
    """Return a window with rising numbers; unknown ones are taken from the range of the type."""
    full = dict(window)
    for low, high in (("min", "max"), ("start", "end")):
        if _is_reversed(full, low, high):
            full[low], full[high] = full[high], full[low]

    start, end, least, most = (full[name] for name in ("start", "end", "min", "max"))
    first = (limits[0] if least is None else least) if start is None else start
    last = (limits[1] if most is None else most) if end is None else end
    if first >= last:
        is_range = least is not None and most is not None and least < most
        first, last = (least or 0, most or 0) if is_range else limits
    return {
        "min": min(limits[0], first) if least is None else least,
        "max": max(limits[1], last) if most is None else most,
        "start": first,
        "end": last,
    }
