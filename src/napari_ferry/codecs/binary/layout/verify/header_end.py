"""Where a header ends and the image begins."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.candidates.candidates import Candidate
from napari_ferry.codecs.binary.layout.memo import kept
from napari_ferry.codecs.binary.layout.signals.header_edge import edge_of_bytes, edge_of_values
from napari_ferry.codecs.binary.layout.signals.strips import Strips
from napari_ferry.codecs.binary.layout.statistics import spread_of
from napari_ferry.codecs.binary.layout.usual_sizes import MAX_OFFSET

_BYTE = np.dtype("u1")
_BEGIN_BYTES, _WIDE_BYTES = 256 << 10, 64 << 10
_EDGE_BYTES = 12 << 10


class Heads:
    """Looks at the begin of a file, which a window of it is compared with."""

    def __init__(self, strips: Strips, start: int, window: npt.NDArray[np.float32]) -> None:
        self._strips, self._start, self._window = strips, start, window
        self._itemsize = strips.dtype.itemsize
        self.kept: dict[tuple[object, ...], Any] = {}

    @cached_property
    def edges(self) -> dict[int, float]:
        """The offsets within usual headers at which samples or bytes change most, and how much."""
        itemsize, source = self._itemsize, self._strips.source
        first = self._start % itemsize
        count = min(_EDGE_BYTES, source.size * 2 // 5) // itemsize
        later = max(self._start, first + count * itemsize)
        window = self._window[(later - self._start) // itemsize :]
        at, score = edge_of_values(self._strips.samples(first, count), window)
        found = {first + at * itemsize: score}
        head, few = (
            source.values(start, n, self._strips.dtype).view(_BYTE)
            for start, n in ((first, count), (later, 4 * count))
        )
        at, score = edge_of_bytes(head, few, itemsize)
        at = first + -(-at // itemsize) * itemsize
        return found | {at: max(score, found.get(at, 0.0))}

    @kept
    def changes(self, length: int) -> dict[int, float]:
        """Return offsets at which rows of a length begin to be alike, with their scores."""
        row_bytes, size = length * self._itemsize, self._strips.source.size
        first = size % row_bytes
        nrows = min(MAX_OFFSET // row_bytes + 24, _BEGIN_BYTES // row_bytes)
        nrows = min(nrows, (size - first) // row_bytes)
        if nrows < 6:
            return {}
        rows = self._strips.rows(first, nrows, length)
        steps = np.log(np.abs(np.diff(rows, axis=0)).mean(1) + 1e-3)
        later = steps[-min(16, steps.size // 2 + 1) :]
        middle = float(np.median(later))
        scores = np.abs(steps - middle) / np.sqrt(spread_of(later) ** 2 + 0.15**2)
        count = min(steps.size, MAX_OFFSET // row_bytes + 2)
        at = np.flatnonzero(scores[:count] > 3)
        if not at.size:
            return {}
        few = {int(at[-1]), *(int(r) for r in at[np.argsort(-scores[at])[:4]])}
        return {first + (r + 1) * row_bytes: float(scores[r]) for r in few}

    def features(self, candidate: Candidate) -> dict[str, float]:
        """Look at the begin of the image: it should go on after it, and not before it."""
        layout, length = candidate.layout, candidate.row.length
        few = max(4, _BEGIN_BYTES // 4 // candidate.row_bytes)
        width = min(length, _WIDE_BYTES // self._itemsize)
        rows = self._strips.rows(layout.offset, min(10, few, candidate.rows), length, width)
        found: dict[str, float] = {}
        if rows.shape[0] >= 4:
            steps = np.log(np.abs(np.diff(rows, axis=0)).mean(1) + 1e-3)
            middle, spread = float(np.median(steps[1:])), max(0.15, float(steps[1:].std()))
            found["hfirst"] = np.log1p(max(0.0, (float(steps[0]) - middle) / spread))
            count = min(layout.offset // self._itemsize, width)
            if count >= 8:
                before = self._strips.rows(layout.offset - count * self._itemsize, 1, count)[0]
                step = float(np.log(np.abs(rows[0, -count:] - before).mean() + 1e-3))
                found["hprev"] = float(np.clip((step - middle) / spread, -5, 20)) / 5
        changes = self.changes(length)
        found["hcp"] = np.log1p(changes.get(layout.offset, 0.0))
        return found
