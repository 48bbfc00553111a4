"""Edge of a header: the position of the largest change of samples or bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Bytes = npt.NDArray[np.uint8]

_PARTS = 9
"""Number of parts of the window for measuring the usual gain of a split."""
_LEAST_SAMPLES = 64
_LEAST_NATS = 8.0
"""Minimum of the usual gain."""


def find_value_edge(first: Floats, window: Floats) -> tuple[int, float]:
    """Find the sample of the largest change; return its index and a score.

    The score is the gain of a split there, as a multiple of the usual gain in as many samples of
    the window. Both arrays have shape ``(n,)``.
    """
    return _edge(first, window, _split)


def find_byte_edge(first: Bytes, window: Bytes, itemsize: int) -> tuple[int, float]:
    """Find the first byte of the image by a code for the window; return its index and a score.

    Each byte of a sample is compared with the same byte of other samples. The score is the saving,
    as a multiple of the usual saving in as many bytes of the window. Both arrays have shape
    ``(n,)``.
    """
    usual = _usual_nats(window, itemsize)
    lanes = np.arange(max(first.size, window.size)) % itemsize

    def gain(x: Bytes) -> tuple[int, float]:
        """Return the length of the most likely header in a window, and the nats it saves."""
        saved = np.cumsum(_window_nats(x, usual, lanes) - _adaptive_nats(x))
        at = int(np.argmax(saved))
        return at + 1, max(0.0, float(saved[at]))

    return _edge(first, window, gain, itemsize)


def _edge(
    first: npt.NDArray[Any],
    window: npt.NDArray[Any],
    split: Callable[[npt.NDArray[Any]], tuple[int, float]],
    step: int = 1,
) -> tuple[int, float]:
    """Return the position of the best split, and its gain relative to the window."""
    count = first.size
    if count < _LEAST_SAMPLES or window.size < 1.25 * count:
        return 0, 0.0
    starts = np.linspace(0, window.size - count, _PARTS).astype(int) // step * step
    usual = np.median([split(window[start : start + count])[1] for start in starts])
    at, gain = split(first)
    return at, gain / max(float(usual), _LEAST_NATS)


def _usual_nats(window: Bytes, itemsize: int) -> Floats:
    """Return the code lengths of byte values in the window, shape ``(itemsize, 256)``, in nats."""
    lanes = window[: window.size // itemsize * itemsize].reshape(-1, itemsize)
    counts = np.stack([np.bincount(lane, minlength=256) for lane in lanes.T]) + 0.5
    nats: Floats = -np.log(counts / counts.sum(1, keepdims=True))
    return nats


def _window_nats(x: Bytes, usual: Floats, lanes: npt.NDArray[np.int64]) -> Floats:
    """Return the code length of each byte in a code for the window, shape ``(n,)``, in nats."""
    nats: Floats = usual[lanes[: x.size], x]
    return nats


def _adaptive_nats(x: Bytes) -> Floats:
    """Return the code length of each byte in an adaptive code, shape ``(n,)``, in nats."""
    order = np.argsort(x, kind="stable")
    begins = np.searchsorted(x[order], np.arange(256))
    seen = np.empty(x.size)
    seen[order] = np.arange(x.size) - begins[x[order]]
    nats: Floats = -np.log((seen + 0.5) / (np.arange(x.size) + 128))
    return nats


def _split(x: Floats) -> tuple[int, float]:
    """Return the position of the best split into two codes, and its saving in nats.

    Each part has a code of its own for the sizes of its samples and of their steps.
    """
    n = np.arange(1, x.size - 1)
    gain = np.zeros(n.size)
    for size in (np.abs(np.diff(x)), np.abs(x[1:])):
        total = np.cumsum(size + 1e-3, dtype=np.float64)
        before, after = total[:-1] / n, (total[-1] - total[:-1]) / n[::-1]
        gain += size.size * np.log(total[-1] / size.size) - n * np.log(before)
        gain -= n[::-1] * np.log(after)
    gain[:4] = gain[-4:] = 0
    at = int(np.argmax(gain))
    return at + 2, float(gain[at])
