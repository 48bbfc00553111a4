"""How alike pieces of a file are that lie one frame apart: phase correlation of rows and columns.

It sees frames of any size, whose period may be longer than what was read for the autocorrelation,
and finds texture and noise of the sensor where shapes alone would be alike in one image, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complexfloating[Any, Any]]

_ROWS, _COLUMNS = 32, 256
_PLACES = (0.15, 0.4, 0.75)
_DOWN, _ASIDE = 6, 12
_MOST = 8
_PIECE, _BLOCK = 1 << 16, 1 << 19


class Alike:
    """Compares pieces of a window with those some bytes before or after them.

    Parameters
    ----------
    read : callable
        Returns rows of the file, shape ``(rows, samples)``, for the place in bytes, the number of
        rows, their distance in samples, and the samples of each.
    size : int
        Bytes of the file.
    first, last : int
        The bytes between which a window lies.
    """

    def __init__(
        self, read: Callable[[int, int, int, int], Floats], size: int, first: int, last: int
    ) -> None:
        self._read, self._size, self._first, self._last = read, size, first, last
        self._pieces: dict[int, list[tuple[int, Spectrum]]] = {}
        self._scores: dict[tuple[int, int], float] = {}

    def score(self, length: int, row_bytes: int, lag: int) -> float | None:
        """Return how far the best match a few bytes about a lag stands above all others.

        None where pieces are too small, or where enough lags were tried: each takes time.
        """
        key = (length, lag)
        if key not in self._scores:
            if len(self._scores) == _MOST or length < 2 * _ASIDE + 8:
                return None
            self._scores[key] = self._score(length, row_bytes, lag)
        return self._scores[key]

    def _score(self, length: int, row_bytes: int, lag: int) -> float:
        total: Spectrum | None = None
        for place, here in self._of_window(length, row_bytes):
            other = place + lag
            forward = other + _ROWS * row_bytes <= self._size
            there = self._spectrum(other if forward else place - lag, length)
            if there is None:
                continue
            cross = here.conj() * there if forward else there.conj() * here
            cross /= np.abs(cross) + np.float32(1e-12)
            total = cross if total is None else total + cross
        return 0.0 if total is None else _peak(total, min(length, _COLUMNS))

    def _of_window(self, length: int, row_bytes: int) -> list[tuple[int, Spectrum]]:
        """Return places within the window with what is there."""
        if length not in self._pieces:
            room = self._last - self._first - _ROWS * row_bytes
            step = row_bytes // length
            places = [self._first + int(room * part) // step * step for part in _PLACES]
            pieces = [(place, self._spectrum(place, length)) for place in places if room > 0]
            self._pieces[length] = [(place, one) for place, one in pieces if one is not None]
        return self._pieces[length]

    def _spectrum(self, place: int, length: int) -> Spectrum | None:
        from scipy import fft

        if place < 0:
            return None
        width = min(length, _COLUMNS)
        rows = self._read(place, _ROWS, length, width)
        if rows.shape != (_ROWS, width):
            return None
        edge = np.hanning(_ROWS).astype(np.float32)[:, None] * np.hanning(width).astype(np.float32)
        found: Spectrum = fft.rfft2((rows - rows.mean()) * edge)
        return found


def _peak(cross: Spectrum, width: int) -> float:
    """Return by how many spreads the best small shift beats all large ones."""
    from scipy import fft

    cross[[0, 1, -1]] = 0  # where rows end is the same in both pieces, whatever they show
    cross[:, :2] = 0
    found = np.roll(fft.irfft2(cross, (_ROWS, width)), (_ROWS // 2, width // 2), (0, 1))
    down, aside = np.abs(np.arange(_ROWS) - _ROWS // 2), np.abs(np.arange(width) - width // 2)
    near = np.ix_(down <= _DOWN, aside <= _ASIDE)
    best = float((found[near] * 0.9 ** down[down <= _DOWN][:, None]).max())
    found[near] = 0
    spread = float(found.std()) + 1e-12
    return max(0.0, best - float(found.max())) / spread


def find_repeat(values: Callable[[int, int], Floats], first: int, last: int) -> tuple[int, float]:
    """Return the lag at which samples repeat that is too long for an autocorrelation, and a score.

    Parameters
    ----------
    values : callable
        Returns samples, shape ``(n,)``, from a lag on: so many at most.
    first, last : int
        The lags between which to look.
    """
    from scipy import fft

    here = fft.rfft(values(0, _PIECE), _BLOCK).conj()
    best = (0, 0.0)
    for lag in range(first, last, _BLOCK - _PIECE):
        part = values(lag, min(_BLOCK, last - lag + _PIECE))
        if part.size < _PIECE:
            break
        cross = here * fft.rfft(part - part.mean(), _BLOCK)
        cross /= np.abs(cross) + np.float32(1e-12)
        found = fft.irfft(cross)[: max(1, part.size - _PIECE)]
        at = int(np.argmax(found))
        score = float(found[at]) / (float(found.std()) or 1.0)
        best = max(best, (lag + at, score), key=lambda one: one[1])
    return best
