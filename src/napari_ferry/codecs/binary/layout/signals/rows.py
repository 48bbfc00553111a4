"""Row lengths and channels, judged by a code that predicts from the left, above, and both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.layout import KnownFields
from napari_ferry.codecs.binary.layout.signals.autocorrelation import MAX_ROW, Periods
from napari_ferry.codecs.binary.layout.signals.sample_type import BLOCK, bits, finite, float_step
from napari_ferry.codecs.binary.layout.usual_sizes import HEADERS, POPULAR

Floats = npt.NDArray[np.float64]

_SEGMENTS, _SEGMENT = 20, 20 * BLOCK
_FEW_SEGMENTS = 8
_KEPT = 13


@dataclass(frozen=True)
class Row:
    """A row of `length` samples in pixels of `channels`, and what speaks for it.

    `code` is bits per sample, `lost` and `gain` compare it with the best row and with no row,
    `split` with the same row of other channels;
    `uneven` is how unlike interleaved samples are that `channels` does not explain, and `proof`
    how unlike those of `channels` are, in standard deviations. Where there is a `mosaic` of color
    filters, a row stands for two rows of the image, and what would be its two channels are columns;
    `half` is the score of one of them.
    """

    length: int
    channels: int
    z: float
    comb: float
    harmony: float
    code: float
    lost: float
    gain: float
    split: float
    uneven: float
    proof: float
    mosaic: bool = False
    half: float = 0.0

    @property
    def x(self) -> int:
        """Pixels of the image from left to right."""
        return self.length // self.channels

    @property
    def lines(self) -> int:
        """Rows of the image that the row stands for."""
        return 2 if self.mosaic else 1


def find_rows(
    values: npt.NDArray[Any], periods: Periods, size: int, known: KnownFields
) -> list[Row]:
    """Return the likeliest rows of consecutive samples, shape ``(n,)``, of so many bytes."""
    lengths = _lengths(periods, size, values.dtype.itemsize, known)
    lengths = [length for length in lengths if 2 * length < values.size]
    if not lengths:
        return []
    coder = _Coder(values)
    codes = np.array([coder.code(length, 1, _FEW_SEGMENTS) for length in lengths])
    scores = np.array([periods.at(n) + periods.comb(n) for n in lengths])
    harmony = periods.harmony(lengths)
    popular = np.array([any(n in (p, 3 * p, 4 * p) for p in POPULAR) for n in lengths])
    order = np.argsort(
        -(np.log1p(np.maximum(scores, 0)) * 3 + 10 * harmony + popular)
        + 4 * (codes - codes.min()) / max(coder.alone - codes.min(), 0.1)
    )
    kept = [lengths[i] for i in order[:_KEPT]]
    found = [
        (length, channels, coder.code(length, channels))
        for length in kept
        for channels in _channels(length, known)
    ]
    found = _plausible(found, coder)
    best = min(code for _, _, code in found)
    room = max(coder.alone - best, 0.004)
    plain = [
        Row(
            length,
            channels,
            periods.at(length),
            periods.comb(length),
            float(periods.harmony(length)[0]),
            code,
            (code - best) / room,
            coder.alone - code,
            min((c for n, k, c in found if n == length and k != channels), default=code) - code,
            coder.uneven(length, channels),
            coder.proofs.get(channels, 0.0),
        )
        for length, channels, code in found
    ]
    return plain + [
        replace(row, mosaic=True, half=half)
        for row in plain
        if (half := _half_score(row, periods, known)) > 5
    ]


def _half_score(row: Row, periods: Periods, known: KnownFields) -> float:
    """Return how much half a row repeats, if it may be one row under filters of two colors."""
    half = row.length // 2
    may_be = (
        row.channels == 2
        and half >= 16
        and half % 2 == 0
        and row.proof > 5
        and known.channels in (None, 1)
        and known.x in (None, half)
        and not (known.y or 0) % 2
    )
    return max(periods.at(n) for n in (half - 1, half, half + 1)) if may_be else 0.0


def _channels(length: int, known: KnownFields) -> list[int]:
    if known.x is not None:
        every = [length // known.x]
    else:
        every = [channels for channels in (1, 2, 3, 4) if length % channels == 0]
    allowed = (None, 1) if known.channels is None else (known.channels, 1)
    return [n for n in every if known.channels is None or n in allowed]


def _plausible(found: list[tuple[int, int, float]], coder: _Coder) -> list[tuple[int, int, float]]:
    """Drop numbers of channels that cost clearly more than another of the same row."""
    least: dict[int, float] = {}
    for length, _, code in found:
        least[length] = min(code, least.get(length, code))
    return [
        (length, channels, code)
        for length, channels, code in found
        if code <= least[length] + 0.05 * (1 + least[length]) or coder.uneven(length, 1) > 0.1
    ]


def _lengths(periods: Periods, size: int, itemsize: int, known: KnownFields) -> list[int]:
    """Return row lengths in samples that are worth a look."""
    if known.x is not None:
        channels = (1, 2, 3, 4) if known.channels is None else (1, known.channels)
        return [known.x * n for n in dict.fromkeys(channels)]
    found = list(periods.rows)
    for lag in sorted(periods.rows, key=lambda lag: -periods.rows[lag])[:12]:
        found += [lag // n for n in (2, 3, 4) if lag % n == 0 and periods.comb(lag // n) > 4]
    found += _harmonic(periods)
    for frame in periods.frames:
        found += [n for n in _divisors(frame) if 0.12 < n * n / frame < 8.5]
    best = max(periods.rows.values(), default=0.0)
    found += list(_dividing(size, itemsize, 12 if best < 14 else 4))
    strongest = sorted(periods.rows, key=lambda lag: -periods.rows[lag])[:2]
    found += [p for lag in strongest for p in POPULAR if 0 < abs(p - lag) <= 10]
    return [n for n in dict.fromkeys(found) if 8 <= n <= MAX_ROW]


def _harmonic(periods: Periods) -> list[int]:
    """Return the lengths whose multiples explain most peaks."""
    of_peaks = {lag // n for lag in periods.rows for n in (1, 2, 3, 4, 5, 6, 8, 10)}
    every = np.array(sorted({n for n in of_peaks | set(POPULAR) if n >= 16}))
    scores = periods.harmony(every)
    order = np.argsort(-scores)[:7]
    return [int(every[i]) for i in order if scores[i] > 0.25]


def _dividing(size: int, itemsize: int, count: int) -> Iterable[int]:
    """Yield popular and square sizes that divide a file of some header."""
    found: dict[int, int] = {}
    for header in HEADERS[:8]:
        n = (size - header) // itemsize
        if n <= 0 or (size - header) % itemsize:
            continue
        sides = [p for p in POPULAR if n % (p * p) == 0]
        roots = [round((n / t) ** 0.5) for t in range(1, 201) if n % t == 0]
        sides += [r for r in roots if r >= 24 and n % (r * r) == 0]
        for side in sides:
            found[side] = found.get(side, 0) + 1
    return sorted(found, key=lambda side: -found[side])[:count]


def _divisors(n: int) -> list[int]:
    small = [i for i in range(1, int(n**0.5) + 1) if n % i == 0]
    return small + [n // i for i in small]


class _Coder:
    """Code lengths of a few segments of some samples, for any row and channels."""

    def __init__(self, values: npt.NDArray[Any]) -> None:
        self._x = x = finite(values)
        few = x[:: max(1, x.size // 20000)]
        if values.dtype.kind == "f":
            self._step = float(np.median(float_step(few, np.finfo(values.dtype).nmant)))
        else:
            steps = np.abs(np.diff(values[:100000].astype(np.int64)))
            self._step = float(int(np.gcd.reduce(steps)) or 1)
        self._unlike, self.proofs = _unlike_steps(x)
        self.alone = min(self._cost([lag]) for lag in (1, 2, 3, 4))

    def code(self, length: int, channels: int, most: int = _SEGMENTS) -> float:
        """Return bits per sample, of so many segments at most."""
        return self._cost([channels, length], most)

    def _cost(self, lags: list[int], most: int = _SEGMENTS) -> float:
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
        found = None
        for guess in guesses:
            residual = (np.abs(here - guess) / self._step).reshape(-1, BLOCK)
            cost = bits((residual < 0.5).mean(1), residual.mean(1))
            found = cost if found is None else np.minimum(found, cost)
        return float(np.mean(found)) if found is not None else float("inf")

    def uneven(self, length: int, channels: int) -> float:
        """Return how unlike steps between interleaved samples are, where channels are not it."""
        return max(
            (
                unlike
                for period, unlike in self._unlike.items()
                if length % period == 0 and channels % period
            ),
            default=0.0,
        )


def _unlike_steps(x: Floats) -> tuple[dict[int, float], dict[int, float]]:
    """Return how unlike the steps between neighbors are in each phase of some periods.

    First their sizes, as a share of the mean; then sizes and signs, in standard deviations.
    """
    steps = np.diff(x[:240_000])
    if not steps.any():
        return {}, {}
    most = np.percentile(np.abs(steps[steps != 0]), 99)
    steps = np.clip(steps, -most, most)
    shares, proofs = {}, {}
    for period in (2, 3, 4):
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
