"""Downsampling by 2 along some axes: rounded mean, nearest neighbor, or most frequent value.

Where a length is odd, the last sample of the result is made from the existing samples.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.zarr.zarr_options import Method

_ROWS = 128
"""Rows of the source in one step, few enough for the cache of the processor."""

_Reduce: TypeAlias = Callable[[NDArray[Any], tuple[bool, ...]], NDArray[Any]]


def half_shape(shape: Sequence[int], halved: Sequence[bool]) -> tuple[int, ...]:
    """Return the shape after halving some axes; odd lengths are rounded up."""
    return tuple(-(-n // 2) if half else n for n, half in zip(shape, halved, strict=True))


def halve(pixels: NDArray[Any], halved: tuple[bool, ...], method: Method) -> NDArray[Any]:
    """Return an array at half the resolution along some axes.

    Parameters
    ----------
    pixels : numpy.ndarray
        Numbers or bool, two or more axes, native byte order.
    halved : tuple of bool
        True for each axis to halve.
    method : {"mean", "nearest", "mode"}
        Value for the 2, 4 or 8 samples of a new one: their mean, rounded half up for integers and
        bool; the first of them; or the most frequent of them, the first of equally frequent ones.

    Returns
    -------
    numpy.ndarray
        Array of the same type.
    """
    if method == "nearest" or not any(halved):
        return pixels[tuple(slice(None, None, 2) if half else slice(None) for half in halved)]
    # the axes to halve come last, so that few blocks contain all samples
    order = sorted(range(pixels.ndim), key=lambda axis: halved[axis])
    source = pixels.view(np.uint8) if pixels.dtype == bool else pixels
    out = np.empty(half_shape(pixels.shape, halved), source.dtype)
    inner = tuple(halved[axis] for axis in order)
    _reduce_blocks(source.transpose(order), inner, method, out.transpose(order))
    return out.view(pixels.dtype)


def _reduce_blocks(
    pixels: NDArray[Any], halved: tuple[bool, ...], method: Method, out: NDArray[Any]
) -> None:
    """Fill an array of half the resolution, a few rows at a time."""
    reduce = _mode if method == "mode" else _mean_of(pixels.dtype, halved)
    for target, part in _row_blocks(pixels, halved):
        out[target] = reduce(_complete(part, halved), halved)


def _row_blocks(
    pixels: NDArray[Any], halved: tuple[bool, ...]
) -> Iterator[tuple[tuple[Any, ...], NDArray[Any]]]:
    """Yield the index of a few rows of the result, and the rows of planes to make them from."""
    *lead, rows = pixels.shape[:-1]
    sides = [range(0, n, 2 if half else 1) for n, half in zip(lead, halved, strict=False)]
    step = 2 if halved[-2] else 1
    for index in itertools.product(*sides):
        inner = tuple(
            slice(i, i + 2) if half else slice(i, i + 1)
            for i, half in zip(index, halved, strict=False)
        )
        outer = tuple(
            slice(i // 2, i // 2 + 1) if half else slice(i, i + 1)
            for i, half in zip(index, halved, strict=False)
        )

        for row in range(0, rows, _ROWS):
            target = slice(row // step, -(-min(row + _ROWS, rows) // step))
            yield (*outer, target), pixels[(*inner, slice(row, row + _ROWS))]


def _complete(pixels: NDArray[Any], halved: tuple[bool, ...]) -> NDArray[Any]:
    """Repeat the last sample along axes of odd length: the mean and the mode remain the same."""
    for axis, half in enumerate(halved):
        if half and pixels.shape[axis] % 2:
            last = pixels[(slice(None),) * axis + (slice(-1, None),)]
            pixels = np.concatenate([pixels, last], axis)
    return pixels


def _windows(pixels: NDArray[Any], halved: tuple[bool, ...]) -> Iterator[NDArray[Any]]:
    """Yield the samples at each place in the windows, each as an array of the result's shape."""
    starts = [(0, 1) if half else (0,) for half in halved]
    for start in itertools.product(*starts):
        yield pixels[
            tuple(slice(i, None, 2 if half else 1) for i, half in zip(start, halved, strict=True))
        ]


def _mean_of(dtype: np.dtype[Any], halved: tuple[bool, ...]) -> _Reduce:
    """Return the fastest exact function for the mean of samples of a type."""
    if dtype.kind in "fc":
        return _mean_floats
    is_plane = halved[-2:] == (True, True) and not any(halved[:-2])
    if dtype.itemsize <= 2 and is_plane and sys.byteorder == "little":
        return _mean_pairs
    return _mean_integers if dtype.itemsize < 8 else _mean_long_integers


def _mean_pairs(pixels: NDArray[Any], halved: tuple[bool, ...]) -> NDArray[Any]:
    """Return the mean of 2 x 2 samples of 8 or 16 bits, read in pairs as numbers of twice the size.

    Sums of four samples fit into these. Adding half of the range makes signed samples unsigned.
    """
    bits = 8 * pixels.itemsize
    wide = np.dtype(f"u{2 * pixels.itemsize}")
    pairs = np.ascontiguousarray(pixels).view(wide)
    if pixels.dtype.kind == "i":
        half = 1 << (bits - 1)
        pairs = pairs ^ wide.type(half | half << bits)
    low = wide.type((1 << bits) - 1)
    upper, lower = pairs[..., ::2, :], pairs[..., 1::2, :]

    total = upper & low
    total += lower & low
    total += upper >> bits
    total += lower >> bits
    total += wide.type(2)
    total >>= wide.type(2)
    if pixels.dtype.kind == "i":
        total ^= wide.type(half)
    mean: NDArray[Any] = total.astype(f"u{pixels.itemsize}").view(pixels.dtype)
    return mean


def _mean_integers(pixels: NDArray[Any], halved: tuple[bool, ...]) -> NDArray[Any]:
    """Return the mean of integers of up to 32 bits, whose sums fit into 64 bits."""
    shift = sum(halved)
    total: NDArray[Any] = np.int64(1 << shift >> 1)  # type: ignore[assignment]
    for part in _windows(pixels, halved):
        total = total + part
    mean: NDArray[Any] = (total >> shift).astype(pixels.dtype)
    return mean


def _mean_long_integers(pixels: NDArray[Any], halved: tuple[bool, ...]) -> NDArray[Any]:
    """Return the mean of integers of 64 bits, whose sums would overflow."""
    shift = sum(halved)
    number = pixels.dtype.type
    whole: NDArray[Any] = number(0)
    rest: NDArray[Any] = number(1 << shift >> 1)
    for part in _windows(pixels, halved):
        whole = whole + (part >> number(shift))
        rest = rest + (part & number((1 << shift) - 1))
    mean: NDArray[Any] = whole + (rest >> number(shift))
    return mean


def _mean_floats(pixels: NDArray[Any], halved: tuple[bool, ...]) -> NDArray[Any]:
    """Return the mean of real or complex numbers; dividing first keeps sums from overflowing."""
    wide = np.dtype(np.float32) if pixels.dtype == np.float16 else pixels.dtype
    weight = wide.type(1 / (1 << sum(halved)))
    parts = _windows(pixels, halved)
    with np.errstate(invalid="ignore"):  # the mean of both infinities is NaN
        total = np.multiply(next(parts), weight, dtype=wide)
        for part in parts:
            total += np.multiply(part, weight, dtype=wide)
    mean: NDArray[Any] = total.astype(pixels.dtype, copy=False)
    return mean


def _mode(pixels: NDArray[Any], halved: tuple[bool, ...]) -> NDArray[Any]:
    """Return the most frequent sample of each window, the first of equally frequent ones."""
    parts = list(_windows(pixels, halved))
    best = parts[0].copy()
    most = sum((part == parts[0]).astype(np.uint8) for part in parts)
    for candidate in parts[1:]:
        count = sum((part == candidate).astype(np.uint8) for part in parts)
        better = count > most
        best[better] = candidate[better]
        most = np.maximum(most, count)
    return best
