"""Where rows and frames begin within the window: what does not go on smoothly there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.memo import kept
from napari_ferry.codecs.binary.layout.statistics import above_usual, scale_of, seam_odds, spread_of

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
        return cls(middle, scale_of(few))

    def __call__(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        with np.errstate(invalid="ignore", over="ignore"):
            x = ((values - np.float64(self.middle)) / self.spread).astype(np.float32)
        np.nan_to_num(x, copy=False, nan=0.0, posinf=8.0, neginf=-8.0)
        return np.clip(x, -8, 8, out=x)


@dataclass(frozen=True)
class Column:
    """How unlike neighbors are where a row could end.

    `scores` of rows that begin at each sample, in spreads of all, shape ``(length,)``; `ratios`
    are logarithms of how much likelier that is a seam than not.
    """

    scores: Floats
    ratios: Floats


class Grid:
    """A window of consecutive samples, cut into rows of any length and phase."""

    def __init__(self, window: npt.NDArray[np.float32]) -> None:
        self.x = window
        self.kept: dict[tuple[object, ...], Any] = {}

    def rows(self, length: int, phase: int) -> npt.NDArray[np.float32]:
        """Return whole rows from a sample on, shape ``(rows, length)``."""
        count = max(0, self.x.size - phase) // length
        return self.x[phase : phase + count * length].reshape(count, length)

    @kept
    def column(self, length: int, channels: int) -> Column | None:
        """Return where rows of a length end; None where there are too few."""
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

    @kept
    def steps(self, length: int, phase: int) -> Floats | None:
        """Return how much likelier each row of a length and phase is the first of a frame than not.

        In logarithms, shape ``(rows - 1,)``; None where there are too few rows.
        """
        rows = self.rows(length, phase)
        if len(rows) < 2 * _FAR:
            return None
        rows = rows[:, :: max(1, rows.size // _ROW_SAMPLES)]
        logs = np.log(np.abs(np.diff(rows, axis=0)).mean(1).astype(np.float64) + 1e-4)
        above, spread = above_usual(logs)
        far = float(np.log(np.abs(rows[_FAR:] - rows[:-_FAR]).mean() + 1e-4))
        mu = max(0.02, far - float(np.median(logs)))
        found: Floats = np.clip(seam_odds(above, mu, spread), -4, 4)
        return found
