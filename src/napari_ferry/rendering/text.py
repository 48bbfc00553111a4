"""Format times and lengths as text for pictures."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from napari_ferry.image import Axis
from napari_ferry.units import METERS, SECONDS, to_ome

_LENGTHS = {"km": 1e3, "m": 1.0, "mm": 1e-3, "µm": 1e-6, "nm": 1e-9, "pm": 1e-12}
_TIMES = {"s": 1.0, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}
_ROUND = (1, 2, 5, 10, 15, 20, 25, 50, 75, 100, 125, 150, 200, 500, 750)
"""Lengths of napari's scale bars, times a power of 1000."""

_MOST_DECIMALS = 3
_ALMOST = 1e-6


@dataclass(frozen=True, kw_only=True)
class TimeStamp:
    """Text with the time of each frame, or with its position on another frame axis.

    Parameters
    ----------
    axis : Axis
        Frame axis: distance between frames, their unit, and the coordinate of the first frame.
    first, step : int
        Position of the first frame and distance to the next one; displayed if the axis has no unit.
    count : int
        Number of frames.
    """

    axis: Axis
    first: int
    step: int
    count: int

    def text(self, i: int) -> str:
        """Return the text of frame i."""
        axis = self.axis
        if axis.unit is None:
            return f"{axis.name} {self.first + i * self.step}"
        coordinate = axis.translation + i * axis.scale
        if axis.unit in SECONDS:
            return self._time(coordinate * SECONDS[axis.unit])
        decimals = _decimals(axis.scale, axis.translation)
        return f"{axis.name} {coordinate:.{decimals}f} {to_ome(axis.unit) or axis.unit}"

    def _time(self, seconds: float) -> str:
        """Return a time in one format for all frames, chosen by the longest time."""
        step = self.axis.scale * SECONDS[self.axis.unit or ""]
        begin = self.axis.translation * SECONDS[self.axis.unit or ""]
        longest = max(abs(begin), abs(begin + (self.count - 1) * step))
        if longest < 60:
            name, unit = _largest_unit(longest, _TIMES)
            return f"{seconds / unit:.{_decimals(step / unit, begin / unit)}f} {name}"
        return _clock_time(seconds, _decimals(step, begin), has_hours=longest >= 3600)


def _clock_time(seconds: float, decimals: int, *, has_hours: bool) -> str:
    """Return h:mm:ss or m:ss, with a fraction.

    >>> _clock_time(83.5, 1, has_hours=False), _clock_time(3700, 0, has_hours=True)
    ('1:23.5', '1:01:40')
    """
    ticks = round(abs(seconds) * 10**decimals)
    whole, part = divmod(ticks, 10**decimals)
    minutes, rest = divmod(whole, 60)
    head = f"{minutes // 60}:{minutes % 60:02}" if has_hours else f"{minutes}"
    fraction = f".{part:0{decimals}}" if decimals else ""
    return f"{'-' if seconds < 0 and ticks else ''}{head}:{rest:02}{fraction}"


def _decimals(step: float, begin: float = 0.0) -> int:
    """Return the number of decimals needed to distinguish steps, or to write them exactly.

    >>> _decimals(0.25), _decimals(1 / 30), _decimals(2), _decimals(1, 0.5)
    (2, 2, 0, 1)
    """
    fewest = max(0, math.ceil(-math.log10(abs(step)) - _ALMOST))
    for decimals in range(fewest, _MOST_DECIMALS + 1):
        shifted = [value * 10**decimals for value in (step, begin)]
        if all(abs(number - round(number)) < _ALMOST * abs(step) for number in shifted):
            return decimals
    return fewest


def _largest_unit(value: float, units: Mapping[str, float]) -> tuple[str, float]:
    """Return name and size of the largest unit not larger than a value."""
    names = list(units)
    fitting = [name for name in names if units[name] <= abs(value) * (1 + _ALMOST)]
    name = names[0] if value == 0 else next(iter(fitting), names[-1])
    return name, units[name]


def choose_bar(pixel: float, unit: str | None, max_length: float) -> tuple[float, str]:
    """Return the length of a scale bar in pixels and its text.

    Parameters
    ----------
    pixel : float
        Width of a pixel in `unit`.
    unit : str, optional
        NGFF name of the unit; pixels if absent.
    max_length : float
        Maximum length of the bar in pixels.

    >>> choose_bar(0.5, "micrometer", 150)
    (100.0, '50 µm')
    """
    if unit in METERS:
        name, size = _largest_unit(pixel * max_length * METERS[unit], _LENGTHS)
        in_unit = pixel * METERS[unit] / size
    else:
        name, in_unit = (to_ome(unit) or unit or "px"), pixel

    # a shorter length than the maximum, even if that is round, as in napari
    power = 10.0 ** (3 * math.floor(math.log10(max_length * in_unit) / 3 + _ALMOST))
    number = _ROUND[max(0, bisect_left(_ROUND, max_length * in_unit / power) - 1)]
    return number * power / in_unit, f"{number * power:.6g} {name}"
