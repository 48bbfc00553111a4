"""Where one row, frame or header ends and the next begins: what does not go on smoothly there."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.raw_layout.candidates import Candidate
from napari_ferry.raw_layout.source import Source

Floats = npt.NDArray[np.float64]

_REACH = 7
_SEAMS = 8
_STRIPS, _STRIP = 24, 768
_SEAM_BYTES = 192 << 10
_HEAD_BYTES = 256 << 10


class Seams:
    """Looks at places of a file, in samples of one type; places are read once."""

    def __init__(
        self, source: Source, dtype: np.dtype[Any], start: int, window: npt.NDArray[Any]
    ) -> None:
        self._source, self._dtype, self._start = source, dtype, start
        few = window[:: max(1, window.size // 50_000)].astype(np.float64)
        few = few[np.isfinite(few)]
        self._middle = float(np.median(few)) if few.size else 0.0
        spread = float(np.median(np.abs(few - self._middle))) if few.size else 0.0
        self._spread = 1.4826 * spread or (0.3 * float(few.std()) if few.size else 0) or 1.0
        self._window = window
        self._kept: dict[object, Any] = {}

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
        spread = 1.4826 * float(np.median(np.abs(later - middle)))
        scores = np.abs(steps - middle) / np.sqrt(spread**2 + 0.15**2)
        count = min(steps.size, 8192 // row_bytes + 2)
        at = np.flatnonzero(scores[:count] > 3)
        if not at.size:
            return {}
        few = {int(at[-1]), *(int(r) for r in at[np.argsort(-scores[at])[:4]])}
        return {first + (r + 1) * row_bytes: float(scores[r]) for r in few}

    def features(self, candidate: Candidate) -> dict[str, float]:
        """Return the evidence of all seams of a layout."""
        found = self._column(candidate)
        found |= self._frames(candidate)
        found |= self._head(candidate)
        found["fcorr"] = self._repeats(candidate)
        return found

    def _rows(self, start: int, count: int, length: int) -> Floats:
        """Return rows of the file, shape ``(rows, samples)``, in a common scale."""
        key = (start, count, length)
        if key not in self._kept:
            values = self._source.values(start, count * length, self._dtype)
            values = values[: values.size // length * length]
            self._kept[key] = self._scaled(values).reshape(-1, length)
        rows: Floats = self._kept[key]
        return rows

    def _scaled(self, values: npt.NDArray[Any]) -> Floats:
        with np.errstate(invalid="ignore", over="ignore"):
            x = (values.astype(np.float64) - self._middle) / self._spread
        return np.nan_to_num(x, nan=0.0, posinf=8.0, neginf=-8.0).clip(-8, 8)

    def _column(self, candidate: Candidate) -> dict[str, float]:
        """Look at the seam between the end of a row and the begin of the next."""
        row, itemsize = candidate.row, self._dtype.itemsize
        shift = (candidate.layout.offset - self._start) // itemsize % row.length
        key = ("column", row.length, row.channels, shift)
        if key not in self._kept:
            self._kept[key] = self._find_column(row.length, row.channels, shift)
        found: dict[str, float] = self._kept[key]
        return found

    def _find_column(self, length: int, channels: int, shift: int) -> dict[str, float]:
        room = (self._window.size - shift) // length
        nrows = min(room, max(64, 200_000 // length))
        if nrows < 4 or length // channels < 12:
            return {}
        rows = self._scaled(self._window[shift : shift + nrows * length]).reshape(nrows, length)
        ring = np.concatenate([rows[:-1], rows[1:, : 4 * channels]], axis=1)
        steps = np.abs(ring[:, channels:] - ring[:, :-channels]).mean(0)
        steps = steps[: steps.size // channels * channels].reshape(-1, channels).mean(1)
        x = length // channels
        logs = np.log(steps + 1e-6)
        seam, inner = float(logs[x - 1]), logs[: x - 1]
        middle = float(np.median(inner))
        spread = float(np.sqrt((1.4826 * np.median(np.abs(inner - middle))) ** 2 + 0.02**2))
        far = np.abs(rows - np.roll(rows, (x // 2) * channels, 1)).mean()
        score = (seam - middle) / spread
        rival = (float(inner.max()) - middle) / spread - score
        return {
            "colllr": _slog(_llr(seam, middle, spread, float(np.log(far + 1e-6)))),
            "colz": _slog(score),
            "intz": np.log1p(max(0.0, rival)),
        }

    def _frames(self, candidate: Candidate) -> dict[str, float]:
        """Look at the seams between frames."""
        planes, row_bytes = candidate.planes, candidate.row_bytes
        if planes < 2 or candidate.layout.y < 2:
            return {}
        most = max(1, min(_SEAMS, _SEAM_BYTES // (2 * _REACH * row_bytes)))
        at = np.unique(np.linspace(1, planes - 1, min(most, planes - 1)).round().astype(int))
        found = [
            llr
            for k in at
            if (
                llr := self._seam(
                    candidate.layout.offset + int(k) * candidate.frame_bytes, candidate
                )
            )
            is not None
        ]
        if not found:
            return {}
        total = float(np.clip(found, -4, 4).sum()) * min(planes - 1, 32) / len(found)
        return {"seam": _slog(total), "seampos": float(total > 3)}

    def _seam(self, place: int, candidate: Candidate) -> float | None:
        reach = min(_REACH, candidate.layout.y)
        rows = self._rows(place - reach * candidate.row_bytes, 2 * reach, candidate.row.length)
        if rows.shape[0] < 2 * reach or reach < 3:
            return None
        steps = np.log(np.abs(np.diff(rows, axis=0)).mean(1) + 1e-6)
        seam, others = float(steps[reach - 1]), np.delete(steps, reach - 1)
        far = np.abs(rows[reach:] - rows[:-reach]).mean()
        return _llr(seam, float(np.median(others)), float(others.std()), float(np.log(far + 1e-6)))

    def _head(self, candidate: Candidate) -> dict[str, float]:
        """Look at the begin of the image: it should go on after it, and not before it."""
        layout, length = candidate.layout, candidate.row.length
        rows = self._rows(layout.offset, min(10, layout.y), length)
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

    def _repeats(self, candidate: Candidate) -> float:
        """Compare strips one frame apart, where frames are too large for the autocorrelation."""
        if not candidate.features.get("outside"):
            return 0.0
        key = ("repeats", candidate.frame_bytes, candidate.row_bytes)
        if key not in self._kept:
            self._kept[key] = self._find_repeats(candidate)
        found: float = self._kept[key]
        return found

    def _find_repeats(self, candidate: Candidate) -> float:
        near, itemsize = candidate.row_bytes * 8, self._dtype.itemsize
        first = max(self._source.body, near)
        last = self._source.size - candidate.frame_bytes - near - _STRIP * itemsize
        if last <= first:
            return 0.0
        starts = np.linspace(first, last, _STRIPS).astype(np.int64)
        starts -= (starts - self._start) % itemsize
        here = self._strips(starts)
        others = [
            abs(
                _fisher(
                    here, self._strips(starts + candidate.frame_bytes + k * candidate.row_bytes)
                )
            )
            for k in (-8, -3, 3, 8)
        ]
        there = _fisher(here, self._strips(starts + candidate.frame_bytes))
        return _slog((abs(there) - float(np.median(others))) * float(np.sqrt(here.size)))

    def _strips(self, starts: npt.NDArray[np.int64]) -> Floats:
        from scipy.ndimage import uniform_filter1d

        rows = [self._source.values(int(start), _STRIP, self._dtype) for start in starts]
        strips = np.stack([self._scaled(row) for row in rows])
        high: Floats = strips - uniform_filter1d(strips, 41, axis=1)
        return high


def _llr(seam: float, middle: float, spread: float, far: float) -> float:
    """Return how much likelier a step is a seam than not; all are logarithms of mean steps."""
    mu = far - middle
    if mu < 0.05:
        return 0.0
    return (mu * (seam - middle - mu / 2)) / (spread**2 + mu**2 / 4)


def _fisher(a: Floats, b: Floats) -> float:
    if a.shape != b.shape:
        return 0.0
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float(np.arctanh(np.clip((a * b).sum() / norm, -0.999999, 0.999999))) if norm else 0.0


def _slog(x: float) -> float:
    return float(np.sign(x) * np.log1p(abs(x)))
