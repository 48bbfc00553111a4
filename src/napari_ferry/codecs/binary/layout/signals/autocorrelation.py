"""Rows and frames as peaks of the whitened autocorrelation, seen at several widths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.statistics import scale_of, spread_of

Floats = npt.NDArray[np.float32]

SCALES = (1, 3, 9, 25)
_TOLERANCES = (1, 2, 4, 8)
MAX_ROW = 24576
_LEAST_ROW = 8


@dataclass(frozen=True)
class Periods:
    """Scores of each lag, in standard deviations of what noise gives.

    `scores` holds one array for each width of `SCALES`, shape ``(lags,)``; `rows` candidates for
    the row's length in samples with their scores; `frames` lags of the strongest repeats, and
    `peaks` lag, score and tolerance of what a period should explain.
    """

    scores: tuple[Floats, ...]
    rows: dict[int, float]
    frames: tuple[int, ...]
    peaks: npt.NDArray[np.float64]

    @property
    def max_lag(self) -> int:
        """The largest lag that has a score."""
        return self.scores[0].size - 1

    def at(self, lag: int) -> float:
        """Return the best score of a lag, over all widths."""
        return max(float(z[lag]) for z in self.scores) if lag <= self.max_lag else 0.0

    def comb(self, lag: int) -> float:
        """Return what a lag and its next multiples score together."""
        ks = np.arange(1, min(6, self.max_lag // lag) + 1)
        if not ks.size:
            return 0.0
        norm = np.sqrt((1 / ks**2).sum())
        return max(float((z[ks * lag] / ks).sum() / norm) for z in self.scores)

    def pitches(self, length: int) -> dict[int, float]:
        """Return the lags of the narrow repeats that are no whole rows of a length, with scores.

        The score is how far a repeat stands above all lags half a row about it; of either sign.
        Rows of few samples leave no lags to compare it with.
        """
        if length < _LEAST_ROW:
            return {}
        z, found = np.abs(self.scores[0]), {}
        for frame in self.frames:
            for part in range(1, 7):
                first = max(1, frame // part - 8)
                at = first + int(np.argmax(z[first : first + 17]))
                if at % length == 0 or at < 8 * length or at in found:
                    continue
                around = z[at - length // 2 : at + length // 2 + 1].copy()
                middle = min(length // 2, at)
                around[middle - 2 : middle + 3] = -np.inf
                score = float(z[at] - around.max())
                if score > 6:
                    found[at] = score
        return {
            at: score
            for at, score in found.items()
            if not any(at > one and at % one == 0 and 3 * found[one] > score for one in found)
        }

    def harmony(self, lags: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the share of all peaks that are multiples of each lag, less what chance gives."""
        lag = np.atleast_1d(np.asarray(lags, np.float64))[:, None]
        at, score, tolerance = self.peaks.T
        if not at.size:
            return np.zeros(lag.shape[0])
        near = np.minimum(tolerance, np.maximum(lag / 8, 1))
        counts = at >= 0.9 * lag
        hit = np.abs(at - np.round(at / lag) * lag) <= near
        by_chance = np.minimum(1, (2 * near + 1) / lag)
        weight = np.log1p(score)
        found: npt.NDArray[np.float64] = (weight * counts * (hit - by_chance)).sum(1) / weight.sum()
        return found


def find_periods(values: npt.NDArray[Any]) -> Periods:
    """Return what repeats in consecutive samples, shape ``(n,)``."""
    z1 = _autocorrelation(_flattened(values))
    scores = (z1, *(_widened(z1, width) for width in SCALES[1:]))
    last = min(MAX_ROW, (z1.size - 1) // 2)
    rows: dict[int, float] = {}
    for z in scores:
        for lag in _maxima(z[: last + 1], 8, 16):
            rows[lag] = max(rows.get(lag, 0.0), float(z[lag]))
    narrow = z1[: last + 1] - _box(z1[: last + 1], 41)
    for lag in _maxima(narrow, 10, 16):
        rows[lag] = max(rows.get(lag, 0.0), float(z1[lag]))
    frames = _frame_peaks(scores)
    peaks = _peaks(scores, rows, frames)
    return Periods(scores, rows, tuple(dict.fromkeys(lag for lag, _, _ in frames)), peaks)


def _flattened(values: npt.NDArray[Any]) -> Floats:
    """Return samples of a common scale, without outliers or the levels of interleaved channels."""
    with np.errstate(invalid="ignore", over="ignore"):
        x = values.astype(np.float32)
        x[~(np.abs(x) < 1e15)] = 0  # none, or beyond all measure
    few = x[:: max(1, x.size // 65536)].astype(np.float64)
    middle = float(np.median(few))
    spread = scale_of(few)
    x -= np.float32(middle)
    x /= np.float32(1.5 * spread)
    np.arcsinh(x, out=x)
    table = x[: x.size // 12 * 12].reshape(-1, 12)
    table -= table.mean(0)
    return x


def whitened(x: Floats) -> Floats:
    """Return the whitened autocorrelation of the last axis, summed over others, from lag 0 on.

    Lags go to two thirds of the length; that of lag 0 is 1.
    """
    from scipy import fft
    from scipy.ndimage import uniform_filter1d

    n = x.shape[-1]
    spectrum = fft.rfft(x, fft.next_fast_len(n + n * 2 // 3, real=True))
    power = spectrum.real**2 + spectrum.imag**2
    power = power.sum(0) if power.ndim > 1 else power
    size = max(3, power.size // 56)
    envelope = uniform_filter1d(uniform_filter1d(power, size), size)
    envelope += np.float32(1e-5) * power.mean() + np.float32(1e-30)
    power /= envelope
    rho: Floats = fft.irfft(power)[: n * 2 // 3 + 1]
    rho /= max(float(rho[0]), 1e-30)
    return rho


def _autocorrelation(x: Floats) -> Floats:
    """Return the whitened autocorrelation as z-scores, lags 0 to two thirds of the length."""
    n = x.size
    rho = whitened(x)
    lags = np.arange(rho.size, dtype=np.float32)
    z: Floats = (rho * n / np.sqrt(n - lags)).astype(np.float32)
    z[0] = 0
    return z


def _widened(z1: Floats, width: int) -> Floats:
    """Return scores of peaks that are several lags wide, in their own standard deviations."""
    z: Floats = (_box(z1, width) - _box(z1, 8 * width + 1)) * np.float32(np.sqrt(width))
    far = z[z.size // 3 :: max(1, z.size // 65536)]
    if far.size:
        z /= np.float32(max(1.0, spread_of(far)))
    return z


def _box(z: Floats, width: int) -> Floats:
    from scipy.ndimage import uniform_filter1d

    found: Floats = uniform_filter1d(z, width)
    return found


def _maxima(z: Floats, count: int, first: int, least: float = 4.0) -> list[int]:
    """Return the highest local maxima from a lag on, the highest first."""
    inner = z[first:-1]
    at = np.flatnonzero((inner >= z[first - 1 : -2]) & (inner > z[first + 1 :]) & (inner >= least))
    order = np.argsort(-inner[at])[:count]
    return [int(lag) for lag in at[order] + first]


def _frame_peaks(scores: tuple[Floats, ...]) -> list[tuple[int, float, int]]:
    """Return lag, score and tolerance of the strongest repeats; of either sign.

    Where frames differ from their mean only, as in dF/F, neighbors are alike in their negative.
    """
    found = []
    for z, tolerance in zip(scores, _TOLERANCES, strict=True):
        if z.size > 1200:
            size = np.abs(z)
            lags = _maxima(size, 3, 600, 6.5)
            found += [(lag, float(size[lag]), tolerance) for lag in lags]
    return found


def _peaks(
    scores: tuple[Floats, ...], rows: dict[int, float], frames: list[tuple[int, float, int]]
) -> npt.NDArray[np.float64]:
    strongest = sorted(rows, key=lambda lag: -rows[lag])[:24]
    best = [int(np.argmax([z[lag] for z in scores])) for lag in strongest]
    of_rows = [
        (lag, rows[lag], _TOLERANCES[scale]) for lag, scale in zip(strongest, best, strict=True)
    ]
    return np.array(of_rows + frames, np.float64).reshape(-1, 3)
