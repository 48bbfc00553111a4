"""Where rows and frames begin within the window: what does not go on smoothly there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.raw_layout.measures import seam_odds, spread_of

Floats = npt.NDArray[np.float64]

_COLUMN_SAMPLES = 300_000
_ROW_SAMPLES = 1_000_000
_FAR = 12


@dataclass(frozen=True)
class Scale:
    """Brings samples to a common scale, without outliers."""

    middle: float
    spread: float

    @classmethod
    def of(cls, window: npt.NDArray[Any]) -> Scale:
        """Return the scale of a window's samples."""
        with np.errstate(invalid="ignore"):
            few = window[:: max(1, window.size // 50_000)].astype(np.float64)
        few = few[np.isfinite(few)]
        if not few.size:
            return cls(0.0, 1.0)
        middle = float(np.median(few))
        return cls(middle, spread_of(few) or 0.3 * float(few.std()) or 1.0)

    def __call__(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        with np.errstate(invalid="ignore", over="ignore"):
            x = ((values - np.float64(self.middle)) / self.spread).astype(np.float32)
        np.nan_to_num(x, copy=False, nan=0.0, posinf=8.0, neginf=-8.0)
        return np.clip(x, -8, 8, out=x)


@dataclass(frozen=True)
class Column:
    """How unlike neighbours are where a row could end.

    `scores` of rows that begin at each sample, in spreads of all, shape ``(length,)``; `ratios`
    are logarithms of how much likelier that is a seam than not.
    """

    scores: Floats
    ratios: Floats


@dataclass(frozen=True)
class Steps:
    """How unlike each row is to the one before it.

    `odds` are logarithms of how much likelier each step is a seam than not, shape ``(rows - 1,)``;
    `excess` the steps above their neighbourhood, in spreads.
    """

    odds: Floats
    excess: Floats


class Grid:
    """A window of consecutive samples, cut into rows of any length and phase."""

    def __init__(self, window: npt.NDArray[Any], scale: Scale) -> None:
        self.scale = scale
        self.x = scale(window)
        self._kept: dict[tuple[object, ...], Any] = {}

    def edge(self, values: npt.NDArray[Any]) -> tuple[int, float]:
        """Return the first sample after which samples are most unlike those before, and how much.

        As a multiple of what is found in as many samples of the window.
        """
        first = self.scale(values)
        count = first.size
        if count < 64 or self.x.size < 3 * count:
            return 0, 0.0
        starts = np.linspace(0, self.x.size - count, 9).astype(int)
        usual = np.median([_split(self.x[start : start + count])[1] for start in starts])
        at, gain = _split(first)
        return at, gain / max(float(usual), 8.0)

    def rows(self, length: int, phase: int) -> npt.NDArray[np.float32]:
        """Return whole rows from a sample on, shape ``(rows, length)``."""
        count = max(0, self.x.size - phase) // length
        return self.x[phase : phase + count * length].reshape(count, length)

    def column(self, length: int, channels: int) -> Column | None:
        """Return where rows of a length end; None where there are too few."""
        key = ("column", length, channels)
        if key not in self._kept:
            self._kept[key] = self._column(length, channels)
        found: Column | None = self._kept[key]
        return found

    def _column(self, length: int, channels: int) -> Column | None:
        nrows = min((self.x.size - channels) // length, max(64, _COLUMN_SAMPLES // length))
        if nrows < 4 or length // channels < 12:
            return None
        first = (self.x.size - channels - nrows * length) // 2 // length * length
        part = self.x[first : first + nrows * length + channels]
        steps = np.abs(part[channels:] - part[:-channels]).reshape(nrows, length).mean(0)
        ring = np.concatenate([[0.0], steps[-channels:], steps]).cumsum()
        logs = np.log((ring[channels:] - ring[:-channels])[:length] / channels + 1e-6)
        middle = float(np.median(logs))
        spread = float(np.sqrt(spread_of(logs) ** 2 + 0.02**2))
        half = length // channels // 2 * channels
        far = float(np.log(np.abs(part[half:] - part[:-half]).mean() + 1e-6))
        mu = far - middle
        ratios = seam_odds(logs - middle, mu, spread) if mu >= 0.05 else np.zeros_like(logs)
        return Column((logs - middle) / spread, ratios)

    def phases(self, length: int, channels: int) -> list[int]:
        """Return the samples at which rows may begin, those of the clearest seams, at most 3."""
        column = self.column(length, channels)
        if column is None:
            return []
        scores, found = column.scores.copy(), list[int]()
        while len(found) < 3 and scores.max() > 2.5:
            found.append(int(np.argmax(scores)))
            scores[(found[-1] + np.arange(-2 * channels, 2 * channels + 1)) % length] = 0
        return found

    def steps(self, length: int, phase: int) -> Steps | None:
        """Return how unlike rows of a length and phase are; None where there are too few."""
        key = ("steps", length, phase)
        if key not in self._kept:
            self._kept[key] = self._steps(length, phase)
        found: Steps | None = self._kept[key]
        return found

    def _steps(self, length: int, phase: int) -> Steps | None:
        from scipy.ndimage import median_filter

        rows = self.rows(length, phase)
        if len(rows) < 2 * _FAR:
            return None
        rows = rows[:, :: max(1, rows.size // _ROW_SAMPLES)]
        logs = np.log(np.abs(np.diff(rows, axis=0)).mean(1).astype(np.float64) + 1e-4)
        above = logs - median_filter(logs, 9, mode="nearest")
        spread = float(np.sqrt(spread_of(above) ** 2 + 0.01**2))
        far = float(np.log(np.abs(rows[_FAR:] - rows[:-_FAR]).mean() + 1e-4))
        mu = max(0.02, far - float(np.median(logs)))
        odds = np.clip(seam_odds(above, mu, spread), -4, 4)
        return Steps(odds, np.clip(above / spread, -6, 12))

    def folds(self, length: int, phase: int, heights: list[int]) -> list[tuple[int, int, float]]:
        """Return height, first row of a frame and score where steps repeat about some heights."""
        steps = self.steps(length, phase)
        if steps is None:
            return []
        found = []
        for height in heights:
            near = [y for y in range(max(8, height - 4), height + 5) if 2 * y <= steps.excess.size]
            best = [(y, *_best_phase(steps.excess, y)) for y in near]
            found += sorted(best, key=lambda one: -one[2])[:2]
        return [one for one in dict.fromkeys(found) if one[2] > 4]


def _split(x: npt.NDArray[np.float32]) -> tuple[int, float]:
    """Return where two codes for samples and for their steps save most, and how many nats."""
    n = np.arange(1, x.size - 1)
    gain = np.zeros(n.size)
    for size in (np.abs(np.diff(x)), np.abs(x[1:])):
        total = np.cumsum(size + 1e-3, dtype=np.float64)
        before, after = total[:-1] / n, (total[-1] - total[:-1]) / n[::-1]
        gain += size.size * np.log(total[-1] / size.size) - n * np.log(before)
        gain -= n[::-1] * np.log(after)
    gain[:4] = gain[-4:] = 0
    at = int(np.argmax(gain))
    return at + 2, float(gain[at])


def _best_phase(excess: Floats, height: int) -> tuple[int, float]:
    """Return the row at which frames of a height begin, and its score."""
    count = excess.size // height
    sums = excess[: count * height].reshape(count, height).mean(0)
    at = int(np.argmax(sums))
    return (at + 1) % height, float(sums[at] * np.sqrt(count))
