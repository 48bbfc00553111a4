"""Where a header may end: the place after which bytes are most unlike those before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Bytes = npt.NDArray[np.uint8]

_PLACES = 9
_LEAST = 64
_USUAL = 8.0


def edge_of_values(first: Floats, window: Floats) -> tuple[int, float]:
    """Return the first sample after which samples are most unlike those before, and how much.

    As a multiple of what is found in as many samples of the window, shape ``(n,)``.
    """
    return _edge(first, window, _split)


def edge_of_bytes(first: Bytes, window: Bytes, itemsize: int) -> tuple[int, float]:
    """Return the first byte from which on bytes are like those of the window, and how sure that is.

    Each byte of a sample is compared with the same byte of other samples, shape ``(n,)`` both; as
    a multiple of what is found in as many bytes of the window.
    """
    usual = _usual_nats(window, itemsize)
    lanes = np.arange(max(first.size, window.size)) % itemsize

    def gain(x: Bytes) -> tuple[int, float]:
        saved = np.cumsum(_usual_of(x, usual, lanes) - _own_nats(x))
        at = int(np.argmax(saved))
        return at + 1, max(0.0, float(saved[at]))

    return _edge(first, window, gain, itemsize)


def _edge(
    first: npt.NDArray[Any],
    window: npt.NDArray[Any],
    split: Callable[[npt.NDArray[Any]], tuple[int, float]],
    step: int = 1,
) -> tuple[int, float]:
    """Return where a split gains most, as a multiple of what it gains in the window."""
    count = first.size
    if count < _LEAST or window.size < 1.25 * count:
        return 0, 0.0
    starts = np.linspace(0, window.size - count, _PLACES).astype(int) // step * step
    usual = np.median([split(window[start : start + count])[1] for start in starts])
    at, gain = split(first)
    return at, gain / max(float(usual), _USUAL)


def _usual_nats(window: Bytes, itemsize: int) -> Floats:
    """Return nats that a code for the window needs for a byte, shape ``(itemsize, 256)``."""
    lanes = window[: window.size // itemsize * itemsize].reshape(-1, itemsize)
    counts = np.stack([np.bincount(lane, minlength=256) for lane in lanes.T]) + 0.5
    found: Floats = -np.log(counts / counts.sum(1, keepdims=True))
    return found


def _usual_of(x: Bytes, usual: Floats, lanes: npt.NDArray[np.int64]) -> Floats:
    found: Floats = usual[lanes[: x.size], x]
    return found


def _own_nats(x: Bytes) -> Floats:
    """Return nats that a code needs for each byte that learns from those before it."""
    order = np.argsort(x, kind="stable")
    begins = np.searchsorted(x[order], np.arange(256))
    seen = np.empty(x.size)
    seen[order] = np.arange(x.size) - begins[x[order]]
    found: Floats = -np.log((seen + 0.5) / (np.arange(x.size) + 128))
    return found


def _split(x: Floats) -> tuple[int, float]:
    """Return where two codes for samples and for their steps save most, and how many nats."""
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
