"""Sample the axes of an image at the pixels of a picture, one axis after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class AxisSampling:
    """Samples of one axis at consecutive pixels.

    Parameters
    ----------
    first : int
        First pixel of the picture inside the image.
    low : numpy.ndarray
        Index of the nearest sample at each pixel from `first` on; with interpolation, of the lower
        of two neighboring samples.
    weight : numpy.ndarray, optional
        Weight of the upper sample in linear interpolation, float32; None for nearest neighbor.
    size : int
        Number of samples along the axis.
    """

    first: int
    low: NDArray[np.intp]
    weight: NDArray[np.float32] | None
    size: int

    @property
    def stop(self) -> int:
        """First pixel after the image."""
        return self.first + len(self.low)

    @cached_property
    def needed(self) -> slice:
        """Range of required samples."""
        if not len(self.low):
            return slice(0, 0)
        last = int(self.low.max()) + (self.weight is not None)
        return slice(int(self.low.min()), min(last, self.size - 1) + 1)

    @cached_property
    def is_consecutive(self) -> bool:
        """True if the nearest samples are consecutive ones, in order, as without enlargement."""
        return self.weight is None and bool((self.low[1:] == self.low[:-1] + 1).all())

    def crop(self, start: int, stop: int) -> AxisSampling:
        """Return the sampling of a range of pixels of the picture."""
        begin = min(max(start, self.first), self.stop)
        end = max(min(stop, self.stop), begin)
        cut = slice(begin - self.first, end - self.first)
        weight = None if self.weight is None else self.weight[cut]
        return AxisSampling(first=begin, low=self.low[cut], weight=weight, size=self.size)

    def shift(self, offset: int) -> AxisSampling:
        """Return the sampling with an offset added to the indices of pixels."""
        return replace(self, first=self.first + offset)


def make_sampling(positions: NDArray[np.float64], size: int, *, is_smooth: bool) -> AxisSampling:
    """Find the samples of an axis at pixels.

    Parameters
    ----------
    positions : numpy.ndarray
        Center of each pixel in units of samples, axes (pixels,); 0 is the center of the first
        sample.
    size : int
        Number of samples.
    is_smooth : bool
        Whether to interpolate samples linearly.
    """
    inside = np.flatnonzero((positions >= -0.5) & (positions < size - 0.5))
    if not len(inside):
        return AxisSampling(first=0, low=np.empty(0, np.intp), weight=None, size=size)

    first = int(inside[0])
    visible = positions[first : inside[-1] + 1]
    if not is_smooth:
        nearest = np.clip(np.floor(visible + 0.5), 0, size - 1).astype(np.intp)
        return AxisSampling(first=first, low=nearest, weight=None, size=size)

    clamped = np.clip(visible, 0, size - 1)
    low = np.minimum(np.floor(clamped), max(size - 2, 0)).astype(np.intp)
    weight = (clamped - low).astype(np.float32)
    return AxisSampling(first=first, low=low, weight=weight, size=size)


def sample(pixels: NDArray[Any], rows: AxisSampling, columns: AxisSampling) -> NDArray[Any]:
    """Return the samples at the pixels of a picture.

    Parameters
    ----------
    pixels : numpy.ndarray
        Samples in the ranges needed by `rows` and `columns`, axes (y, x) or (y, x, s).
    rows, columns : AxisSampling
        Sampling of the axes y and x.

    Returns
    -------
    numpy.ndarray
        Array with the same axes; float32 if interpolated.
    """
    # rows are faster to sample than columns, so columns are taken from as few rows as possible
    if len(rows.low) < pixels.shape[0]:
        return _sample_axis(_sample_axis(pixels, rows, 0), columns, 1)
    return _sample_axis(_sample_axis(pixels, columns, 1), rows, 0)


def _sample_axis(pixels: NDArray[Any], sampling: AxisSampling, axis: int) -> NDArray[Any]:
    """Return the samples of one axis; a view if they are the whole axis in order."""
    if sampling.is_consecutive and len(sampling.low) == pixels.shape[axis]:
        return pixels

    index = sampling.low - sampling.needed.start
    if sampling.weight is None:
        nearest: NDArray[Any] = pixels.take(index, axis, mode="clip")
        return nearest

    weight = sampling.weight.reshape([-1 if k == axis else 1 for k in range(pixels.ndim)])
    samples = pixels.astype(np.float32, copy=False)
    interpolated: NDArray[Any] = samples.take(
        np.minimum(index + 1, pixels.shape[axis] - 1), axis, mode="clip"
    )
    low = samples.take(index, axis, mode="clip")
    interpolated -= low
    interpolated *= weight
    interpolated += low
    return interpolated
