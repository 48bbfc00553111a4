"""Size of pixels from the chunk ``pHYs`` (PNG, third edition, section 11.3.4.3)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace

from napari_ferry.image import Axis
from napari_ferry.units import METERS

Resolution = tuple[int, int]
"""Pixels per meter along y and x."""

_METER = 1
"""Unit of the resolution."""

_MOST_PER_METER = 2**31 - 1

_PRINTED = (
    *(72, 75, 90, 96, 100, 120, 144, 150, 180, 192, 200, 220, 240, 250, 300, 350, 360, 400),
    *(600, 720, 1200),
)
"""Pixels per inch of screens and printers, written by programs for pixels of unknown size."""

_PRINTED_PER_METER = {int(dpi / 0.0254) + k for dpi in _PRINTED for k in (0, 1)}


def resolution_of(axes: Sequence[Axis]) -> Resolution | None:
    """Return the resolution of an image, or ``None`` if it is unknown or out of range."""
    by_name = {axis.name: axis for axis in axes}
    meters = [
        by_name[name].scale * METERS.get(by_name[name].unit or "", 0.0) for name in ("y", "x")
    ]
    if not all(1 / _MOST_PER_METER <= size <= 1 for size in meters):
        return None
    y, x = (round(1 / size) for size in meters)
    return y, x


def unpack_resolution(data: bytes) -> Resolution | None:
    """Return the resolution in the data of a chunk, or ``None`` without a size in meters."""
    if len(data) != 9 or data[8] != _METER:
        return None
    x, y = struct.unpack_from(">II", data)
    return (y, x) if x and y else None


def pack_resolution(resolution: Resolution) -> bytes:
    """Return the data of a chunk."""
    y, x = resolution
    return struct.pack(">IIB", x, y, _METER)


def calibrate(axes: Sequence[Axis], resolution: Resolution | None) -> tuple[Axis, ...]:
    """Return axes with the pixel size of a file in micrometers.

    The resolution of a screen or printer, such as 72 or 300 per inch, is ignored.
    """
    if resolution is None or _PRINTED_PER_METER.issuperset(resolution):
        return tuple(axes)
    sizes = dict(zip(("y", "x"), (float(f"{1e6 / n:.9g}") for n in resolution), strict=True))
    return tuple(
        replace(axis, scale=sizes[axis.name], unit="micrometer") if axis.name in sizes else axis
        for axis in axes
    )


def merge_resolution(axes: Sequence[Axis], resolution: Resolution | None) -> tuple[Axis, ...]:
    """Return the axes of our record, or of the file if another program changed its resolution."""
    is_own = resolution is None or resolution == resolution_of(axes)
    return tuple(axes) if is_own else calibrate(axes, resolution)
