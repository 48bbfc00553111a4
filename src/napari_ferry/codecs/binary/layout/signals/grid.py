"""Rows of samples on a common scale, in a window and anywhere in a file, and their seams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.source import SampleSource
from napari_ferry.codecs.binary.layout.statistics import (
    log_excess,
    robust_scale,
    scaled_mad,
    seam_log_odds,
)

Floats = npt.NDArray[np.float64]
Scaled = npt.NDArray[np.floating[Any]]

_COLUMN_SAMPLES = 300_000
_ROW_SAMPLES = 1_000_000
_FAR = 12
"""Distance in rows at which rows are as different as any."""


class _HasCache(Protocol):
    cache: dict[tuple[object, ...], Any]


_P = ParamSpec("_P")
_T = TypeVar("_T")
_Self = TypeVar("_Self", bound=_HasCache)


def cached_method(
    method: Callable[Concatenate[_Self, _P], _T],
) -> Callable[Concatenate[_Self, _P], _T]:
    """Cache the results of a method in the dictionary `cache` of its object.

    Unlike `functools.cache` it keeps no object alive, and windows are large.
    """

    @wraps(method)
    def cached(self: _Self, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Return the cached result for the arguments, computed on the first call."""
        key = (method.__name__, *args, *kwargs.items())
        if key not in self.cache:
            self.cache[key] = method(self, *args, **kwargs)
        result: _T = self.cache[key]
        return result

    return cached


@dataclass(frozen=True)
class Scale:
    """Linear map of samples to a common scale, with outliers clipped."""

    middle: float
    spread: float

    @classmethod
    def from_window(cls, window: npt.NDArray[Any]) -> Scale:
        """Measure the scale of consecutive samples, shape ``(n,)``."""
        with np.errstate(invalid="ignore"):
            few = window[:: max(1, window.size // 50_000)].astype(np.float64)
        few = few[np.isfinite(few)]
        if not few.size:
            return cls(0.0, 1.0)
        middle = float(np.median(few))
        return cls(middle, robust_scale(few))

    def __call__(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        with np.errstate(invalid="ignore", over="ignore"):
            x = ((values - np.float64(self.middle)) / self.spread).astype(np.float32)
        np.nan_to_num(x, copy=False, nan=0.0, posinf=8.0, neginf=-8.0)
        return np.clip(x, -8, 8, out=x)


class RowReader:
    """Rows of a file of one sample type, on a common scale; each is read once."""

    def __init__(self, source: SampleSource, dtype: np.dtype[Any], scale: Scale) -> None:
        self.source, self.dtype, self.scale = source, dtype, scale
        self.cache: dict[tuple[object, ...], Any] = {}

    def samples(self, start: int, count: int) -> Scaled:
        """Read samples from a byte on, shape ``(n,)`` with n <= `count`."""
        return self.scale(self.source.read_samples(start, count, self.dtype))

    @cached_method
    def rows(self, start: int, count: int, length: int, width: int = 0) -> Scaled:
        """Read rows of `length` samples from a byte on, shape ``(rows, samples)``.

        Only the first `width` samples of each row are read; all of them if `width` is 0.
        """
        if not 0 < width < length:
            samples = self.samples(start, count * length)
            return samples[: samples.size // length * length].reshape(-1, length)

        offsets = [start + k * length * self.dtype.itemsize for k in range(count)]
        parts = [self.samples(offset, width) for offset in offsets]
        whole = [part for part in parts if part.size == width]
        return np.stack(whole) if whole else np.empty((0, width), np.float32)


@dataclass(frozen=True)
class ColumnSeam:
    """Differences between neighboring samples at each possible row end.

    `scores` of rows that begin at each sample, in spreads of all, shape ``(length,)``; `log_odds`
    of each to be the seam between rows.
    """

    scores: Floats
    log_odds: Floats


class Grid:
    """A window of consecutive samples, cut into rows of any length and phase."""

    def __init__(self, window: npt.NDArray[np.float32]) -> None:
        self.x = window
        self.cache: dict[tuple[object, ...], Any] = {}

    def rows(self, length: int, phase: int) -> npt.NDArray[np.float32]:
        """Return the whole rows from a sample on, shape ``(rows, length)``."""
        count = max(0, self.x.size - phase) // length
        return self.x[phase : phase + count * length].reshape(count, length)

    @cached_method
    def column_seam(self, length: int, channels: int) -> ColumnSeam | None:
        """Compare the possible row ends of rows of a length; None for too few rows."""
        nrows = min((self.x.size - channels) // length, max(64, _COLUMN_SAMPLES // length))
        if nrows < 4 or length // channels < 12:
            return None

        # The step to each column, averaged over rows and over the channels of a pixel.
        first = (self.x.size - channels - nrows * length) // 2 // length * length
        part = self.x[first : first + nrows * length + channels]
        steps = np.abs(part[channels:] - part[:-channels]).reshape(nrows, length).mean(0)
        ring = np.concatenate([[0.0], steps[-channels:], steps]).cumsum()
        logs = np.log((ring[channels:] - ring[:-channels])[:length] / channels + 1e-6)
        middle = float(np.median(logs))
        spread = float(np.sqrt(scaled_mad(logs) ** 2 + 0.02**2))

        # At a seam, neighbors differ as much as samples half a row apart.
        half = length // channels // 2 * channels
        far = float(np.log(np.abs(part[half:] - part[:-half]).mean() + 1e-6))
        mu = far - middle
        log_odds = seam_log_odds(logs - middle, mu, spread) if mu >= 0.05 else np.zeros_like(logs)
        return ColumnSeam((logs - middle) / spread, log_odds)

    def phases(self, length: int, channels: int) -> list[int]:
        """Return up to three possible first samples of rows, the clearest seam first."""
        column = self.column_seam(length, channels)
        if column is None:
            return []
        scores, phases = column.scores.copy(), list[int]()
        while len(phases) < 3 and scores.max() > 2.5:
            phases.append(int(np.argmax(scores)))
            scores[(phases[-1] + np.arange(-2 * channels, 2 * channels + 1)) % length] = 0
        return phases

    @cached_method
    def frame_log_odds(self, length: int, phase: int) -> Floats | None:
        """Return the log odds of each row to be the first of a frame, shape ``(rows - 1,)``.

        None for too few rows.
        """
        rows = self.rows(length, phase)
        if len(rows) < 2 * _FAR:
            return None
        rows = rows[:, :: max(1, rows.size // _ROW_SAMPLES)]
        logs = np.log(np.abs(np.diff(rows, axis=0)).mean(1).astype(np.float64) + 1e-4)
        excess, spread = log_excess(logs)
        far = float(np.log(np.abs(rows[_FAR:] - rows[:-_FAR]).mean() + 1e-4))
        mu = max(0.02, far - float(np.median(logs)))
        log_odds: Floats = np.clip(seam_log_odds(excess, mu, spread), -4, 4)
        return log_odds
