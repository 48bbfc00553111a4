"""Encoding of frames as the compressed pixels of a PNG file.

Filters as in PNG (third edition, W3C 2025), section 9. A fixed filter with libdeflate takes a fifth
of the time of libpng, and compresses images of microscopes as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.png.picture_header import GRAY, RGB, RGBA, Header

_NONE, _SUB, _UP = 0, 1, 2
"""Filters: samples, or their differences from the pixel to the left, or above."""

_LEVEL = 2
"""Level of libdeflate: higher ones take longer than drawing the frames."""

_PROBED_ROWS = 64
"""Number of rows examined to choose the filter."""


def header_of(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Header:
    """Return the header for a frame.

    Parameters
    ----------
    shape : tuple of int
        Shape of the frame, with axes y x, or y x s with 3 or 4 samples.
    dtype : data type
        bool for gray frames only, uint8 or uint16.
    """
    color = GRAY if len(shape) == 2 else {3: RGB, 4: RGBA}[shape[2]]
    depth = 1 if dtype.kind == "b" else 8 * dtype.itemsize
    return Header(width=shape[1], height=shape[0], depth=depth, color=color)


def compress_frame(frame: NDArray[Any]) -> bytes:
    """Return the compressed pixels of a frame, in the format of zlib.

    Parameters
    ----------
    frame : numpy.ndarray
        Axes (y, x), or (y, x, s) with 3 or 4 samples; bool, uint8 or uint16.
    """
    import imagecodecs

    rows, step = _to_rows(frame)
    return bytes(imagecodecs.deflate_encode(_filter(rows, step).tobytes(), _LEVEL))


def most_bytes(header: Header) -> int:
    """Return the maximum size of compressed pixels in bytes: stored blocks, and a margin."""
    return header.nbytes + header.nbytes // 512 + 4096


def _to_rows(frame: NDArray[Any]) -> tuple[NDArray[np.uint8], int]:
    """Return the bytes of each row, and the distance of neighboring pixels in bytes."""
    if frame.dtype.kind == "b":
        return np.packbits(frame, axis=1), 1
    stored = np.ascontiguousarray(frame, frame.dtype.newbyteorder(">"))
    samples = frame.shape[2] if frame.ndim == 3 else 1
    return stored.view(np.uint8).reshape(len(frame), -1), samples * frame.dtype.itemsize


def _filter(rows: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Return rows after the most suitable filter, each after the number of the filter."""
    probe = rows[:: max(1, len(rows) // _PROBED_ROWS)]
    following = rows[1 :: max(1, len(rows) // _PROBED_ROWS)]
    above = probe[: len(following)]
    costs = {
        _NONE: _cost(probe),
        _SUB: _cost(probe[:, step:] - probe[:, :-step]),
        _UP: _cost(following - above),
    }
    chosen = min(costs, key=costs.__getitem__)

    out = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
    out[:, 0], filtered = chosen, out[:, 1:]
    filtered[:] = rows
    if chosen == _SUB:
        filtered[:, step:] -= rows[:, :-step]
    elif chosen == _UP:
        filtered[1:] -= rows[:-1]
    return out


def _cost(differences: NDArray[np.uint8]) -> float:
    """Return the mean distance of bytes from 0; 255 counts as -1."""
    if not differences.size:
        return 256.0
    return float(np.abs(differences.view(np.int8).astype(np.int16)).mean())
