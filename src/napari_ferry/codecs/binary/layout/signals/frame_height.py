"""Evidence for each number of rows to be the height of a frame."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.signals.autocorrelation import Periods, whitened
from napari_ferry.codecs.binary.layout.statistics import scaled_mad
from napari_ferry.codecs.binary.layout.usual_sizes import USUAL_SIDES

Floats = npt.NDArray[np.float64]

_BINS = 12
_MAX_SHIFT = 2
"""Rows by which frames may move up or down."""
_CLEAR = 6
"""Prominence of a height of possible frames."""
_FEW = 4


class FrameEvidence:
    """Prominence of each number of rows as the height of a frame, for one row length.

    It is the largest of three: in the autocorrelation at single samples, in that at the width at
    which rows are clearest, and in that of column means, which average out strong noise.
    """

    def __init__(self, periods: Periods, length: int, rows: npt.NDArray[np.float32]) -> None:
        best = int(np.argmax([z[length] if length < z.size else 0 for z in periods.scores]))
        series = [periods.scores[i][::length].astype(np.float64) for i in {best, 0}]
        self._first = max([8.0, *(float(heights[1]) for heights in series if heights.size > 1)])
        series.append(_column_scores(rows))

        self.last = max(heights.size for heights in series) - 1
        self.prominence = np.zeros(self.last + 1)
        for heights in series:
            prominence = _prominence(np.maximum(heights, _dips(heights)))
            part = self.prominence[: prominence.size]
            np.maximum(part, prominence, out=part)

        self._shifted = _shifted_prominence(self.prominence)
        self._at = np.flatnonzero(self.prominence)
        self._heights = self.prominence[self._at]
        self._features: dict[tuple[int, int], dict[str, float]] = {}

    @property
    def is_clear(self) -> bool:
        """True if the prominence of a height is typical of similar frames."""
        return bool(self.prominence.max(initial=0.0) > 0.25 * self._first)

    def strongest(self) -> list[int]:
        """Return the most prominent heights, and usual ones close to them."""
        order = [int(y) for y in np.argsort(-self.prominence)[:4] if self.prominence[y] > _CLEAR]
        near = [y + k for y in order for k in (1, -1, 2, -2, 3, -3) if y + k in USUAL_SIDES]
        return list(dict.fromkeys(order + near))

    def distances(self, length: int) -> list[int]:
        """Return the samples of a few frames of prominent heights, for a row length."""
        return [y * length for y in self.strongest()[:_FEW]]

    def features(self, y: int, planes: int) -> dict[str, float]:
        """Return the evidence for some planes of `y` rows; planes beyond the fifth add none."""
        key = (y, min(planes, 5))
        if key not in self._features:
            self._features[key] = self._height_features(*key)
        return self._features[key]

    def pitch_features(self, score: float) -> dict[str, float]:
        """Return the evidence for frames whose pitch is not whole rows, from its score."""
        inner = float(self.prominence.max(initial=0))
        return {
            "prom": np.log1p(score),
            "prel": min(2.0, score / self._first),
            "unexpl": np.log1p(inner),
            "unrel": min(2.0, inner / self._first),
            "em": 1.0,
        }

    def _height_features(self, y: int, planes: int) -> dict[str, float]:
        here = float(self._shifted[y]) if y <= self.last and planes > 1 else 0.0

        # Prominent heights that are not multiples of y speak against it, and so do divisors.
        at, heights = self._at, self._heights
        slack = min(_MAX_SHIFT, y // 16)
        others = heights if planes == 1 else heights[(at + slack) % y > 2 * slack]
        unexplained = float(others.max(initial=0))
        below = float(heights[(at < y) & (y % at == 0)].max(initial=0))

        multiples = [k for k in range(y, min(4 * y, self.last) + 1, y) if k < y * planes]
        prominent = sum(bool(self._shifted[k] > _CLEAR) for k in multiples)
        share = prominent / len(multiples) if multiples else 0.0
        return {
            "prom": np.log1p(here),
            "unexpl": np.log1p(unexplained),
            "subprom": np.log1p(below),
            "prel": min(2.0, here / self._first),
            "unrel": min(2.0, unexplained / self._first),
            "subrel": min(2.0, below / self._first),
            "em": share,
            "nofr": float(planes > 1 and y <= self.last and here < _CLEAR),
            "outside": float(planes > 1 and y > self.last),
        }


def _column_scores(rows: npt.NDArray[np.float32]) -> Floats:
    """Return the score of each distance between rows, shape ``(distances,)``, from column means.

    `rows` has shape ``(rows, samples)``. Means over a twelfth of a row average out noise, so that
    a falloff of light toward the sides is enough.
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
    z /= max(1.0, scaled_mad(far))
    z[0] = 0
    scores: Floats = z.astype(np.float64)
    return scores


def _shifted_prominence(prominence: Floats) -> Floats:
    """Return the largest prominence within a row or two, reduced with the shift."""
    shifted = prominence.copy()
    for k in range(1, min(_MAX_SHIFT, prominence.size - 1) + 1):
        np.maximum(shifted[k:], prominence[:-k] * 0.7**k, out=shifted[k:])
        np.maximum(shifted[:-k], prominence[k:] * 0.7**k, out=shifted[:-k])
    return shifted


def _dips(heights: Floats) -> Floats:
    """Return the depth of deep dips below the median of their neighborhood; 0 elsewhere."""
    from scipy.ndimage import median_filter

    if heights.size < 8:
        return np.zeros_like(heights)
    below: Floats = median_filter(heights, 31, mode="nearest") - heights
    return np.where(below > 8, below, 0.0)


def _prominence(heights: Floats) -> Floats:
    """Return the height of each local maximum above the valleys on both sides; 0 elsewhere."""
    prominence = np.zeros_like(heights)
    n = heights.size
    if n < 3:
        return prominence
    lowest = np.minimum.accumulate(heights[1:])
    is_high = heights[1:-1] >= _CLEAR
    tops = (heights[1:-1] >= heights[:-2]) & (heights[1:-1] >= heights[2:]) & is_high
    for k in (int(i) + 1 for i in np.flatnonzero(np.append(tops, heights[-1] >= _CLEAR))):
        if k < 2:
            continue
        reach = max(3, k // 8)
        if heights[k] < heights[max(1, k - reach) : k + reach + 1].max():
            continue

        # The higher of the deepest valleys on the left and, up to twice the height, on the right.
        right = heights[k + 1 : 2 * k + 1]
        left = float(lowest[k - 2])
        valley = max(left, float(right.min())) if right.size else left
        prominence[k] = max(0.0, float(heights[k]) - valley)
    return prominence
