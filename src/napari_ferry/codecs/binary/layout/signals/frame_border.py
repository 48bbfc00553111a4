"""Borders of frames, to the sample: discontinuities between rows.

The first row of a frame differs from the last row of the frame before. So the steps from one row to
the next are large for the length of one row, or of one row and the gap between the frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.statistics import NEIGHBORHOOD, log_excess, scaled_mad

Floats = npt.NDArray[np.float32]
Odds = npt.NDArray[np.float64]

_PARTS = 8
"""Positions in a row at which borders are searched first."""
_NEAR, _FAR = (-4, -3, -2, 2, 3, 4), 6
"""Rows around one that give the usual step, and the distance of rows that differ as much as any."""
_CLEAR, _MAX_BREAKS = 6.0, 6
"""Excess of a step that may be a border, in spreads, and the number of them that count."""
_MANY_FRAMES, _FEW_FRAMES, _MAX_ROWS, _MAX_SAMPLES = 16, 8, 48, 200_000
"""Frames compared in a close search and in a first one, rows of each, and samples of all."""
SLACK, _MAX_SLACK, _FINE = 16, 256, 64
"""Error of a pitch from a repeat and from two breaks, in samples; steps of a row in its search."""
_MAX_MOVED, _BETTER = 4, 1.15
"""Error of a pitch in rows if the camera moved, and the ratio by which another must be better."""
_MAX_BORDERS, _PER_GAP, _CLEARLY = 6, 2, 0.85
"""Borders returned, positions tried for each gap, and share of the best score that is as good."""
_LEAST_NATS, _MAX_SAMPLE_NATS = 5.0, 20.0
"""Least log odds of a border, and largest log odds of a single sample."""


@dataclass(frozen=True, kw_only=True)
class Border:
    """Border between frames, in samples or in bytes.

    Frames begin every `pitch`, the first at `first`, which is below `pitch`. The last `gap` samples
    before a frame belong to no frame. `score` is the log odds of the border, in nats.
    """

    pitch: int
    first: int
    gap: int
    score: float


class BorderFinder:
    """Search for the borders of frames with rows of one length, in a window of samples."""

    def __init__(self, window: Floats, length: int, channels: int) -> None:
        self._x, self._length, self._channels = window, length, channels
        self._steps = np.abs(window[length:] - window[:-length])
        self._at = np.arange(self._steps.size * _PARTS // length + 1) * length // _PARTS

    @cached_property
    def _excess(self) -> Odds:
        """Excess of the step to the row at each eighth of a row over its neighbors, in spreads."""
        if self._length < _PARTS:
            return np.zeros(0)

        # The mean step to the row that begins at each position, and its usual value.
        parts = np.add.reduceat(self._steps[: self._at[-1]], self._at[:-1])
        total = np.concatenate([[0.0], np.cumsum(parts, dtype=np.float64)])
        rows = (total[_PARTS:] - total[:-_PARTS]) / self._length
        rows = rows[: rows.size // _PARTS * _PARTS].reshape(-1, _PARTS)
        if len(rows) < 2 * NEIGHBORHOOD:
            return np.zeros(0)
        excess, spread = log_excess(np.log(rows + 1e-4))
        clipped: Odds = np.clip(excess / spread, -_CLEAR, 2 * _CLEAR).ravel()
        return clipped

    @property
    def distances(self) -> list[int]:
        """Distances between the clearest breaks in samples, the pitches of dissimilar frames."""
        distances = {abs(a - b) for a, b in combinations(self.breaks[:4], 2)}
        return [n for n in sorted(distances) if n > 8 * self._length]

    @property
    def slack(self) -> int:
        """Error of these distances, in samples."""
        return min(2 * self._length // _PARTS + SLACK, _MAX_SLACK)

    @cached_property
    def breaks(self) -> list[int]:
        """Samples of the largest discontinuities between rows, the clearest first."""
        excess, breaks = self._excess.copy(), list[int]()
        while excess.size and len(breaks) < _MAX_BREAKS and excess.max() > _CLEAR:
            at = int(np.argmax(excess))
            breaks.append(int(self._at[at]) + self._length)
            excess[max(0, at - 2 * _PARTS) : at + 2 * _PARTS + 1] = 0
        return breaks

    def find(
        self, pitch: int, gaps: Callable[[int], list[int]], slack: int = SLACK
    ) -> list[Border]:
        """Return the likeliest borders of frames with a pitch.

        Parameters
        ----------
        pitch : int
            Distance between frames in samples.
        gaps : callable
            Returns the possible gaps for a pitch, in samples.
        slack : int
            Error of the pitch, in samples.
        """
        if not self._excess.size or pitch < self._length:
            return []

        # The shift of the pitch is found around the coarse position of the border.
        first = self._fold(pitch)[0]
        margin = self._length // _PARTS + slack + max(gaps(pitch), default=0)
        moved = pitch + self._shift(first - margin, pitch, margin, slack)
        borders = [
            border
            for near in {pitch, moved}
            for border in self._at_pitch(first - margin, near, margin, gaps)
        ]

        # Among borders of nearly the same score, those with short gaps come first.
        clear = _CLEARLY * max((border.score for border in borders), default=0.0)
        return sorted(
            borders, key=lambda border: (border.score < clear, border.gap, -border.score)
        )[:_MAX_BORDERS]

    def _shift(self, first: int, pitch: int, margin: int, most: int) -> int:
        """Return the correction of a pitch in samples, of at most `most`."""
        odds = self._border_odds(first, pitch, 2 * (margin + self._length), _FEW_FRAMES)
        column = self._row_start_odds(first, margin // self._length + 3, pitch, _FEW_FRAMES)
        rows = np.cumsum(odds, axis=1)
        rows = rows[:, self._length :] - rows[:, : -self._length]
        around = np.concatenate([column, column], 1)

        # With the right correction, the evidence of all frames adds up at one position.
        shifts, turns = np.arange(-most, most + 1), np.arange(_FEW_FRAMES) - _FEW_FRAMES // 2
        coarse = shifts[:: max(1, self._length // _FINE)]  # as sums over a row change slowly
        of_rows = [_sum_moved(rows, by * turns, rows.shape[1]).max(initial=0.0) for by in coarse]
        of_columns = [
            _sum_moved(around, by * turns % self._length, self._length).max(initial=0.0)
            for by in shifts
        ]
        scores = np.interp(shifts, coarse, of_rows) + of_columns
        return int(shifts[np.argmax(scores)])

    def _at_pitch(
        self, first: int, pitch: int, margin: int, gaps: Callable[[int], list[int]]
    ) -> list[Border]:
        """Return the likeliest borders of frames with an exact pitch, the first after `first`."""
        odds = self._border_odds(first, pitch, 2 * (margin + self._length), _MANY_FRAMES)
        column = self._row_start_odds(first, margin // self._length + 3, pitch, _MANY_FRAMES)
        borders = [
            Border(
                pitch=pitch, first=(first + at + gap + self._length) % pitch, gap=gap, score=score
            )
            for at, gap, score in _best_positions(odds.sum(0), column.sum(0), gaps(pitch))
        ]
        best = max((border.score for border in borders), default=0.0)
        least = max(_LEAST_NATS, 0.5 * best)
        return [border for border in borders if border.score > least]

    def nearby(self, pitch: int) -> list[int]:
        """Return a pitch, and a better one a few rows away if it exists.

        If the camera moved, frames are most similar a few rows away from their pitch.
        """
        tried = [pitch + rows * self._length for rows in range(-_MAX_MOVED, _MAX_MOVED + 1)]
        scores = [self._fold(near)[1] for near in tried]
        best = int(np.argmax(scores))
        return [pitch, tried[best]] if scores[best] > _BETTER * scores[_MAX_MOVED] else [pitch]

    def _fold(self, pitch: int) -> tuple[int, float]:
        """Return the coarse position of the border of frames with a pitch, and its score."""
        phase = self._at[: self._excess.size] % pitch
        nbins = max(1, pitch * _PARTS // self._length)
        bins = np.minimum(phase * _PARTS // self._length, nbins - 1)
        count = np.bincount(bins, minlength=nbins)
        mean = np.bincount(bins, self._excess, nbins) / np.sqrt(np.maximum(count, 1))
        at = int(np.argmax(mean))
        return at * self._length // _PARTS, float(mean[at])

    def _border_odds(self, first: int, pitch: int, size: int, count: int) -> Odds:
        """Return the log odds of samples around some borders to be at a border.

        Shape ``(frames, samples)``, in nats.
        """
        count = min(count, max(2, _MAX_SAMPLES // size))
        starts = _middle(np.arange(first, self._steps.size - size - 1, pitch), 0, count)
        at = starts[:, None] + np.arange(size)

        # Steps are compared with those a few rows away, and with rows far away.
        here, last = self._steps[at], self._steps.size - 1
        near = [self._steps[np.clip(at + k * self._length, 0, last)] for k in _NEAR]
        few = self._steps[:: max(1, self._steps.size // 20_000)]
        usual = np.maximum(np.mean(near, 0), 0.05 * float(few.mean()) + 1e-4)
        reach, end = _FAR * self._length, self._x.size - 1
        away = np.abs(self._x[np.clip(at + reach, 0, end)] - self._x[np.clip(at - reach, 0, end)])
        return np.clip(_log_odds(here, usual, away.mean(1, keepdims=True)), -3, 3)

    def _row_start_odds(self, first: int, rows: int, pitch: int, count: int) -> Odds:
        """Return the log odds of each sample of a row to be the first of a row.

        They are measured in some frames that begin less than `rows` rows after `first`. Shape
        ``(frames, length)``, in nats.
        """
        length, channels = self._length, self._channels
        first += rows * length
        nrows = min(_MAX_ROWS, max(8, _MAX_SAMPLES // (4 * length)), pitch // length - 2 * rows)
        size = nrows * length
        count = min(count, max(2, _MAX_SAMPLES // max(size, 1)))
        starts = _middle(np.arange(first, self._x.size - size, pitch), channels, count)
        if nrows < 4 or not starts.size:
            return np.zeros((1, length))

        # The mean step to each sample, over the rows of a frame and the channels of a pixel.
        pieces = self._x[starts[:, None] + np.arange(-channels, size)]
        steps = np.abs(pieces[:, channels:] - pieces[:, :-channels])
        steps = steps.reshape(starts.size, nrows, length).mean(1)
        ring = np.concatenate([steps[:, :1] * 0, steps, steps[:, : channels - 1]], 1).cumsum(1)
        mean = (ring[:, channels:] - ring[:, :-channels]) / channels

        half = max(channels, length // channels // 2 * channels)
        far = np.abs(pieces[:, half:] - pieces[:, :-half]).mean(1, keepdims=True)
        odds = _log_odds(mean, np.median(mean, 1, keepdims=True) + 1e-4, far)
        total: Odds = np.maximum(odds - 2 * scaled_mad(odds), -1) * nrows
        return total


def _middle(starts: npt.NDArray[np.int64], least: int, count: int) -> npt.NDArray[np.int64]:
    """Return at most `count` of the starts from `least` on, taken from the middle."""
    starts = starts[starts >= least]
    first = max(0, starts.size - count) // 2
    return starts[first : first + count]


def _log_odds(steps: Floats, usual: Floats | float, far: Floats | float) -> Odds:
    """Return the log odds of steps to have the mean `far` rather than `usual`, in nats.

    Steps are assumed to be distributed exponentially.
    """
    far = np.maximum(far, 1.05 * usual)
    odds: Odds = np.log(usual / far) + np.minimum(steps, 2 * far) * (1 / usual - 1 / far)
    return np.minimum(odds, _MAX_SAMPLE_NATS)


def _sum_moved(rows: Odds, moves: npt.NDArray[np.int64], size: int) -> Odds:
    """Return the sum of `size` samples of some rows, each moved back."""
    total = np.zeros(size)
    for row, by in zip(rows, moves.tolist(), strict=False):
        if by >= 0:
            part = row[by : by + size]
            total[: part.size] += part
        elif -by < size:
            total[-by:] += row[: size + by]
    return total


def _best_positions(odds: Odds, column: Odds, gaps: list[int]) -> list[tuple[int, int, float]]:
    """Return the best positions of a border for each gap, each with the gap and its score.

    Odds count by their excess over a share of those of the clearest row.
    """
    length = column.size
    total = np.concatenate([[0.0], np.cumsum(odds)])
    rows = (total[length:] - total[:-length]) / length
    usual = float(np.median(rows))
    total -= (usual + 0.4 * float(rows.max() - usual)) * np.arange(total.size)
    positions = []
    for gap in gaps:
        n = total.size - length - gap
        if n < 1:
            continue

        end = total[length + gap : length + gap + n]
        sums = end - total[:n]
        if gap > length:  # the rows of a long gap may be similar to each other
            between = total[gap : gap + n] - total[length : length + n]
            sums = sums - np.minimum(between, 0)
        sums = sums + column[(np.arange(n) + gap) % length]
        for _ in range(_PER_GAP):
            at = int(np.argmax(sums))
            positions.append((at, gap, float(sums[at])))
            sums[max(0, at - 3) : at + 4] = -np.inf
    return positions
