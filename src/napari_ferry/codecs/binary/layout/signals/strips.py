"""Rows of a file at any place, in a common scale."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_ferry.codecs.binary.layout.memo import kept
from napari_ferry.codecs.binary.layout.signals.grid import Scale
from napari_ferry.codecs.binary.layout.source import Samples

Floats = npt.NDArray[np.floating[Any]]


class Strips:
    """Reads a file of samples of one type; rows are read once."""

    def __init__(self, source: Samples, dtype: np.dtype[Any], scale: Scale) -> None:
        self.source, self.dtype, self.scale = source, dtype, scale
        self.kept: dict[tuple[object, ...], Any] = {}

    def samples(self, start: int, count: int) -> Floats:
        """Return samples from a byte on, shape ``(n,)`` with n <= `count`."""
        return self.scale(self.source.values(start, count, self.dtype))

    @kept
    def rows(self, start: int, count: int, length: int, width: int = 0) -> Floats:
        """Return rows from a byte on, shape ``(rows, samples)``.

        Of each row so many samples, all where `width` is 0.
        """
        if not 0 < width < length:
            found = self.samples(start, count * length)
            return found[: found.size // length * length].reshape(-1, length)
        places = [start + k * length * self.dtype.itemsize for k in range(count)]
        parts = [self.samples(place, width) for place in places]
        whole = [part for part in parts if part.size == width]
        return np.stack(whole) if whole else np.empty((0, width), np.float32)
