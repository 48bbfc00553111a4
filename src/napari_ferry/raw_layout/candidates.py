"""Every layout that fits the size of a file and the rows found in it, with cheap evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.raw_layout.codes import Coded
from napari_ferry.raw_layout.layout import Known, Layout
from napari_ferry.raw_layout.periods import Periods
from napari_ferry.raw_layout.rows import Row
from napari_ferry.raw_layout.sizes import HEADERS, header_prior, shape_features

Floats = npt.NDArray[np.float64]

_MAX_OFFSET = 8192
_MAX_SIDE = 30_000


@dataclass
class Candidate:
    """A layout, the row it is made of, and what is known for and against it, by name."""

    layout: Layout
    row: Row
    trailing: int
    coded: Coded
    features: dict[str, float] = field(default_factory=dict)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return self.row.length * self.layout.dtype.itemsize

    @property
    def frame_bytes(self) -> int:
        """Bytes from one plane to the next."""
        return self.row_bytes * self.layout.y

    @property
    def planes(self) -> int:
        """Planes in the file."""
        layout = self.layout
        return layout.frames * (layout.channels if layout.interleaving == "plane" else 1)


def find_candidates(
    size: int,
    coded: Coded,
    row: Row,
    frames: FrameEvidence,
    repeats: tuple[int, ...],
    changes: dict[int, float],
    known: Known,
) -> Iterator[Candidate]:
    """Yield the layouts of one type and row.

    Parameters
    ----------
    size : int
        Bytes of the file.
    repeats : tuple of int
        Distances in samples at which pixels repeat most.
    changes : dict
        Offsets at which something seems to change, with their scores.
    """
    row_bytes = row.length * coded.dtype.itemsize
    for offset, ends in _offsets(size, coded, row_bytes, repeats, changes, known):
        nrows = (size - offset) // row_bytes
        for nplanes, y in _splits(nrows, frames, known, ends=ends):
            trailing = size - offset - nplanes * y * row_bytes
            layout = _layout(coded.dtype, offset, nplanes, row, y, known)
            is_twin = not ends and not trailing  # found as one that runs to the end, too
            if layout is None or is_twin or not known.allows(layout):
                continue
            features = shape_features(y, row.x, layout.frames) | frames.of(y, nplanes)
            features["header"] = header_prior(offset)
            features["trailer"] = float(trailing > 0)
            yield Candidate(layout, row, trailing, coded, features)


def _layout(
    dtype: np.dtype[Any], offset: int, nplanes: int, row: Row, y: int, known: Known
) -> Layout | None:
    """Return the layout of some planes; several channels are planes where they are not in a row."""
    if known.channels in (None, row.channels):
        together = "pixel" if row.channels > 1 else ""
        return Layout(dtype, offset, nplanes, row.channels, together, y, row.x)  # type: ignore[arg-type]
    if row.channels > 1 or nplanes % known.channels:
        return None
    return Layout(dtype, offset, nplanes // known.channels, known.channels, "plane", y, row.x)


def _offsets(
    size: int,
    coded: Coded,
    row_bytes: int,
    repeats: tuple[int, ...],
    changes: dict[int, float],
    known: Known,
) -> list[tuple[int, bool]]:
    """Return headers to try, and whether the samples then run to the end of the file."""
    itemsize = coded.dtype.itemsize
    if known.offset is not None:
        ends = (size - known.offset) % row_bytes == 0 and size > known.offset
        return [(known.offset, True)] * ends + [(known.offset, False)]
    whole: list[int] = []
    if known.frames and known.y:
        nbytes = known.frames * known.y * row_bytes
        several = known.channels or 1
        whole += [size - n for n in {nbytes, nbytes * several} if n <= size]
    if coded.end:
        near_start = range(size % row_bytes, min(_MAX_OFFSET + row_bytes, size), row_bytes)
        whole += sorted(near_start, key=header_prior, reverse=True)[:24]
        near = {offset + (size - offset) % row_bytes for offset in changes}
        whole += [
            offset for offset in near if offset < size and offset % itemsize == size % itemsize
        ]
        for frame in repeats[:3]:
            at = size % (frame * itemsize)
            if at <= 2 * _MAX_OFFSET and (size - at) % row_bytes == 0:
                whole.append(at)
    cut = [h for h in HEADERS[:8] if (size - h) % row_bytes and h < size // 2 and h % itemsize == 0]
    cut += [h for h in HEADERS[:8] if (size - h) % row_bytes == 0 and h < size // 2]
    return [(h, True) for h in dict.fromkeys(whole)] + [(h, False) for h in dict.fromkeys(cut)]


def _splits(
    nrows: int, frames: FrameEvidence, known: Known, *, ends: bool
) -> list[tuple[int, int]]:
    """Return how so many rows may be frames: planes and rows of each."""
    if nrows < 1:
        return []
    if not ends:
        planes = known.frames * (known.channels or 1) if known.frames else None
        heights = [known.y] if known.y else ([nrows // planes] if planes else frames.strongest())
        return [(nrows // y, y) for y in heights if 0 < y <= nrows and nrows // y >= 1]
    if known.y:
        return [(nrows // known.y, known.y)] if nrows % known.y == 0 else []
    small = np.arange(1, int(nrows**0.5) + 1)
    small = small[nrows % small == 0]
    least = 8 if known.frames is None and nrows >= 8 else 1
    every = sorted({int(d) for d in (*small, *(nrows // small))})
    return [(nrows // y, y) for y in every if least <= y <= _MAX_SIDE]


class FrameEvidence:
    """How far the autocorrelation at each number of rows stands out, for one row length."""

    def __init__(self, periods: Periods, length: int) -> None:
        best = int(np.argmax([z[length] if length < z.size else 0 for z in periods.scores]))
        z = periods.scores[best].astype(np.float64)
        heights = z[::length].copy()
        heights = np.maximum(heights, _dips(heights))
        self._first = max(float(heights[1]) if heights.size > 1 else 0.0, 8.0)
        self.prominence = _prominence(heights)
        self.last = heights.size - 1
        self._found: dict[tuple[int, int], dict[str, float]] = {}

    def strongest(self) -> list[int]:
        """Return the heights that stand out most."""
        order = np.argsort(-self.prominence)[:4]
        return [int(y) for y in order if self.prominence[y] > 6]

    def of(self, y: int, planes: int) -> dict[str, float]:
        """Return the evidence for frames of so many rows; more than five tell nothing more."""
        key = (y, min(planes, 5))
        if key not in self._found:
            self._found[key] = self._of(*key)
        return self._found[key]

    def _of(self, y: int, planes: int) -> dict[str, float]:
        p, ks = self.prominence, np.arange(self.prominence.size)
        here = float(p[y]) if y <= self.last and planes > 1 else 0.0
        others = p if planes == 1 else p[ks % y != 0]
        unexplained = float(others.max(initial=0))
        inner = p[1 : min(y, p.size)]
        inner = inner[y % ks[1 : inner.size + 1] == 0]
        below = float(inner.max(initial=0))
        multiples = [k for k in range(y, min(4 * y, self.last) + 1, y) if k < y * planes]
        share = float(np.mean([p[k] > 6 for k in multiples])) if multiples else 0.0
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


def _dips(heights: Floats) -> Floats:
    """Return how far scores lie below their neighbourhood, where that is far."""
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
