"""Code lengths of smooth samples.

The code is a zero-inflated two-sided geometric code of the differences between samples and their
predictions. It is metric, so it distinguishes byte orders, unlike the entropy of bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.statistics import robust_scale

Floats = npt.NDArray[np.float64]

BLOCK = 96
"""Number of residuals with a code of their own."""
_SEGMENTS, _SEGMENT = 20, 20 * BLOCK
FEW_SEGMENTS = 8
_PERIOD_SAMPLES, _MAX_PERIOD = 60_000, 32
_FEW_SLICES = 4
"""Number of slices to search for pixels of more than four samples."""
_WIDEST = 8
"""Bytes of the widest number."""
_PERIODIC = 0.8
"""Step between pixels of more than four samples, as a share of the smallest between others."""


def _code_bits(zeros: Floats, mean: Floats) -> Floats:
    """Return bits per residual, from the share of zeros and the mean size."""
    p0 = np.clip(zeros, 1e-9, 1 - 1e-9)
    m1 = np.maximum(1 + 1e-9, mean / (1 - p0))
    h2 = -p0 * np.log2(p0) - (1 - p0) * np.log2(1 - p0)
    total: Floats = h2 + (1 - p0) * (1 + np.log2(m1) - (m1 - 1) * np.log2(1 - 1 / m1))
    return total


def code_cost(numbers: Floats, quantum: float | Floats, itemsize: float) -> tuple[float, float]:
    """Return bits per byte at the best lag, and the asymmetry of its phases.

    The halves of a wider number differ at even lags, so these count if they cost little more.
    """
    period = _pixel_period(numbers[:: max(1, len(numbers) // _FEW_SLICES)].ravel())
    lags = (1, 2, 3, 4) if period is None else (1, 2, 3, 4, period)
    phases = {lag: _phase_bits(numbers, quantum, lag) for lag in lags}
    means = {lag: float(per_phase.mean()) for lag, per_phase in phases.items()}
    best = min(means, key=lambda lag: means[lag] + (0.04 * itemsize if lag > 1 else 0.0))
    if best == period:
        asymmetry = _part_asymmetry(phases[period], itemsize)
        return min(means[period], 8.0 * itemsize) / itemsize, asymmetry

    close = 1.25 * means[best] + 0.01
    near = {best} | {lag for lag in (2, 4) if means[lag] < close}
    if best == 4 and _has_alpha(phases[4]):
        near = {4}
    asymmetry = max(_asymmetry(phases[lag]) for lag in near)
    return min(means[best], 8.0 * itemsize) / itemsize, asymmetry


def _phase_bits(numbers: Floats, quantum: float | Floats, lag: int) -> Floats:
    """Return bits per sample of differences at a lag for each phase, shape ``(lag,)``."""
    with np.errstate(over="ignore"):
        residual = np.abs(numbers[:, lag:] - numbers[:, :-lag])
        residual /= quantum if isinstance(quantum, float) else quantum[:, lag:]
    np.minimum(residual, 1e30, out=residual)
    nblocks = residual.shape[1] // (BLOCK * lag)
    if not nblocks:
        return np.full(lag, np.inf)
    blocks = residual[:, : nblocks * BLOCK * lag].reshape(-1, nblocks, BLOCK, lag)
    per_phase: Floats = _code_bits((blocks < 0.5).mean(2), blocks.mean(2)).mean((0, 1))
    return per_phase


def _has_alpha(per_phase: Floats) -> bool:
    """Return True if the fourth phase is cheap enough for an alpha channel."""
    return bool(per_phase[3] < 0.02 * per_phase.max())


def _part_asymmetry(per_phase: Floats, itemsize: float) -> float:
    """Return the asymmetry of the parts of wider numbers among the phases of a large lag.

    The phases themselves are those of channels, which may differ.
    """
    widths = [n for n in (2, 4, 8) if n * itemsize <= _WIDEST and per_phase.size % n == 0]
    return max((_asymmetry(per_phase.reshape(-1, n).mean(0)) for n in widths), default=0.0)


def _asymmetry(per_phase: Floats) -> float:
    """Return the range of the costs of the phases, as a share of the largest."""
    most = float(per_phase.max())
    if most <= 0 or not np.isfinite(most):
        return 0.0
    if per_phase.size == 4 and _has_alpha(per_phase):
        per_phase = per_phase[:3]  # alpha is cheap, unlike colors
    return float((per_phase.max() - per_phase.min()) / most)


class RowCoder:
    """Code lengths of a few segments of consecutive samples, for any row and channels."""

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self._x = x = _finite_floats(values)
        few = x[:: max(1, x.size // 20000)]
        if values.dtype.kind == "f":
            self._step = float(np.median(float_step(few, np.finfo(values.dtype).nmant)))
        else:
            steps = np.abs(np.diff(values[:100000].astype(np.int64)))
            self._step = float(int(np.gcd.reduce(steps)) or 1)
        self.pixel_period = _pixel_period(x)
        periods = (2, 3, 4) if self.pixel_period is None else (2, 3, 4, self.pixel_period)
        self._shares, self.proofs = _phase_differences(x, periods)
        self.alone = min(self._cost([lag]) for lag in (1, 2, 3, 4))

    def code(self, length: int, channels: int, most: int = _SEGMENTS) -> float:
        """Return the code length in bits per sample, of at most `most` segments."""
        return self._cost([channels, length], most)

    def _cost(self, lags: list[int], most: int = _SEGMENTS) -> float:
        """Return bits per sample of predictions from the samples at one or two lags."""
        first = sum(lags)
        nseg = max(1, min(most, (self._x.size - first) // _SEGMENT))
        starts = np.linspace(first, max(first, self._x.size - _SEGMENT), nseg).astype(np.int64)
        size = min(_SEGMENT, self._x.size - first) // BLOCK * BLOCK
        if size <= 0:
            return float("inf")

        at = starts[:, None] + np.arange(size)
        here, left = self._x[at], self._x[at - lags[0]]
        guesses = [left]
        if len(lags) > 1:
            top, corner = self._x[at - lags[1]], self._x[at - first]
            guesses += [top, left + top - corner, (left + top) / 2]

        # Each block takes the best prediction.
        best = None
        for guess in guesses:
            residual = (np.abs(here - guess) / self._step).reshape(-1, BLOCK)
            cost = _code_bits((residual < 0.5).mean(1), residual.mean(1))
            best = cost if best is None else np.minimum(best, cost)
        return float(np.mean(best)) if best is not None else float("inf")

    def uneven(self, length: int, channels: int) -> float:
        """Return the largest difference between interleaved samples other than channels."""
        return max(
            (
                share
                for period, share in self._shares.items()
                if length % period == 0 and channels % period
            ),
            default=0.0,
        )


def _pixel_period(x: Floats) -> int | None:
    """Return the number of samples of a pixel if they are more than four; ``None`` otherwise.

    Samples differ least from those of the same channel, while those of an image differ more with
    their distance.
    """
    few = x[:_PERIOD_SAMPLES]
    if few.size < 4 * _MAX_PERIOD:
        return None
    middle, most = np.median(few), 8 * robust_scale(few)
    few = np.clip(few, middle - most, middle + most)
    steps = np.array([np.abs(few[n:] - few[:-n]).mean() for n in range(1, _MAX_PERIOD + 1)])
    period = 5 + int(np.argmin(steps[4:]))
    smaller = [n for n in range(5, period) if period % n == 0 and steps[n - 1] < 1.1 * steps.min()]
    period = min(smaller, default=period)
    return period if steps[period - 1] < _PERIODIC * steps[:4].min() else None


def _phase_differences(
    x: Floats, periods: Sequence[int]
) -> tuple[dict[int, float], dict[int, float]]:
    """Compare the steps between neighbors in each phase of some periods.

    Returns the differences of their sizes as a share of the mean, by period; then those of sizes or
    signs in standard deviations.
    """
    steps = np.diff(x[:240_000])
    if not steps.any():
        return {}, {}
    most = np.percentile(np.abs(steps[steps != 0]), 99)
    steps = np.clip(steps, -most, most)

    shares, proofs = {}, {}
    for period in periods:
        signed = steps[: steps.size // period * period].reshape(-1, period)
        sizes = np.abs(signed)
        mean = sizes.mean(0)
        shares[period] = float(np.ptp(mean) / max(mean.mean(), 1e-12))
        error = np.sqrt(len(signed))
        proofs[period] = float(
            max(
                np.ptp(mean) / max(sizes.std(0).mean(), 1e-12) * error,
                np.ptp(signed.mean(0)) / max(signed.std(0).mean(), 1e-12) * error,
            )
        )
    return shares, proofs


def _finite_floats(values: npt.NDArray[Any]) -> Floats:
    """Convert numbers to floats; NaN, infinite and implausible ones become 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        x = values.astype(np.float64)
        x[~(np.abs(x) < 1e30)] = 0.0
    return x


def float_step(numbers: Floats, mantissa: int) -> Floats:
    """Return the step between occurring floats, at each number."""
    fraction, exponent = np.frexp(numbers)
    whole = np.abs(fraction * 2.0 ** (mantissa + 1)).astype(np.int64)
    lowest = np.log2(np.maximum(whole & -whole, 1))
    exact = numbers != 0
    if not exact.any():
        return np.ones_like(numbers)
    exponent = np.maximum(exponent, np.median(exponent[exact]) - 12)
    zeros = np.percentile(lowest[exact], 1)
    last = np.percentile((exponent - mantissa - 1 + lowest)[exact], 1)
    step: Floats = 2.0 ** np.maximum(exponent - 1.0 - mantissa + zeros, last)
    return step
