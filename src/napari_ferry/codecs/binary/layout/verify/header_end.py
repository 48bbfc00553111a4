"""End of the header, compared with the samples after it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.candidates.candidates import Candidate
from napari_ferry.codecs.binary.layout.signals.grid import RowReader, cached_method
from napari_ferry.codecs.binary.layout.signals.header_edge import find_byte_edge, find_value_edge
from napari_ferry.codecs.binary.layout.statistics import scaled_mad
from napari_ferry.codecs.binary.layout.usual_sizes import MAX_OFFSET

_BYTE = np.dtype("u1")
_ROWS_BYTES, _WIDE_BYTES = 256 << 10, 64 << 10
_EDGE_BYTES = 12 << 10
_LIKE_FRAMES = 8
"""Number of frames to compare with the bytes before the first one."""
_UNLIKE = 0.05
"""Distance of the distributions of frames beyond their usual ones."""

Floats = npt.NDArray[np.floating[Any]]


class HeaderEnd:
    """Evidence for the end of the header, in the first bytes of a file.

    Parameters
    ----------
    reader : RowReader
        Reads the file.
    start : int
        Byte at which the window begins.
    window : array
        Consecutive samples from the middle of the file, for comparison, shape ``(n,)``.
    """

    def __init__(self, reader: RowReader, start: int, window: npt.NDArray[np.float32]) -> None:
        self._reader, self._start, self._window = reader, start, window
        self._itemsize = reader.dtype.itemsize
        self.cache: dict[tuple[object, ...], Any] = {}

    @cached_property
    def edges(self) -> dict[int, float]:
        """Offsets of the largest changes of samples and of bytes, with their scores."""
        itemsize, source = self._itemsize, self._reader.source
        first = self._start % itemsize
        count = min(_EDGE_BYTES, source.size * 2 // 5) // itemsize
        later = max(self._start, first + count * itemsize)
        window = self._window[(later - self._start) // itemsize :]
        at, score = find_value_edge(self._reader.samples(first, count), window)
        edges = {first + at * itemsize: score}

        # Bytes reveal a header of text or zeros; the image begins at the next whole sample.
        head, later_bytes = (
            source.read_samples(start, n, self._reader.dtype).view(_BYTE)
            for start, n in ((first, count), (later, 4 * count))
        )
        at, score = find_byte_edge(head, later_bytes, itemsize)
        at = first + -(-at // itemsize) * itemsize
        return edges | {at: max(score, edges.get(at, 0.0))}

    @cached_method
    def changes(self, length: int) -> dict[int, float]:
        """Return the offsets before rows of similar steps, with their scores."""
        row_bytes, size = length * self._itemsize, self._reader.source.size
        first = size % row_bytes
        nrows = min(MAX_OFFSET // row_bytes + 24, _ROWS_BYTES // row_bytes)
        nrows = min(nrows, (size - first) // row_bytes)
        if nrows < 6:
            return {}

        # Steps between rows are compared with those of the later half, which should be image.
        rows = self._reader.rows(first, nrows, length)
        steps = np.log(np.abs(np.diff(rows, axis=0)).mean(1) + 1e-3)
        later = steps[-min(16, steps.size // 2 + 1) :]
        middle = float(np.median(later))
        scores = np.abs(steps - middle) / np.sqrt(scaled_mad(later) ** 2 + 0.15**2)

        count = min(steps.size, MAX_OFFSET // row_bytes + 2)
        at = np.flatnonzero(scores[:count] > 3)
        if not at.size:
            return {}
        last_and_largest = {int(at[-1]), *(int(r) for r in at[np.argsort(-scores[at])[:4]])}
        return {first + (r + 1) * row_bytes: float(scores[r]) for r in last_and_largest}

    def features(self, candidate: Candidate) -> dict[str, float]:
        """Return the evidence of a discontinuity at the offset and none after it."""
        layout, length = candidate.layout, candidate.row.length
        most = max(4, _ROWS_BYTES // 4 // candidate.row_bytes)
        width = min(length, _WIDE_BYTES // self._itemsize)
        rows = self._reader.rows(layout.offset, min(10, most, candidate.rows), length, width)
        features: dict[str, float] = {}
        if rows.shape[0] >= 4:
            steps = np.log(np.abs(np.diff(rows, axis=0)).mean(1) + 1e-3)
            middle, spread = float(np.median(steps[1:])), max(0.15, float(steps[1:].std()))
            features["hfirst"] = np.log1p(max(0.0, (float(steps[0]) - middle) / spread))

            # If the image began earlier, another row would end at the offset.
            count = min(layout.offset // self._itemsize, width)
            if count >= 8:
                before = self._reader.rows(layout.offset - count * self._itemsize, 1, count)[0]
                step = float(np.log(np.abs(rows[0, -count:] - before).mean() + 1e-3))
                features["hprev"] = float(np.clip((step - middle) / spread, -5, 20)) / 5

        features["hcp"] = np.log1p(self.changes(length).get(layout.offset, 0.0))
        if self._follows_frame(candidate):
            features |= dict.fromkeys(("hprev", "hcp", "edge"), 0.0)
        return features

    def _follows_frame(self, candidate: Candidate) -> bool:
        """Return True if the bytes before the offset are like one of the next frames.

        The discontinuity there is then that of any two frames, such as those of two channels.
        """
        layout = candidate.layout
        pitch = candidate.pitch
        if layout.offset < pitch or candidate.planes <= 1:
            return False
        count = min(_LIKE_FRAMES, candidate.planes)
        starts = [layout.offset + k * pitch for k in range(-1, count)]
        rows = min(candidate.rows, max(2, _ROWS_BYTES // 4 // candidate.row_bytes))
        frames = [self._reader.rows(start, rows, candidate.row.length) for start in starts]
        if any(frame.shape[0] < 2 for frame in frames):
            return False
        kinds = zip(*map(_distributions, frames), strict=True)
        return all(_is_like(first, others) for first, *others in kinds)


def _distributions(rows: npt.NDArray[Any]) -> tuple[Floats, Floats]:
    """Return the sorted samples of a frame, shape ``(rows, samples)``, and its sorted row steps."""
    return np.sort(rows, axis=None), np.sort(np.abs(np.diff(rows, axis=0)), axis=None)


def _is_like(first: Floats, others: Sequence[Floats]) -> bool:
    """Return True if a distribution is as close to one of the others as these are to each other."""
    if first[0] == first[-1]:
        return False
    nearest = min(_distance(first, other) for other in others)
    usual = [
        min(_distance(one, other) for other in others if other is not one)
        for one in others
        if len(others) > 1
    ]
    return nearest <= _UNLIKE + 1.5 * max(usual, default=0.0)


def _distance(a: Floats, b: Floats) -> float:
    """Return the largest difference of two cumulative distributions of sorted values."""
    values = np.concatenate([a, b])
    shares = (np.searchsorted(x, values, side="right") / x.size for x in (a, b))
    return float(np.abs(np.subtract(*shares)).max())
