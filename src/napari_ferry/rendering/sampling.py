"""Which samples lie under the pixels of a picture, along one axis and then the other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Line:
    """Which samples of one axis lie under a run of pixels.

    Parameters
    ----------
    first : int
        The first pixel of the picture that lies on the image.
    low : numpy.ndarray
        Index of the sample under each pixel from there on; of the one before it where samples are
        interpolated.
    weight : numpy.ndarray, optional
        How much of the next sample is mixed in, float32; ``None`` for the nearest alone.
    size : int
        Number of samples of the axis.
    """

    first: int
    low: NDArray[np.intp]
    weight: NDArray[np.float32] | None
    size: int

    @property
    def stop(self) -> int:
        """The pixel after the last that lies on the image."""
        return self.first + len(self.low)

    @cached_property
    def needs(self) -> slice:
        """The samples that are needed."""
        if not len(self.low):
            return slice(0, 0)
        last = int(self.low.max()) + (self.weight is not None)
        return slice(int(self.low.min()), min(last, self.size - 1) + 1)

    def within(self, start: int, stop: int) -> Line:
        """Return the same of some pixels of the picture only."""
        begin = min(max(start, self.first), self.stop)
        end = max(min(stop, self.stop), begin)
        cut = slice(begin - self.first, end - self.first)
        weight = None if self.weight is None else self.weight[cut]
        return Line(begin, self.low[cut], weight, self.size)

    def moved(self, by: int) -> Line:
        """Return the same under pixels that are counted from another place."""
        return Line(self.first + by, self.low, self.weight, self.size)


def make_line(places: NDArray[np.float64], size: int, *, is_smooth: bool) -> Line:
    """Find the samples of an axis under pixels.

    Parameters
    ----------
    places : numpy.ndarray
        Place of each pixel's center, counted in samples: 0 is the center of the first.
    size : int
        Number of samples.
    is_smooth : bool
        Whether samples are interpolated linearly.
    """
    inside = np.flatnonzero((places >= -0.5) & (places < size - 0.5))
    if not len(inside):
        return Line(0, np.empty(0, np.intp), None, size)
    seen = places[inside[0] : inside[-1] + 1]
    if not is_smooth:
        nearest = np.clip(np.floor(seen + 0.5), 0, size - 1).astype(np.intp)
        return Line(int(inside[0]), nearest, None, size)
    held = np.clip(seen, 0, size - 1)
    low = np.minimum(np.floor(held), max(size - 2, 0)).astype(np.intp)
    return Line(int(inside[0]), low, (held - low).astype(np.float32), size)


def sample(pixels: NDArray[Any], rows: Line, columns: Line) -> NDArray[Any]:
    """Return the samples under pixels of a picture.

    Parameters
    ----------
    pixels : numpy.ndarray
        The samples that `rows` and `columns` need, axes (y, x) or (y, x, s).
    rows, columns : Line
        What lies under which pixel.

    Returns
    -------
    numpy.ndarray
        The same axes; float32 where anything is interpolated.
    """
    return _along(_along(pixels, rows, 0), columns, 1)


def _along(pixels: NDArray[Any], line: Line, axis: int) -> NDArray[Any]:
    at = line.low - line.needs.start
    if line.weight is None:
        return pixels if _counts_up(at, pixels.shape[axis]) else pixels.take(at, axis)
    weight = line.weight.reshape([-1 if k == axis else 1 for k in range(pixels.ndim)])
    low = pixels.take(at, axis).astype(np.float32)
    high = pixels.take(np.minimum(at + 1, pixels.shape[axis] - 1), axis).astype(np.float32)
    mixed: NDArray[Any] = low + (high - low) * weight
    return mixed


def _counts_up(at: NDArray[np.intp], size: int) -> bool:
    """Whether indices are those of a whole axis, in order."""
    return len(at) == size and bool((at == np.arange(size)).all())
