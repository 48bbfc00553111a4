"""Axes <-> the steps and units of an ImageJ hyperstack."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from napari_ferry.image import Axis
from napari_ferry.image.record import is_sound_scale
from napari_ferry.units import (
    METERS,
    SECONDS,
    from_imagej,
    is_step,
    is_uncalibrated,
    normalize,
    read_step,
    to_imagej,
    warn_uncalibrated,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Steps whose inverse a rational of two 32-bit numbers holds to one part in a million.
_RATIONAL_STEPS = (1e-9, 1e9)
_MICROMETERS = {unit: meters / METERS["micrometer"] for unit, meters in METERS.items()}


def write_calibration(
    axes: Sequence[Axis],
) -> tuple[tuple[float, float] | None, dict[str, Any]]:
    """Return the resolution (x, y), and the keys of the description that calibrate the axes."""
    said = {axis.name: axis for axis in writable(axes)}
    y, x, z, t = (said.get(name, Axis(name)) for name in "yxzt")
    found: dict[str, Any] = {}
    if x.unit:
        found["unit"] = to_imagej(x.unit)
    if y.unit != x.unit:
        found["yunit"] = to_imagej(y.unit)
    if z.unit:
        found |= {"spacing": float(z.scale)}
        found |= {"zunit": to_imagej(z.unit)} if z.unit != x.unit else {}
    if t.unit:
        found |= {"finterval": t.scale, "fps": 1 / t.scale}
    return (1 / x.scale, 1 / y.scale) if x.unit else None, found


def writable(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """Return the axes as ImageJ can hold them: uncalibrated where it cannot.

    Lengths are in micrometers, because Bio-Formats takes those along z for that, and the last unit
    that is named for the one of x and y; times are in seconds, which is all that ImageJ knows.
    """
    said = {axis.name: _writable_axis(axis) for axis in axes}
    # one resolution cannot be left out alone
    is_plane = all(said[name].unit for name in "yx" if name in said)
    return tuple(
        Axis(name) if name in "yx" and not is_plane else axis for name, axis in said.items()
    )


def step_losses(axes: Sequence[Axis]) -> Iterator[str]:
    """Say which steps ImageJ cannot hold, so that only our record keeps them."""
    for axis, held in zip(axes, writable(axes), strict=True):
        if axis.unit and not held.unit and is_sound_scale(axis.scale):
            yield (
                f"other programs see axis {axis.name} without its step ({axis.scale:g} "
                f"{axis.unit}), which an ImageJ hyperstack cannot hold; napari-ferry gives it back "
                "as it was"
            )


def _writable_axis(axis: Axis) -> Axis:
    unit, scale = normalize(axis.unit), axis.scale
    if unit in _MICROMETERS:
        unit, scale = "micrometer", scale * _MICROMETERS[unit]
    if axis.name == "t" and unit in SECONDS:
        unit, scale = "second", scale * SECONDS[unit]
    low, high = _RATIONAL_STEPS if axis.name in ("y", "x") else (0.0, math.inf)
    holds = axis.name in ("y", "x", "z") or (axis.name == "t" and unit == "second")
    sound = is_step(scale) and low <= scale <= high
    return Axis(axis.name, scale, unit) if unit and holds and sound else Axis(axis.name)


def parse_axis(
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
    if unit is None and not is_uncalibrated(text):
        warn_uncalibrated(f"The unit of {name} is {text[:40]!r}, which is not known")
        return Axis(name)
    # without a unit, a resolution is one of printing, and a time step means nothing
    if unit is None and name != "z":
        return Axis(name)
    step = read_step(value, key)
    return Axis(name, step, unit) if step else Axis(name)


def _inverse(value: float) -> float:
    return 1 / value if value else math.inf
