"""Similarity of frames: phase correlation of parts of a file one pitch apart.

It works for frames of any size, also those longer than the window of the autocorrelation. Unlike
shapes, which may be similar within one image, it responds to texture and noise of the sensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complexfloating[Any, Any]]

_ROWS, _COLUMNS = 32, 256
"""Size of a patch."""
_PARTS = (0.15, 0.4, 0.75)
"""Positions of the patches, as shares of the window."""
_MAX_DOWN, _MAX_ASIDE = 6, 12
"""Shift between frames, in rows and samples."""
_MAX_LAGS = 8
_TEMPLATE, _BLOCK = 1 << 16, 1 << 19
"""Number of samples to search for, and number of samples searched at once."""


class Similarity:
    """Similarity of patches of the window to those one lag before or after them.

    Parameters
    ----------
    read : callable
        Returns rows of the file, shape ``(rows, samples)``, from the first byte, the number of
        rows, their length in samples, and the number of samples to read of each.
    size : int
        Bytes of the file.
    first, last : int
        Bytes at which the window begins and ends.
    """

    def __init__(
        self, read: Callable[[int, int, int, int], Floats], size: int, first: int, last: int
    ) -> None:
        self._read, self._size, self._first, self._last = read, size, first, last
        self._patches: dict[int, list[tuple[int, Spectrum]]] = {}
        self._scores: dict[tuple[int, int], float] = {}

    def score(self, length: int, row_bytes: int, lag: int) -> float | None:
        """Return the excess of the best match close to a lag in bytes over all others, in spreads.

        None if patches are too small or enough lags were tried, as each takes time.
        """
        key = (length, lag)
        if key not in self._scores:
            if len(self._scores) == _MAX_LAGS or length < 2 * _MAX_ASIDE + 8:
                return None
            self._scores[key] = self._measure(length, row_bytes, lag)
        return self._scores[key]

    def _measure(self, length: int, row_bytes: int, lag: int) -> float:
        """Sum the cross spectra of all patches, and compare the peak of the sum with the rest."""
        total: Spectrum | None = None
        for start, here in self._window_patches(length, row_bytes):
            other = start + lag
            forward = other + _ROWS * row_bytes <= self._size
            there = self._spectrum(other if forward else start - lag, length)
            if there is None:
                continue

            cross = here.conj() * there if forward else there.conj() * here
            cross /= np.abs(cross) + np.float32(1e-12)
            total = cross if total is None else total + cross
        return 0.0 if total is None else _peak(total, min(length, _COLUMNS))

    def _window_patches(self, length: int, row_bytes: int) -> list[tuple[int, Spectrum]]:
        """Return the first byte and the spectrum of each patch of the window."""
        if length not in self._patches:
            room = self._last - self._first - _ROWS * row_bytes
            itemsize = row_bytes // length
            starts = [self._first + int(room * part) // itemsize * itemsize for part in _PARTS]
            patches = [(start, self._spectrum(start, length)) for start in starts if room > 0]
            self._patches[length] = [
                (start, patch) for start, patch in patches if patch is not None
            ]
        return self._patches[length]

    def _spectrum(self, start: int, length: int) -> Spectrum | None:
        """Return the windowed spectrum of the patch at a byte; None outside the file."""
        from scipy import fft

        if start < 0:
            return None
        width = min(length, _COLUMNS)
        rows = self._read(start, _ROWS, length, width)
        if rows.shape != (_ROWS, width):
            return None
        edge = np.hanning(_ROWS).astype(np.float32)[:, None] * np.hanning(width).astype(np.float32)
        spectrum: Spectrum = fft.rfft2((rows - rows.mean()) * edge)
        return spectrum


def _peak(cross: Spectrum, width: int) -> float:
    """Return the excess of the best small shift over all large ones, in spreads."""
    from scipy import fft

    cross[[0, 1, -1]] = 0  # row ends are the same in both patches of any image
    cross[:, :2] = 0
    matches = np.roll(fft.irfft2(cross, (_ROWS, width)), (_ROWS // 2, width // 2), (0, 1))
    down, aside = np.abs(np.arange(_ROWS) - _ROWS // 2), np.abs(np.arange(width) - width // 2)
    near = np.ix_(down <= _MAX_DOWN, aside <= _MAX_ASIDE)
    best = float((matches[near] * 0.9 ** down[down <= _MAX_DOWN][:, None]).max())
    matches[near] = 0
    spread = float(matches.std()) + 1e-12
    return max(0.0, best - float(matches.max())) / spread


def find_repeat(values: Callable[[int, int], Floats], first: int, last: int) -> tuple[int, float]:
    """Find a repeat too long for the autocorrelation; return its lag and score.

    Parameters
    ----------
    values : callable
        Returns samples, shape ``(n,)``, from a lag on and their maximum number.
    first, last : int
        Range of the lag, in samples.
    """
    from scipy import fft

    template = fft.rfft(values(0, _TEMPLATE), _BLOCK).conj()
    best = (0, 0.0)
    for lag in range(first, last, _BLOCK - _TEMPLATE):
        part = values(lag, min(_BLOCK, last - lag + _TEMPLATE))
        if part.size < _TEMPLATE:
            break

        cross = template * fft.rfft(part - part.mean(), _BLOCK)
        cross /= np.abs(cross) + np.float32(1e-12)
        matches = fft.irfft(cross)[: max(1, part.size - _TEMPLATE)]
        at = int(np.argmax(matches))
        score = float(matches[at]) / (float(matches.std()) or 1.0)
        best = max(best, (lag + at, score), key=lambda match: match[1])
    return best
