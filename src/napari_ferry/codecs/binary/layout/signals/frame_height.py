"""How far each number of rows stands out as the height of a frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.signals.autocorrelation import Periods, whitened
from napari_ferry.codecs.binary.layout.statistics import spread_of
from napari_ferry.codecs.binary.layout.usual_sizes import POPULAR

Floats = npt.NDArray[np.float64]

_BINS = 12
_MOVED = 2
_FEW = 4


class FrameEvidence:
    """How far the autocorrelation at each number of rows stands out, for one row length.

    It is seen at single samples, at the width at which rows are clearest, and in the means of a
    few columns, where frames of much noise are alike.
    """

    def __init__(self, periods: Periods, length: int, rows: npt.NDArray[np.float32]) -> None:
        best = int(np.argmax([z[length] if length < z.size else 0 for z in periods.scores]))
        series = [periods.scores[i][::length].astype(np.float64) for i in {best, 0}]
        self._first = max([8.0, *(float(heights[1]) for heights in series if heights.size > 1)])
        series.append(_of_columns(rows))
        self.last = max(heights.size for heights in series) - 1
        self.prominence = np.zeros(self.last + 1)
        for heights in series:
            found = _prominence(np.maximum(heights, _dips(heights)))
            part = self.prominence[: found.size]
            np.maximum(part, found, out=part)
        self._moved = _moved(self.prominence)
        self._at = np.flatnonzero(self.prominence)
        self._heights = self.prominence[self._at]
        self._found: dict[tuple[int, int], dict[str, float]] = {}

    @property
    def is_clear(self) -> bool:
        """Whether a height stands out as frames that are alike do."""
        return bool(self.prominence.max(initial=0.0) > 0.25 * self._first)

    def strongest(self) -> list[int]:
        """Return the heights that stand out most, and usual ones beside them."""
        order = [int(y) for y in np.argsort(-self.prominence)[:4] if self.prominence[y] > 6]
        near = [y + k for y in order for k in (1, -1, 2, -2, 3, -3) if y + k in POPULAR]
        return list(dict.fromkeys(order + near))

    def distances(self, length: int) -> list[int]:
        """Return the samples of a few frames of heights that stand out, for a row's length."""
        return [y * length for y in self.strongest()[:_FEW]]

    def of(self, y: int, planes: int) -> dict[str, float]:
        """Return the evidence for frames of so many rows; more than five tell nothing more."""
        key = (y, min(planes, 5))
        if key not in self._found:
            self._found[key] = self._of(*key)
        return self._found[key]

    def of_pitch(self, height: float) -> dict[str, float]:
        """Return the evidence for frames whose distance of some score is no number of rows."""
        inner = float(self.prominence.max(initial=0))
        return {
            "prom": np.log1p(height),
            "prel": min(2.0, height / self._first),
            "unexpl": np.log1p(inner),
            "unrel": min(2.0, inner / self._first),
            "em": 1.0,
        }

    def _of(self, y: int, planes: int) -> dict[str, float]:
        here = float(self._moved[y]) if y <= self.last and planes > 1 else 0.0
        at, heights = self._at, self._heights
        slack = min(_MOVED, y // 16)
        others = heights if planes == 1 else heights[(at + slack) % y > 2 * slack]
        unexplained = float(others.max(initial=0))
        below = float(heights[(at < y) & (y % at == 0)].max(initial=0))
        multiples = [k for k in range(y, min(4 * y, self.last) + 1, y) if k < y * planes]
        seen = sum(bool(self._moved[k] > 6) for k in multiples)
        share = seen / len(multiples) if multiples else 0.0
        return {
            "prom": np.log1p(here),
            "unexpl": np.log1p(unexplained),
            "subprom": np.log1p(below),
            "prel": min(2.0, here / self._first),
            "unrel": min(2.0, unexplained / self._first),
            "subrel": min(2.0, below / self._first),
            "em": share,
            "nofr": float(planes > 1 and y <= self.last and here < 6),
            "outside": float(planes > 1 and y > self.last),
        }


def _of_columns(rows: npt.NDArray[np.float32]) -> Floats:
    """Return the scores of each distance of rows, shape ``(rows, samples)``, by means of columns.

    Noise is averaged over a twelfth of a row, so that light falling off to the sides is enough.
    """
    nrows, length = rows.shape
    if nrows < 48 or length < 8:
        return np.zeros(1)
    bins = min(_BINS, length // 4)
    means = rows[:, : length // bins * bins].reshape(nrows, bins, -1).mean(2)
    means -= means.mean(0)
    rho = whitened(means.T)
    lags = np.arange(rho.size)
    z = rho * np.sqrt((nrows - lags) * bins) * nrows / (nrows - lags)
    far = z[8:]
    z /= max(1.0, spread_of(far))
    z[0] = 0
    scores: Floats = z.astype(np.float64)
    return scores


def _moved(prominence: Floats) -> Floats:
    """Return the prominence that is left where frames move up or down by a row or two."""
    found = prominence.copy()
    for k in range(1, min(_MOVED, prominence.size - 1) + 1):
        np.maximum(found[k:], prominence[:-k] * 0.7**k, out=found[k:])
        np.maximum(found[:-k], prominence[k:] * 0.7**k, out=found[:-k])
    return found


def _dips(heights: Floats) -> Floats:
    """Return how far scores lie below their neighborhood, where that is far."""
    from scipy.ndimage import median_filter

    if heights.size < 8:
        return np.zeros_like(heights)
    below: Floats = median_filter(heights, 31, mode="nearest") - heights
    return np.where(below > 8, below, 0.0)


def _prominence(heights: Floats) -> Floats:
    """Return how far each local maximum stands above the valleys on both of its sides."""
    found = np.zeros_like(heights)
    n = heights.size
    if n < 3:
        return found
    lowest = np.minimum.accumulate(heights[1:])
    tops = (heights[1:-1] >= heights[:-2]) & (heights[1:-1] >= heights[2:]) & (heights[1:-1] >= 6)
    for k in (int(i) + 1 for i in np.flatnonzero(np.append(tops, heights[-1] >= 6))):
        if k < 2:
            continue
        reach = max(3, k // 8)
        if heights[k] < heights[max(1, k - reach) : k + reach + 1].max():
            continue
        right = heights[k + 1 : 2 * k + 1]
        left = float(lowest[k - 2])
        valley = max(left, float(right.min())) if right.size else left
        found[k] = max(0.0, float(heights[k]) - valley)
    return found
