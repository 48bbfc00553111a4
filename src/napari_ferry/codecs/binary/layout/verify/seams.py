"""Evidence at the seams of rows and frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.candidates.candidates import Candidate
from napari_ferry.codecs.binary.layout.candidates.gaps import possible_gaps
from napari_ferry.codecs.binary.layout.signals.frame_border import SLACK, Border, BorderFinder
from napari_ferry.codecs.binary.layout.signals.grid import (
    Grid,
    RowReader,
    Scale,
    cached_method,
)
from napari_ferry.codecs.binary.layout.signals.rows import Row
from napari_ferry.codecs.binary.layout.signals.similarity import Similarity, find_repeat
from napari_ferry.codecs.binary.layout.source import SampleSource
from napari_ferry.codecs.binary.layout.statistics import seam_log_odds, signed_log
from napari_ferry.codecs.binary.layout.verify.header_end import HeaderEnd

Floats = npt.NDArray[np.floating[Any]]

_REACH = 7
"""Rows on each side of a seam, for comparison with it."""
_MAX_SEAMS, _MAX_PITCHES = 8, 5
_SEAM_BYTES = 192 << 10
_WIDE_BYTES = 16 << 10
_FAR_BYTES = 4 << 20
_NO_SEAM = 0.15
"""Log odds above which rows within frames are discontinuous, as in several frames."""


class Seams:
    """Seams of a file, read as samples of one type; each row is read once.

    Parameters
    ----------
    source : SampleSource
        The file.
    dtype : numpy.dtype
        Type of its samples.
    start : int
        Byte at which the window begins.
    window : array
        Consecutive samples from the middle of the file, shape ``(n,)``.
    """

    def __init__(
        self, source: SampleSource, dtype: np.dtype[Any], start: int, window: npt.NDArray[Any]
    ) -> None:
        self._dtype, self._start, self._size = dtype, start, source.size
        self._reader = RowReader(source, dtype, Scale.from_window(window))
        self.grid = Grid(self._reader.scale(window))
        self.header_end = HeaderEnd(self._reader, start, self.grid.x)
        self._similarity = Similarity(self._reader.rows, source.size, start, start + window.nbytes)
        self.cache: dict[tuple[object, ...], Any] = {}

    def row_starts(self, row: Row) -> list[int]:
        """Return the possible first bytes of rows, below the bytes of one row."""
        itemsize = self._dtype.itemsize
        return [
            (self._start + phase * itemsize) % (row.length * itemsize)
            for phase in self.grid.phases(row.length, row.channels)
        ]

    @cached_method
    def borders(self, row: Row, pitches: tuple[int, ...]) -> tuple[list[Border], list[int]]:
        """Return the borders of frames with given pitches in samples, and the breaks between rows.

        Both in bytes. A break is a byte of the file at which rows are discontinuous.
        """
        itemsize, finder = self._dtype.itemsize, BorderFinder(self.grid.x, row.length, row.channels)

        def gaps(pitch: int) -> list[int]:
            """Return the possible gaps for a pitch."""
            return possible_gaps(pitch, row, itemsize)

        # Repeats are more precise than distances between breaks, so both are tried alternately.
        slacks = dict.fromkeys(finder.distances, finder.slack) | dict.fromkeys(pitches, SLACK)
        mixed = [*pitches[:2], *finder.distances[:2], *pitches[2:]]
        separate = _separate_pitches(mixed, row.length, self.grid.x.size)
        tried = {
            pitch: slacks[first]
            for k, first in enumerate(separate)
            for pitch in (finder.nearby(first) if k < 2 else [first])
        }
        borders = [
            Border(
                pitch=border.pitch * itemsize,
                first=(self._start + border.first * itemsize) % (border.pitch * itemsize),
                gap=border.gap * itemsize,
                score=border.score,
            )
            for pitch, slack in tried.items()
            for border in finder.find(pitch, gaps, slack)
        ]
        return borders, [self._start + at * itemsize for at in finder.breaks]

    @cached_method
    def repeat(self, first: int) -> tuple[int, float]:
        """Return the lag of the clearest repeat beyond the window, and its score."""
        itemsize = self._dtype.itemsize

        def values(lag: int, count: int) -> Floats:
            """Return samples from a lag on."""
            return self._reader.samples(self._start + lag * itemsize, count)

        last = min(self._size - self._start, _FAR_BYTES + first * itemsize) // itemsize
        return find_repeat(values, first, last)

    def features(self, candidate: Candidate) -> dict[str, float]:
        """Return the evidence of all seams of a layout."""
        features = self.row_seam(candidate)
        features |= self._frame_seams(candidate)
        features |= self.header_end.features(candidate)
        features |= self._frame_similarity(candidate)
        return features

    def _frame_similarity(self, candidate: Candidate) -> dict[str, float]:
        """Compare the details of frames."""
        if candidate.planes < 2:
            return {}
        length, lag = candidate.row.length, candidate.pitch
        score = self._similarity.score(length, candidate.row_bytes, lag)
        if score is None:
            return {}
        return {"alike": np.log1p(score), "unalike": float(score == 0)}

    def _phase(self, candidate: Candidate) -> int:
        """Return the first sample of a row in the window."""
        away = candidate.layout.offset - self._start
        return away // self._dtype.itemsize % candidate.row.length

    def row_seam(self, candidate: Candidate) -> dict[str, float]:
        """Return the evidence at the seam between one row and the next."""
        row = candidate.row
        if candidate.layout.gap:
            return self._gapped_row_seam(candidate)
        column = self.grid.column_seam(row.length, row.channels)
        if column is None:
            return {}
        at = self._phase(candidate)
        return _row_seam_features(column.log_odds[at], column.scores[at], column.scores.max())

    def _gapped_row_seam(self, candidate: Candidate) -> dict[str, float]:
        """Return the same evidence within a few frames, as gaps shift the rows of each."""
        row, layout = candidate.row, candidate.layout
        count = min(candidate.rows, max(8, 20_000 // row.length)) * row.length
        measured = []
        for k in (layout.frames // 3, layout.frames - 1):
            frame_start = layout.offset + int(k) * candidate.pitch
            grid = Grid(self._reader.samples(frame_start, count))
            column = grid.column_seam(row.length, row.channels)
            if column is not None:
                measured.append((column.log_odds[0], column.scores[0], column.scores.max()))
        if not measured:
            return {}
        return _row_seam_features(*np.mean(measured, 0))

    def _frame_seams(self, candidate: Candidate) -> dict[str, float]:
        """Return the evidence at the seams between frames.

        All seams in the window count, or a few of the file if the window has less than two.
        """
        planes = candidate.planes
        if planes < 2 or candidate.rows < 3:
            return {}
        measured = self._window_seams(candidate)
        if measured is None:
            measured = self._file_seams(candidate), 0.0
        log_odds, inner = measured
        if not log_odds.size:
            return {}

        # The mean of the seams that were read counts for at most 32 seams.
        mean = float(log_odds.mean())
        total = mean * min(planes - 1, 32)
        return {
            "seam": signed_log(max(total, -3.0)),
            "seampos": float(total > 3),
            "seamavg": mean,
            "inner": inner,
            "stacked": float(np.clip(2 * (inner - _NO_SEAM), 0, 2)),
            "out_seam": mean * candidate.features.get("outside", 0.0),
        }

    def _window_seams(self, candidate: Candidate) -> tuple[Floats, float] | None:
        """Return the log odds of seams in the window, and the best mean of rows within frames."""
        row, y = candidate.row, candidate.rows
        phase = self._phase(candidate)
        steps = None if candidate.layout.gap else self.grid.frame_log_odds(row.length, phase)
        if steps is None:
            return None

        first = self._start + phase * self._dtype.itemsize - candidate.layout.offset
        rows = first // candidate.row_bytes + 1 + np.arange(steps.size)
        inside = (rows > 0) & (rows < candidate.planes * y)
        at = rows % y
        log_odds = steps[inside & (at == 0)]
        if log_odds.size < 2:
            return None

        # Frames that are too tall have seams at a half, a third or a fifth of their height.
        within = [steps[inside & (at > 0) & (at % (y // n) == 0)] for n in (2, 3, 5) if y % n == 0]
        return log_odds, max((float(some.mean()) for some in within if some.size), default=0.0)

    def _file_seams(self, candidate: Candidate) -> Floats:
        """Return the log odds of a few seams spread over the file."""
        planes, row_bytes = candidate.planes, candidate.row_bytes
        most = max(1, min(_MAX_SEAMS, _SEAM_BYTES // (2 * _REACH * min(row_bytes, _WIDE_BYTES))))
        at = np.unique(np.linspace(1, planes - 1, min(most, planes - 1)).round().astype(int))
        starts = [candidate.layout.offset + int(k) * candidate.pitch for k in at]
        log_odds = [odds for start in starts if (odds := self._seam(start, candidate)) is not None]
        clipped: Floats = np.clip(np.array(log_odds), -4, 4)
        return clipped

    def _seam(self, start: int, candidate: Candidate) -> float | None:
        """Return the log odds of a seam before the frame at a byte."""
        reach = min(_REACH, candidate.rows)
        length, nbytes = candidate.row.length, reach * candidate.row_bytes
        width = min(length, _WIDE_BYTES // self._dtype.itemsize)
        before = self._reader.rows(start - candidate.layout.gap - nbytes, reach, length, width)
        rows = np.concatenate([before, self._reader.rows(start, reach, length, width)])
        if rows.shape[0] < 2 * reach or reach < 3:
            return None

        steps = np.log(np.abs(np.diff(rows, axis=0)).mean(1) + 1e-6)
        seam, others = float(steps[reach - 1]), np.delete(steps, reach - 1)
        far, middle = np.abs(rows[reach:] - rows[:-reach]).mean(), float(np.median(others))
        mu = float(np.log(far + 1e-6)) - middle
        return seam_log_odds(seam - middle, mu, float(others.std())) if mu >= 0.05 else 0.0


def _row_seam_features(log_odds: float, score: float, most: float) -> dict[str, float]:
    """Return the evidence for a row end, and against it if another position scores higher."""
    return {"colllr": signed_log(float(log_odds)), "intz": np.log1p(max(0.0, float(most - score)))}


def _separate_pitches(pitches: list[int], length: int, most: int) -> list[int]:
    """Return the first few pitches, at least an eighth of a row apart."""
    separate: list[int] = []
    for pitch in pitches:
        is_new = all(abs(pitch - other) > length // 8 for other in separate)
        if is_new and 8 * length <= pitch < most and len(separate) < _MAX_PITCHES:
            separate.append(pitch)
    return separate
