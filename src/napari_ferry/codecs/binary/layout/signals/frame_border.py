"""Where one frame ends and the next begins, at single samples: rows cease to go on there.

The first row of a frame is unlike the last one of the frame before. So steps from one row to the
next are large for one row, or, where something lies between frames, for that and a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.statistics import AROUND, above_usual, spread_of

Floats = npt.NDArray[np.float32]
Odds = npt.NDArray[np.float64]

_PARTS = 8
"""Borders are looked for at each eighth of a row first."""
_NEAR, _FAR = (-4, -3, -2, 2, 3, 4), 6
"""Rows about one that tell what is usual, and how far away rows are as unlike as any."""
_CLEAR, _BREAKS = 6.0, 6
"""Spreads by which a step stands out that may be a border, and how many of those count."""
_FRAMES, _FEW_FRAMES, _ROWS, _MOST_SAMPLES = 16, 8, 48, 200_000
"""Frames whose borders are looked at together, closely or first; rows of each; samples of all."""
SLACK, _MOST_SLACK, _FINE = 16, 256, 64
"""Samples by which a distance may be wrong that was seen as a repeat, or as the way from one border
to another; parts of a row in which that is looked for."""
_MOVED, _BETTER = 4, 1.15
"""Rows by which a distance may be wrong, and how much better another one must be."""
_FOUND, _ALIKE, _CLEARLY = 6, 2, 0.85
"""Borders that are returned, places of each gap, and what share of the best score is as good."""
_LEAST, _MOST = 5.0, 20.0
"""Nats of a border that counts, and those of a single sample at most."""


@dataclass(frozen=True)
class Border:
    """What lies between frames that begin every `pitch` samples, or bytes.

    A frame begins at `first`, which is below `pitch`; before it lie `gap` samples that are of no
    frame. `score` is how much likelier that is than none, in nats.
    """

    pitch: int
    first: int
    gap: int
    score: float


class Borders:
    """Looks for the borders of frames whose rows have one length."""

    def __init__(self, window: Floats, length: int, channels: int) -> None:
        self._x, self._length, self._channels = window, length, channels
        self._steps = np.abs(window[length:] - window[:-length])
        self._at = np.arange(self._steps.size * _PARTS // length + 1) * length // _PARTS

    @cached_property
    def _excess(self) -> Odds:
        """How far the step to the row that begins at each eighth of a row stands out."""
        if self._length < _PARTS:
            return np.zeros(0)
        parts = np.add.reduceat(self._steps[: self._at[-1]], self._at[:-1])
        total = np.concatenate([[0.0], np.cumsum(parts, dtype=np.float64)])
        rows = (total[_PARTS:] - total[:-_PARTS]) / self._length
        rows = rows[: rows.size // _PARTS * _PARTS].reshape(-1, _PARTS)
        if len(rows) < 2 * AROUND:
            return np.zeros(0)
        above, spread = above_usual(np.log(rows + 1e-4))
        found: Odds = np.clip(above / spread, -_CLEAR, 2 * _CLEAR).ravel()
        return found

    @property
    def distances(self) -> list[int]:
        """Distances between the clearest of such rows, in samples, where frames may be unlike."""
        found = {abs(a - b) for a, b in combinations(self.breaks[:4], 2)}
        return [n for n in sorted(found) if n > 8 * self._length]

    @property
    def slack(self) -> int:
        """Samples by which one of these distances may be wrong."""
        return min(2 * self._length // _PARTS + SLACK, _MOST_SLACK)

    @cached_property
    def breaks(self) -> list[int]:
        """The samples at which rows most clearly do not go on, the clearest first."""
        excess, found = self._excess.copy(), list[int]()
        while excess.size and len(found) < _BREAKS and excess.max() > _CLEAR:
            at = int(np.argmax(excess))
            found.append(int(self._at[at]) + self._length)
            excess[max(0, at - 2 * _PARTS) : at + 2 * _PARTS + 1] = 0
        return found

    def find(
        self, pitch: int, gaps: Callable[[int], list[int]], slack: int = SLACK
    ) -> list[Border]:
        """Return the likeliest borders of frames about some samples apart.

        Parameters
        ----------
        pitch : int
            The distance of frames, give or take `slack` samples.
        gaps : callable
            Returns the lengths that a gap may have for a pitch.
        """
        if not self._excess.size or pitch < self._length:
            return []
        first = self._fold(pitch)[0]
        margin = self._length // _PARTS + slack + max(gaps(pitch), default=0)
        moved = pitch + self._shift(first - margin, pitch, margin, slack)
        found = [self._at_pitch(first - margin, one, margin, gaps) for one in {pitch, moved}]
        every = [one for some in found for one in some]
        clear = _CLEARLY * max((one.score for one in every), default=0.0)
        return sorted(every, key=lambda one: (one.score < clear, one.gap, -one.score))[:_FOUND]

    def _shift(self, first: int, pitch: int, margin: int, most: int) -> int:
        """Return how much farther apart frames are than some samples, at most so many."""
        odds = self._odds(first, pitch, 2 * (margin + self._length), _FEW_FRAMES)
        column = self._column(first, margin // self._length + 3, pitch, _FEW_FRAMES)
        rows = np.cumsum(odds, axis=1)
        rows = rows[:, self._length :] - rows[:, : -self._length]
        around = np.concatenate([column, column], 1)
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
        """Return the likeliest borders of frames some samples apart, the first after a place."""
        odds = self._odds(first, pitch, 2 * (margin + self._length), _FRAMES)
        column = self._column(first, margin // self._length + 3, pitch, _FRAMES)
        found = [
            Border(pitch, (first + at + gap + self._length) % pitch, gap, score)
            for at, gap, score in _best(odds.sum(0), column.sum(0), gaps(pitch))
        ]
        least = max(_LEAST, 0.5 * max((one.score for one in found), default=0.0))
        return [one for one in found if one.score > least]

    def nearby(self, pitch: int) -> list[int]:
        """Return a distance of frames, and one some rows beside it if borders fit that better.

        Where a camera moves, frames are most alike a few rows away from their distance.
        """
        every = [pitch + rows * self._length for rows in range(-_MOVED, _MOVED + 1)]
        scores = [self._fold(one)[1] for one in every]
        best = int(np.argmax(scores))
        return [pitch, every[best]] if scores[best] > _BETTER * scores[_MOVED] else [pitch]

    def _fold(self, pitch: int) -> tuple[int, float]:
        """Return about where, of steps, a frame ends, if they are so far apart, and a score."""
        place = self._at[: self._excess.size] % pitch
        nbins = max(1, pitch * _PARTS // self._length)
        bins = np.minimum(place * _PARTS // self._length, nbins - 1)
        count = np.bincount(bins, minlength=nbins)
        mean = np.bincount(bins, self._excess, nbins) / np.sqrt(np.maximum(count, 1))
        at = int(np.argmax(mean))
        return at * self._length // _PARTS, float(mean[at])

    def _odds(self, first: int, pitch: int, size: int, count: int) -> Odds:
        """Return for samples about some borders how much likelier they are of one than not.

        Shape ``(frames, samples)``, in nats.
        """
        count = min(count, max(2, _MOST_SAMPLES // size))
        starts = _middle(np.arange(first, self._steps.size - size - 1, pitch), 0, count)
        at = starts[:, None] + np.arange(size)
        here, last = self._steps[at], self._steps.size - 1
        near = [self._steps[np.clip(at + k * self._length, 0, last)] for k in _NEAR]
        few = self._steps[:: max(1, self._steps.size // 20_000)]
        usual = np.maximum(np.mean(near, 0), 0.05 * float(few.mean()) + 1e-4)
        reach, end = _FAR * self._length, self._x.size - 1
        away = np.abs(self._x[np.clip(at + reach, 0, end)] - self._x[np.clip(at - reach, 0, end)])
        return np.clip(_odds_of(here, usual, away.mean(1, keepdims=True)), -3, 3)

    def _column(self, first: int, rows: int, pitch: int, count: int) -> Odds:
        """Return how much likelier a row begins some samples after a place than not.

        In each of some frames that begin fewer than some rows after it, shape
        ``(frames, length)``, in nats.
        """
        length, channels = self._length, self._channels
        first += rows * length
        nrows = min(_ROWS, max(8, _MOST_SAMPLES // (4 * length)), pitch // length - 2 * rows)
        size = nrows * length
        count = min(count, max(2, _MOST_SAMPLES // max(size, 1)))
        starts = _middle(np.arange(first, self._x.size - size, pitch), channels, count)
        if nrows < 4 or not starts.size:
            return np.zeros((1, length))
        pieces = self._x[starts[:, None] + np.arange(-channels, size)]
        steps = np.abs(pieces[:, channels:] - pieces[:, :-channels])
        steps = steps.reshape(starts.size, nrows, length).mean(1)
        ring = np.concatenate([steps[:, :1] * 0, steps, steps[:, : channels - 1]], 1).cumsum(1)
        mean = (ring[:, channels:] - ring[:, :-channels]) / channels
        half = max(channels, length // channels // 2 * channels)
        far = np.abs(pieces[:, half:] - pieces[:, :-half]).mean(1, keepdims=True)
        odds = _odds_of(mean, np.median(mean, 1, keepdims=True) + 1e-4, far)
        found: Odds = np.maximum(odds - 2 * spread_of(odds), -1) * nrows
        return found


def _middle(starts: npt.NDArray[np.int64], least: int, count: int) -> npt.NDArray[np.int64]:
    """Return at most so many of some places, those in the middle."""
    starts = starts[starts >= least]
    first = max(0, starts.size - count) // 2
    return starts[first : first + count]


def _odds_of(steps: Floats, usual: Floats | float, far: Floats | float) -> Odds:
    """Return how much likelier steps are of a size `far` than of the `usual` one, in nats.

    Both sizes are means of steps whose chances fall off exponentially.
    """
    far = np.maximum(far, 1.05 * usual)
    odds: Odds = np.log(usual / far) + np.minimum(steps, 2 * far) * (1 / usual - 1 / far)
    return np.minimum(odds, _MOST)


def _sum_moved(rows: Odds, moves: npt.NDArray[np.int64], size: int) -> Odds:
    """Return the sum of so many samples of some rows, each moved back."""
    total = np.zeros(size)
    for row, by in zip(rows, moves.tolist(), strict=False):
        if by >= 0:
            part = row[by : by + size]
            total[: part.size] += part
        elif -by < size:
            total[-by:] += row[: size + by]
    return total


def _best(odds: Odds, column: Odds, gaps: list[int]) -> list[tuple[int, int, float]]:
    """Return for each gap where a border may lie, the gap, and its score.

    Odds count as far as they are above a part of those of the clearest row.
    """
    length = column.size
    total = np.concatenate([[0.0], np.cumsum(odds)])
    rows = (total[length:] - total[:-length]) / length
    usual = float(np.median(rows))
    total -= (usual + 0.4 * float(rows.max() - usual)) * np.arange(total.size)
    found = []
    for gap in gaps:
        n = total.size - length - gap
        if n < 1:
            continue
        end = total[length + gap : length + gap + n]
        sums = end - total[:n]
        if gap > length:  # what lies between may be alike in itself
            between = total[gap : gap + n] - total[length : length + n]
            sums = sums - np.minimum(between, 0)
        sums = sums + column[(np.arange(n) + gap) % length]
        for _ in range(_ALIKE):
            at = int(np.argmax(sums))
            found.append((at, gap, float(sums[at])))
            sums[max(0, at - 3) : at + 4] = -np.inf
    return found
