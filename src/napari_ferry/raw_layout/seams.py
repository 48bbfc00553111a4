"""Where one row, frame or header ends and the next begins: what does not go on smoothly there."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.raw_layout.alike import BLOCK, Alike, find_repeat
from napari_ferry.raw_layout.candidates import Candidate
from napari_ferry.raw_layout.grid import Grid, Scale
from napari_ferry.raw_layout.measures import seam_odds, slog, spread_of
from napari_ferry.raw_layout.source import Samples

Floats = npt.NDArray[np.floating[Any]]

_REACH = 7
_SEAMS, _FEW_SEAMS = 8, 4
_SEAM_BYTES = 192 << 10
_HEAD_BYTES = 256 << 10
_EDGE_BYTES = 12 << 10
_WIDE_BYTES = 16 << 10
_FAR_BYTES = 4 << 20


class Seams:
    """Looks at places of a file, in samples of one type; places are read once."""

    def __init__(
        self, source: Samples, dtype: np.dtype[Any], start: int, window: npt.NDArray[Any]
    ) -> None:
        self._source, self._dtype, self._start = source, dtype, start
        self._scaled = Scale.of(window)
        self.grid = Grid(window, self._scaled)
        self._kept: dict[object, Any] = {}
        self._alike = Alike(self._rows, source.size, start, start + window.nbytes)

    def starts(self, length: int, channels: int, heights: list[int]) -> list[tuple[int, int]]:
        """Return offsets and heights of frames whose seams show, wherever the file ends."""
        found = []
        for phase in self.grid.phases(length, channels):
            for height, row, _ in self.grid.folds(length, phase, heights):
                frame = height * length
                at = self._start // self._dtype.itemsize + phase + row * length
                offset = at % frame * self._dtype.itemsize + self._start % self._dtype.itemsize
                found += [(offset, height)] * (offset <= 8192)
        return found

    @cached_property
    def edge(self) -> tuple[int, float]:
        """The offset within usual headers at which bytes change most, and how much."""
        first = self._start % self._dtype.itemsize
        values = self._source.values(first, _EDGE_BYTES // self._dtype.itemsize, self._dtype)
        at, score = self.grid.edge(values)
        return first + at * self._dtype.itemsize, score

    def changes(self, length: int) -> dict[int, float]:
        """Return offsets at which rows of a length begin to be alike, with their scores."""
        key = ("changes", length)
        if key not in self._kept:
            self._kept[key] = self._find_changes(length)
        found: dict[int, float] = self._kept[key]
        return found

    def _find_changes(self, length: int) -> dict[int, float]:
        row_bytes = length * self._dtype.itemsize
        first = self._source.size % row_bytes
        nrows = min(8192 // row_bytes + 24, _HEAD_BYTES // row_bytes)
        nrows = min(nrows, (self._source.size - first) // row_bytes)
        if nrows < 6:
            return {}
        rows = self._rows(first, nrows, length)
        steps = np.log(np.abs(np.diff(rows, axis=0)).mean(1) + 1e-3)
        later = steps[-min(16, steps.size // 2 + 1) :]
        middle = float(np.median(later))
        scores = np.abs(steps - middle) / np.sqrt(spread_of(later) ** 2 + 0.15**2)
        count = min(steps.size, 8192 // row_bytes + 2)
        at = np.flatnonzero(scores[:count] > 3)
        if not at.size:
            return {}
        few = {int(at[-1]), *(int(r) for r in at[np.argsort(-scores[at])[:4]])}
        return {first + (r + 1) * row_bytes: float(scores[r]) for r in few}

    def repeat(self, first: int) -> tuple[int, float]:
        """Return the lag beyond the window's at which samples repeat, and how clearly."""
        if "repeat" not in self._kept:
            itemsize = self._dtype.itemsize

            def values(lag: int) -> Floats:
                place = self._start + lag * itemsize
                return self._scaled(self._source.values(place, BLOCK, self._dtype))

            last = min((self._source.size - self._start), _FAR_BYTES + first * itemsize) // itemsize
            self._kept["repeat"] = find_repeat(values, first, last)
        found: tuple[int, float] = self._kept["repeat"]
        return found

    def ends(self, row_bytes: int, pitch: int, place: int, at_end: bool) -> tuple[int, float]:
        """Return how many rows of a frame go on smoothly before a gap, and how sure that is.

        Frames are `pitch` bytes apart, and one begins at `place` or, if `at_end`, ends there.
        """
        key = ("ends", row_bytes, pitch, at_end)
        if key not in self._kept:
            self._kept[key] = self._find_ends(row_bytes, pitch, place, at_end)
        found: tuple[int, float] = self._kept[key]
        return found

    def _find_ends(self, row_bytes: int, pitch: int, place: int, at_end: bool) -> tuple[int, float]:
        length, most = row_bytes // self._dtype.itemsize, pitch // row_bytes
        first = max(most // 2, most - 8192 // row_bytes - 1) - _REACH
        frames = np.unique(np.linspace(1, self._source.size // pitch - 1, _FEW_SEAMS).astype(int))
        if first < 1 or frames[0] < 1:
            return most, 0.0
        steps = []
        for k in frames:
            start = place + int(k) * pitch
            start += pitch - most * row_bytes if at_end else first * row_bytes
            rows = self._rows(start, most - first, length)
            if rows.shape[0] == most - first:
                step = np.abs(np.diff(rows, axis=0)).mean(1)
                steps.append(np.log((step[::-1] if at_end else step) + 1e-3))
        if not steps:
            return most, 0.0
        mean = np.mean(steps, 0)
        usual = float(np.median(mean[: _REACH - 1]))
        scores = np.abs(mean - usual) / np.hypot(float(mean[: _REACH - 1].std()), 0.15)
        at = np.flatnonzero(scores[_REACH - 1 :] > 3)
        if not at.size:
            return most, 0.0
        i = _REACH - 1 + int(at[0])  # where steps cease, both rows are of the gap
        return first + i + int(mean[i] > usual), float(scores[i])

    def features(self, candidate: Candidate) -> dict[str, float]:
        """Return the evidence of all seams of a layout."""
        found = self.column(candidate)
        found |= self._frames(candidate)
        found |= self._head(candidate)
        found |= self._repeats(candidate)
        return found

    def _repeats(self, candidate: Candidate) -> dict[str, float]:
        """Look whether frames are alike in their details."""
        if candidate.planes < 2:
            return {}
        length, lag = candidate.row.length, candidate.frame_bytes
        score = self._alike.score(length, candidate.row_bytes, lag)
        if score is None:
            return {}
        return {"alike": np.log1p(score), "unalike": float(score == 0)}

    def _rows(self, start: int, count: int, length: int, width: int = 0) -> Floats:
        """Return rows of the file, shape ``(rows, samples)``, in a common scale.

        Of each row so many samples, all where `width` is 0.
        """
        key = (start, count, length, width)
        if key not in self._kept:
            if 0 < width < length:
                places = [start + k * length * self._dtype.itemsize for k in range(count)]
                parts = [self._source.values(place, width, self._dtype) for place in places]
                values = np.concatenate(
                    [part for part in parts if part.size == width] or [parts[0]]
                )
            else:
                width = length
                values = self._source.values(start, count * length, self._dtype)
            values = values[: values.size // width * width]
            self._kept[key] = self._scaled(values).reshape(-1, width)
        rows: Floats = self._kept[key]
        return rows

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
        score = float(column.scores[at])
        rival = float(column.scores.max()) - score
        return {
            "colllr": slog(float(column.ratios[at])),
            "colz": slog(score),
            "intz": np.log1p(max(0.0, rival)),
        }

    def _gapped_column(self, candidate: Candidate) -> dict[str, float]:
        """Look at the same seam within a few frames, as rows of each begin elsewhere."""
        row, layout = candidate.row, candidate.layout
        count = min(candidate.rows, max(8, 20_000 // row.length)) * row.length
        found = []
        for k in (layout.frames // 3, layout.frames - 1):
            place = layout.offset + int(k) * candidate.frame_bytes
            grid = Grid(self._source.values(place, count, self._dtype), self._scaled)
            column = grid.column(row.length, row.channels)
            if column is not None:
                found.append((column.ratios[0], column.scores[0], column.scores.max()))
        if not found:
            return {}
        ratio, score, most = (float(v) for v in np.mean(found, 0))
        return {
            "colllr": slog(ratio), "colz": slog(score), "intz": np.log1p(max(0.0, most - score))
        }  # fmt: skip

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
        rows = first // candidate.row_bytes + 1 + np.arange(steps.odds.size)
        inside = (rows > 0) & (rows < candidate.planes * y)
        at = rows % y
        odds = steps.odds[inside & (at == 0)]
        if odds.size < 2:
            return None
        within = [
            steps.odds[inside & (at > 0) & (at % (y // n) == 0)] for n in (2, 3, 5) if y % n == 0
        ]
        return odds, max((float(some.mean()) for some in within if some.size), default=0.0)

    def _in_file(self, candidate: Candidate) -> Floats:
        planes, row_bytes = candidate.planes, candidate.row_bytes
        most = max(1, min(_SEAMS, _SEAM_BYTES // (2 * _REACH * min(row_bytes, _WIDE_BYTES))))
        at = np.unique(np.linspace(1, planes - 1, min(most, planes - 1)).round().astype(int))
        places = [candidate.layout.offset + int(k) * candidate.frame_bytes for k in at]
        odds = [llr for place in places if (llr := self._seam(place, candidate)) is not None]
        found: Floats = np.clip(np.array(odds), -4, 4)
        return found

    def _seam(self, place: int, candidate: Candidate) -> float | None:
        reach = min(_REACH, candidate.rows)
        length, nbytes = candidate.row.length, reach * candidate.row_bytes
        width = min(length, _WIDE_BYTES // self._dtype.itemsize)
        before = self._rows(place - candidate.layout.gap - nbytes, reach, length, width)
        rows = np.concatenate([before, self._rows(place, reach, length, width)])
        if rows.shape[0] < 2 * reach or reach < 3:
            return None
        steps = np.log(np.abs(np.diff(rows, axis=0)).mean(1) + 1e-6)
        seam, others = float(steps[reach - 1]), np.delete(steps, reach - 1)
        far, middle = np.abs(rows[reach:] - rows[:-reach]).mean(), float(np.median(others))
        mu = float(np.log(far + 1e-6)) - middle
        return seam_odds(seam - middle, mu, float(others.std())) if mu >= 0.05 else 0.0

    def _head(self, candidate: Candidate) -> dict[str, float]:
        """Look at the begin of the image: it should go on after it, and not before it."""
        layout, length = candidate.layout, candidate.row.length
        few = max(4, _HEAD_BYTES // 4 // candidate.row_bytes)
        rows = self._rows(layout.offset, min(10, few, candidate.rows), length)
        found: dict[str, float] = {}
        if rows.shape[0] >= 4:
            steps = np.log(np.abs(np.diff(rows, axis=0)).mean(1) + 1e-3)
            middle, spread = float(np.median(steps[1:])), max(0.15, float(steps[1:].std()))
            found["hfirst"] = np.log1p(max(0.0, (float(steps[0]) - middle) / spread))
            count = min(layout.offset // self._dtype.itemsize, length)
            if count >= 8:
                before = self._rows(layout.offset - count * self._dtype.itemsize, 1, count)[0]
                step = float(np.log(np.abs(rows[0, -count:] - before).mean() + 1e-3))
                found["hprev"] = float(np.clip((step - middle) / spread, -5, 20)) / 5
        changes = self.changes(length)
        found["hcp"] = np.log1p(changes.get(layout.offset, 0.0))
        later = [score for at, score in changes.items() if at > layout.offset]
        found["nohcp"] = np.log1p(max(later, default=0.0))
        return found
