"""Where one row or frame ends and the next begins: what does not go on smoothly there."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.candidates.candidates import Candidate
from napari_ferry.codecs.binary.layout.candidates.gaps import gaps_of
from napari_ferry.codecs.binary.layout.memo import kept
from napari_ferry.codecs.binary.layout.signals.frame_border import SLACK, Border, Borders
from napari_ferry.codecs.binary.layout.signals.grid import Grid, Scale
from napari_ferry.codecs.binary.layout.signals.rows import Row
from napari_ferry.codecs.binary.layout.signals.similarity import Alike, find_repeat
from napari_ferry.codecs.binary.layout.signals.strips import Strips
from napari_ferry.codecs.binary.layout.source import Samples
from napari_ferry.codecs.binary.layout.statistics import seam_odds, slog
from napari_ferry.codecs.binary.layout.verify.header_end import Heads

Floats = npt.NDArray[np.floating[Any]]

_REACH = 7
_SEAMS, _PITCHES = 8, 5
_SEAM_BYTES = 192 << 10
_WIDE_BYTES = 16 << 10
_FAR_BYTES = 4 << 20


class Seams:
    """Looks at places of a file, in samples of one type; rows are read once."""

    def __init__(
        self, source: Samples, dtype: np.dtype[Any], start: int, window: npt.NDArray[Any]
    ) -> None:
        self._dtype, self._start, self._size = dtype, start, source.size
        self._strips = Strips(source, dtype, Scale.of(window))
        self.grid = Grid(self._strips.scale(window))
        self.heads = Heads(self._strips, start, self.grid.x)
        self._alike = Alike(self._strips.rows, source.size, start, start + window.nbytes)
        self.kept: dict[tuple[object, ...], Any] = {}

    def begins(self, row: Row) -> list[int]:
        """Return bytes of the file at which a row seems to begin, below the bytes of one."""
        itemsize = self._dtype.itemsize
        return [
            (self._start + phase * itemsize) % (row.length * itemsize)
            for phase in self.grid.phases(row.length, row.channels)
        ]

    @kept
    def borders(self, row: Row, pitches: tuple[int, ...]) -> tuple[list[Border], list[int]]:
        """Return the borders of frames whose distances are about some samples, in bytes.

        And bytes of the file at which rows cease to go on.
        """
        itemsize, looked = self._dtype.itemsize, Borders(self.grid.x, row.length, row.channels)

        def gaps(pitch: int) -> list[int]:
            return gaps_of(pitch, row, itemsize)

        slacks = dict.fromkeys(looked.distances, looked.slack) | dict.fromkeys(pitches, SLACK)
        mixed = [*pitches[:2], *looked.distances[:2], *pitches[2:]]
        apart = _apart(mixed, row.length, self.grid.x.size)
        near = {
            pitch: slacks[first]
            for k, first in enumerate(apart)
            for pitch in (looked.nearby(first) if k < 2 else [first])
        }
        borders = [
            Border(
                one.pitch * itemsize,
                (self._start + one.first * itemsize) % (one.pitch * itemsize),
                one.gap * itemsize,
                one.score,
            )
            for pitch, slack in near.items()
            for one in looked.find(pitch, gaps, slack)
        ]
        return borders, [self._start + at * itemsize for at in looked.breaks]

    @kept
    def repeat(self, first: int) -> tuple[int, float]:
        """Return the lag beyond the window's at which samples repeat, and how clearly."""
        itemsize = self._dtype.itemsize

        def values(lag: int, count: int) -> Floats:
            return self._strips.samples(self._start + lag * itemsize, count)

        last = min(self._size - self._start, _FAR_BYTES + first * itemsize) // itemsize
        return find_repeat(values, first, last)

    def features(self, candidate: Candidate) -> dict[str, float]:
        """Return the evidence of all seams of a layout."""
        found = self.column(candidate)
        found |= self._frames(candidate)
        found |= self.heads.features(candidate)
        found |= self._repeats(candidate)
        return found

    def _repeats(self, candidate: Candidate) -> dict[str, float]:
        """Look whether frames are alike in their details."""
        if candidate.planes < 2:
            return {}
        length, lag = candidate.row.length, candidate.pitch
        score = self._alike.score(length, candidate.row_bytes, lag)
        if score is None:
            return {}
        return {"alike": np.log1p(score), "unalike": float(score == 0)}

    def _phase(self, candidate: Candidate) -> int:
        """Return the sample of the window at which a row begins."""
        away = candidate.layout.offset - self._start
        return away // self._dtype.itemsize % candidate.row.length

    def column(self, candidate: Candidate) -> dict[str, float]:
        """Look at the seam between the end of a row and the begin of the next."""
        row = candidate.row
        if candidate.layout.gap:
            return self._gapped_column(candidate)
        column = self.grid.column(row.length, row.channels)
        if column is None:
            return {}
        at = self._phase(candidate)
        return _of_column(column.ratios[at], column.scores[at], column.scores.max())

    def _gapped_column(self, candidate: Candidate) -> dict[str, float]:
        """Look at the same seam within a few frames, as rows of each begin elsewhere."""
        row, layout = candidate.row, candidate.layout
        count = min(candidate.rows, max(8, 20_000 // row.length)) * row.length
        found = []
        for k in (layout.frames // 3, layout.frames - 1):
            place = layout.offset + int(k) * candidate.pitch
            grid = Grid(self._strips.samples(place, count))
            column = grid.column(row.length, row.channels)
            if column is not None:
                found.append((column.ratios[0], column.scores[0], column.scores.max()))
        if not found:
            return {}
        return _of_column(*np.mean(found, 0))

    def _frames(self, candidate: Candidate) -> dict[str, float]:
        """Look at the seams between frames: all those in the window, or a few of the file's."""
        planes = candidate.planes
        if planes < 2 or candidate.rows < 3:
            return {}
        found = self._in_window(candidate)
        if found is None:
            found = self._in_file(candidate), 0.0
        odds, inner = found
        if not odds.size:
            return {}
        mean = float(odds.mean())
        total = mean * min(planes - 1, 32)
        return {
            "seam": slog(max(total, -3.0)),
            "seampos": float(total > 3),
            "seamavg": mean,
            "inner": inner,
            "out_seam": mean * candidate.features.get("outside", 0.0),
        }

    def _in_window(self, candidate: Candidate) -> tuple[Floats, float] | None:
        """Return the odds of seams in the window, and the best mean of places within frames."""
        row, y = candidate.row, candidate.rows
        phase = self._phase(candidate)
        steps = None if candidate.layout.gap else self.grid.steps(row.length, phase)
        if steps is None:
            return None
        first = self._start + phase * self._dtype.itemsize - candidate.layout.offset
        rows = first // candidate.row_bytes + 1 + np.arange(steps.size)
        inside = (rows > 0) & (rows < candidate.planes * y)
        at = rows % y
        odds = steps[inside & (at == 0)]
        if odds.size < 2:
            return None
        within = [steps[inside & (at > 0) & (at % (y // n) == 0)] for n in (2, 3, 5) if y % n == 0]
        return odds, max((float(some.mean()) for some in within if some.size), default=0.0)

    def _in_file(self, candidate: Candidate) -> Floats:
        planes, row_bytes = candidate.planes, candidate.row_bytes
        most = max(1, min(_SEAMS, _SEAM_BYTES // (2 * _REACH * min(row_bytes, _WIDE_BYTES))))
        at = np.unique(np.linspace(1, planes - 1, min(most, planes - 1)).round().astype(int))
        places = [candidate.layout.offset + int(k) * candidate.pitch for k in at]
        odds = [llr for place in places if (llr := self._seam(place, candidate)) is not None]
        found: Floats = np.clip(np.array(odds), -4, 4)
        return found

    def _seam(self, place: int, candidate: Candidate) -> float | None:
        reach = min(_REACH, candidate.rows)
        length, nbytes = candidate.row.length, reach * candidate.row_bytes
        width = min(length, _WIDE_BYTES // self._dtype.itemsize)
        before = self._strips.rows(place - candidate.layout.gap - nbytes, reach, length, width)
        rows = np.concatenate([before, self._strips.rows(place, reach, length, width)])
        if rows.shape[0] < 2 * reach or reach < 3:
            return None
        steps = np.log(np.abs(np.diff(rows, axis=0)).mean(1) + 1e-6)
        seam, others = float(steps[reach - 1]), np.delete(steps, reach - 1)
        far, middle = np.abs(rows[reach:] - rows[:-reach]).mean(), float(np.median(others))
        mu = float(np.log(far + 1e-6)) - middle
        return seam_odds(seam - middle, mu, float(others.std())) if mu >= 0.05 else 0.0


def _of_column(ratio: float, score: float, most: float) -> dict[str, float]:
    """Return how likely rows end where they should, and how much clearer another place is."""
    return {"colllr": slog(float(ratio)), "intz": np.log1p(max(0.0, float(most - score)))}


def _apart(pitches: list[int], length: int, most: int) -> list[int]:
    """Return a few of some distances of frames, the first ones, that are not close together."""
    found: list[int] = []
    for pitch in pitches:
        is_new = all(abs(pitch - other) > length // 8 for other in found)
        if is_new and 8 * length <= pitch < most and len(found) < _PITCHES:
            found.append(pitch)
    return found
