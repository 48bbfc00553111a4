"""Periods of rows and frames: peaks of the whitened autocorrelation at several widths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.statistics import robust_scale, scaled_mad

Floats = npt.NDArray[np.float32]

SCALES = (1, 3, 9, 25)
"""Widths of peaks, in lags."""
_TOLERANCES = (1, 2, 4, 8)
"""Error of the lag of a peak of each width."""
MAX_ROW = 24576
_LEAST_ROW = 8
_LEAST_FRAME, _LEAST_REPEAT = 600, 6.5
"""Lag and score of a peak that may be the period of frames."""
_LEAST_PITCH = 6.0


@dataclass(frozen=True, kw_only=True)
class Periods:
    """Scores of all lags, in standard deviations of noise, and the strongest peaks.

    Parameters
    ----------
    scores : tuple of array
        Scores at each width of `SCALES`, shape ``(lags,)`` each.
    rows : dict
        Possible row lengths in samples, with their scores.
    frames : tuple of int
        Lags of the strongest repeats.
    peaks : array
        Lag, score and tolerance of each peak that a period should explain, shape ``(peaks, 3)``.
    """

    scores: tuple[Floats, ...]
    rows: dict[int, float]
    frames: tuple[int, ...]
    peaks: npt.NDArray[np.float64]

    @property
    def max_lag(self) -> int:
        """Largest lag with a score."""
        return self.scores[0].size - 1

    def at(self, lag: int) -> float:
        """Return the best score of a lag, over all widths."""
        return max(float(z[lag]) for z in self.scores) if lag <= self.max_lag else 0.0

    def comb(self, lag: int) -> float:
        """Return the combined score of a lag and its next multiples."""
        ks = np.arange(1, min(6, self.max_lag // lag) + 1)
        if not ks.size:
            return 0.0
        norm = np.sqrt((1 / ks**2).sum())
        return max(float((z[ks * lag] / ks).sum() / norm) for z in self.scores)

    def pitches(self, length: int) -> dict[int, float]:
        """Return the lags of narrow repeats other than whole rows, with their scores.

        The score is the excess of a repeat, of either sign, over all lags within half a row of it.
        Rows of few samples have no such lags.
        """
        if length < _LEAST_ROW:
            return {}
        z, pitches = np.abs(self.scores[0]), dict[int, float]()
        for frame in self.frames:
            for part in range(1, 7):
                first = max(1, frame // part - 8)
                at = first + int(np.argmax(z[first : first + 17]))
                if at % length == 0 or at < 8 * length or at in pitches:
                    continue

                around = z[at - length // 2 : at + length // 2 + 1].copy()
                middle = min(length // 2, at)
                around[middle - 2 : middle + 3] = -np.inf
                score = float(z[at] - around.max())
                if score > _LEAST_PITCH:
                    pitches[at] = score

        # A multiple of a pitch is dropped, unless it is much clearer.
        return {
            at: score
            for at, score in pitches.items()
            if not any(at > lag and at % lag == 0 and 3 * pitches[lag] > score for lag in pitches)
        }

    def harmony(self, lags: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the share of all peaks at multiples of each lag, beyond chance."""
        lag = np.atleast_1d(np.asarray(lags, np.float64))[:, None]
        at, score, tolerance = self.peaks.T
        if not at.size:
            return np.zeros(lag.shape[0])

        near = np.minimum(tolerance, np.maximum(lag / 8, 1))
        counts = at >= 0.9 * lag
        hit = np.abs(at - np.round(at / lag) * lag) <= near
        by_chance = np.minimum(1, (2 * near + 1) / lag)
        weight = np.log1p(score)
        share: npt.NDArray[np.float64] = (weight * counts * (hit - by_chance)).sum(1) / weight.sum()
        return share


def find_periods(values: npt.NDArray[Any]) -> Periods:
    """Find the periods of consecutive samples, shape ``(n,)``."""
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
    return Periods(
        scores=scores,
        rows=rows,
        frames=tuple(dict.fromkeys(lag for lag, _, _ in frames)),
        peaks=peaks,
    )


def _flattened(values: npt.NDArray[Any]) -> Floats:
    """Scale samples, compress outliers, and remove the levels of interleaved channels."""
    with np.errstate(invalid="ignore", over="ignore"):
        x = values.astype(np.float32)
        x[~(np.abs(x) < 1e15)] = 0  # NaN, infinite or implausible
    few = x[:: max(1, x.size // 65536)].astype(np.float64)
    middle = float(np.median(few))
    spread = robust_scale(few)
    x -= np.float32(middle)
    x /= np.float32(1.5 * spread)
    np.arcsinh(x, out=x)

    # Twelve is a multiple of all numbers of channels.
    table = x[: x.size // 12 * 12].reshape(-1, 12)
    table -= table.mean(0)
    return x


def whitened(x: Floats) -> Floats:
    """Return the whitened autocorrelation of the last axis, summed over the other axis.

    Lags 0 to two thirds of the length; the value at lag 0 is 1.
    """
    from scipy import fft
    from scipy.ndimage import uniform_filter1d

    n = x.shape[-1]
    spectrum = fft.rfft(x, fft.next_fast_len(n + n * 2 // 3, real=True))
    power = spectrum.real**2 + spectrum.imag**2
    power = power.sum(0) if power.ndim > 1 else power

    # Dividing by the envelope of the spectrum leaves the periodic part.
    size = max(3, power.size // 56)
    envelope = uniform_filter1d(uniform_filter1d(power, size), size)
    envelope += np.float32(1e-5) * power.mean() + np.float32(1e-30)
    power /= envelope
    rho: Floats = fft.irfft(power)[: n * 2 // 3 + 1]
    rho /= max(float(rho[0]), 1e-30)
    return rho


def _autocorrelation(x: Floats) -> Floats:
    """Return the whitened autocorrelation as z-scores, for lags 0 to two thirds of the length."""
    n = x.size
    rho = whitened(x)
    lags = np.arange(rho.size, dtype=np.float32)
    z: Floats = (rho * n / np.sqrt(n - lags)).astype(np.float32)
    z[0] = 0
    return z


def _widened(z1: Floats, width: int) -> Floats:
    """Return the scores of peaks of several lags, in their own standard deviations."""
    z: Floats = (_box(z1, width) - _box(z1, 8 * width + 1)) * np.float32(np.sqrt(width))
    far = z[z.size // 3 :: max(1, z.size // 65536)]
    if far.size:
        z /= np.float32(max(1.0, scaled_mad(far)))
    return z


def _box(z: Floats, width: int) -> Floats:
    from scipy.ndimage import uniform_filter1d

    means: Floats = uniform_filter1d(z, width)
    return means


def _maxima(z: Floats, count: int, first: int, least: float = 4.0) -> list[int]:
    """Return the lags of the highest local maxima from lag `first` on, the highest first."""
    inner = z[first:-1]
    at = np.flatnonzero((inner >= z[first - 1 : -2]) & (inner > z[first + 1 :]) & (inner >= least))
    order = np.argsort(-inner[at])[:count]
    return [int(lag) for lag in at[order] + first]


def _frame_peaks(scores: tuple[Floats, ...]) -> list[tuple[int, float, int]]:
    """Return lag, score and tolerance of the strongest repeats, of either sign.

    If the mean frame was subtracted, as in dF/F, adjacent frames are anticorrelated.
    """
    peaks = []
    for z, tolerance in zip(scores, _TOLERANCES, strict=True):
        if z.size > 1200:
            size = np.abs(z)
            lags = _maxima(size, 3, _LEAST_FRAME, _LEAST_REPEAT)
            peaks += [(lag, float(size[lag]), tolerance) for lag in lags]
    return peaks


def _peaks(
    scores: tuple[Floats, ...], rows: dict[int, float], frames: list[tuple[int, float, int]]
) -> npt.NDArray[np.float64]:
    """Return lag, score and tolerance of all strong peaks, shape ``(peaks, 3)``."""
    strongest = sorted(rows, key=lambda lag: -rows[lag])[:24]
    best = [int(np.argmax([z[lag] for z in scores])) for lag in strongest]
    of_rows = [
        (lag, rows[lag], _TOLERANCES[scale]) for lag, scale in zip(strongest, best, strict=True)
    ]
    return np.array(of_rows + frames, np.float64).reshape(-1, 3)
