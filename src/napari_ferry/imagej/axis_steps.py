"""Convert between axes and the calibration of an ImageJ hyperstack."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from napari_ferry.image import Axis
from napari_ferry.image.axes import is_valid_scale
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

_RATIONAL_STEPS = (1e-9, 1e9)
"""Range of steps whose inverse a rational of two 32-bit numbers stores to one part in a million."""

_MICROMETERS = {unit: meters / METERS["micrometer"] for unit, meters in METERS.items()}


def write_calibration(
    axes: Sequence[Axis],
) -> tuple[tuple[float, float] | None, dict[str, Any]]:
    """Return the resolution (x, y) and the calibration entries of the description."""
    supported = {axis.name: axis for axis in supported_axes(axes)}
    y, x, z, t = (supported.get(name, Axis(name)) for name in "yxzt")

    entries: dict[str, Any] = {}
    if x.unit:
        entries["unit"] = to_imagej(x.unit)
    if y.unit != x.unit:
        entries["yunit"] = to_imagej(y.unit)
    if z.unit:
        entries |= {"spacing": float(z.scale)}
        entries |= {"zunit": to_imagej(z.unit)} if z.unit != x.unit else {}
    if t.unit:
        entries |= {"finterval": t.scale, "fps": 1 / t.scale}
    return (1 / x.scale, 1 / y.scale) if x.unit else None, entries


def supported_axes(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """Return the axes with the calibration supported by ImageJ; others become uncalibrated.

    Lengths are converted to micrometers, because Bio-Formats assumes micrometers along z and
    applies the last unit in the description to x and y. Times are converted to seconds, the only
    unit of time in ImageJ.
    """
    supported = {axis.name: _supported_axis(axis) for axis in axes}
    # TIFF has no way to omit only one of the two resolutions
    is_calibrated = all(supported[name].unit for name in "yx" if name in supported)
    return tuple(
        Axis(name) if name in "yx" and not is_calibrated else axis
        for name, axis in supported.items()
    )


def step_losses(axes: Sequence[Axis]) -> Iterator[str]:
    """Yield a loss for each step missing from an ImageJ hyperstack and kept only in our record."""
    for axis, supported in zip(axes, supported_axes(axes), strict=True):
        is_calibrated = axis.unit is not None or axis.scale != 1
        if is_calibrated and not supported.unit and is_valid_scale(axis.scale):
            yield (
                f"other programs see axis {axis.name} without its step ({axis.scale:g} "
                f"{axis.unit or 'pixel'}), which an ImageJ hyperstack cannot hold; napari-ferry "
                "restores it"
            )


def _supported_axis(axis: Axis) -> Axis:
    """Return an axis in a unit supported by ImageJ, or uncalibrated."""
    unit, scale = normalize(axis.unit), axis.scale
    if unit in _MICROMETERS:
        unit, scale = "micrometer", scale * _MICROMETERS[unit]
    if axis.name == "t" and unit in SECONDS:
        unit, scale = "second", scale * SECONDS[unit]
    low, high = _RATIONAL_STEPS if axis.name in ("y", "x") else (0.0, math.inf)
    is_supported = axis.name in ("y", "x", "z") or (axis.name == "t" and unit == "second")
    is_valid = is_step(scale) and low <= scale <= high
    return Axis(axis.name, scale, unit) if unit and is_supported and is_valid else Axis(axis.name)


def parse_axis(
    name: str, metadata: Mapping[str, Any], resolution: tuple[float, float] | None
) -> Axis:
    """Return an axis with its calibration, if the metadata contains a valid one."""
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
    # without a unit, a resolution is that of printing and a time step has no meaning

    if unit is None and name != "z":
        return Axis(name)
    step = read_step(value, key)
    return Axis(name, step, unit) if step else Axis(name)


def _inverse(value: float) -> float:
    return 1 / value if value else math.inf
