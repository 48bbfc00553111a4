"""Samples -> colors, between contrast limits, with gamma and opacity, as the canvas does it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_ferry.movie.intensity import (
    LazyContrastLimits,
    all_values,
    is_small_dtype,
    table_indices,
)
from napari_ferry.rendering.colormap_texture import LabelColors, Palette

_BINS = 63 * 1024
"""Steps between the limits of wide types: a multiple of the colors of a palette, in 16 bits."""

_LOWEST, _NAN = _BINS + 1, _BINS + 2
"""Places in a table of what is at the lower limit, and of what is not a number."""


@dataclass(frozen=True)
class Scalar:
    """Paints one sample a pixel with a colormap.

    Parameters
    ----------
    dtype : data type
        Of the samples.
    limits : LazyContrastLimits
        Which values have the first and the last color.
    gamma : float
        Exponent of what lies between.
    palette : Palette
        The colors.
    opacity : float
        From 0 to 1.
    is_smooth : bool
        Whether samples are interpolated before they are painted, which makes them float32.
    """

    dtype: np.dtype[Any]
    limits: LazyContrastLimits
    gamma: float
    palette: Palette
    opacity: float
    is_smooth: bool

    @cached_property
    def table(self) -> NDArray[np.float32]:
        """Colors of each bit pattern of a small integer, or of each step between the limits."""
        if self._is_small:
            t = self._between(all_values(self.dtype)) ** np.float32(self.gamma)
        else:
            steps = (np.arange(_BINS) + 0.5) / _BINS
            t = np.array([*steps, 1.0, 0.0, np.nan])
        return _faded(self.palette.at(t), self.opacity)

    def index(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Return which color of the table each sample has."""
        if self._is_small:
            return table_indices(samples)
        t = self._between(samples)
        if self.gamma != 1:
            t **= np.float32(self.gamma)
        is_lowest = t <= 0 if self.palette.low is not None else None
        t *= _BINS
        is_nan = np.isnan(t) if np.isnan(t.sum()) else None
        with np.errstate(invalid="ignore"):
            index = t.astype(np.uint16)
        if is_lowest is not None:
            index[is_lowest] = _LOWEST
        if is_nan is not None:
            index[is_nan] = _NAN
        return index

    def colors(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Return the colors r g b a of samples."""
        return self.table.take(self.index(samples), 0)

    def _between(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Return where samples lie between the limits, 0 to 1: in single precision, as the canvas.

        Limits that it cannot hold apart, or not at all, are reckoned with in double precision.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            low, high = (np.float32(limit) for limit in self.limits.find())
            if not 0 < high - low < np.inf:
                return self._between_wide(samples)
            t = np.clip(samples.astype(np.float32), low, high)
            t -= low
            t /= high - low
        return t

    def _between_wide(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        low, high = self.limits.find()
        t = (np.clip(samples.astype(np.float64), low, high) / 2 - low / 2) / (high / 2 - low / 2)
        return t.astype(np.float32)

    @property
    def _is_small(self) -> bool:
        return not self.is_smooth and is_small_dtype(self.dtype)


@dataclass(frozen=True)
class Color:
    """Paints samples r g b or r g b a.

    Parameters
    ----------
    dtype : data type
        Of the samples.
    limits : LazyContrastLimits
        Which values are dark and bright.
    gamma : float
        Exponent of what lies between.
    opacity : float
        From 0 to 1.
    """

    dtype: np.dtype[Any]
    limits: LazyContrastLimits
    gamma: float
    opacity: float

    def is_exact(self, count: int) -> bool:
        """Whether `count` samples a pixel are shown as they are."""
        limits = self.limits.find()
        is_plain = self.gamma == 1 and self.opacity == 1 and limits == (0, 255)
        return self.dtype == np.uint8 and count == 3 and is_plain

    def colors(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Return the colors r g b a of samples."""
        low, high = self.limits.find()
        wide = samples.astype(np.float32)
        out = np.empty((*samples.shape[:-1], 4), np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            rgb = np.clip(np.nan_to_num(wide[..., :3], nan=low), low, high)
            out[..., :3] = ((rgb - low) / (high - low)) ** self.gamma
        out[..., 3] = self.opacity
        if samples.shape[-1] == 4:
            most = np.iinfo(self.dtype).max if self.dtype.kind in "iu" else 1.0
            out[..., 3] *= np.clip(np.nan_to_num(wide[..., 3]) / most, 0, 1)
        return out


@dataclass(frozen=True)
class Labeled:
    """Paints labels.

    Parameters
    ----------
    dtype : data type
        Of the labels.
    palette : LabelColors
        The colors.
    opacity : float
        From 0 to 1.
    contour : int
        Thickness of outlines, 0 where labels are filled.
    shown : int, optional
        The only label that is drawn; all when absent.
    """

    dtype: np.dtype[Any]
    palette: LabelColors
    opacity: float
    contour: int = 0
    shown: int | None = None

    @cached_property
    def table(self) -> NDArray[np.float32]:
        """Colors of each bit pattern of a small integer, or of the palette."""
        if not is_small_dtype(self.dtype):
            nothing = np.zeros((1, 4), np.float32)
            return _faded(np.concatenate([self.palette.colors, nothing]), self.opacity)
        labels = all_values(self.dtype)
        colors = self.palette.colors[self.palette.index(labels)]
        if self.shown is not None:
            colors[labels != self.shown] = 0
        return _faded(colors, self.opacity)

    def index(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Return which color of the table each label has."""
        if is_small_dtype(self.dtype):
            return table_indices(samples)
        index = self.palette.index(samples)
        return index if self.shown is None else np.where(samples == self.shown, index, -1)

    def colors(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Return the colors r g b a of labels."""
        return self.table.take(self.index(samples), 0)


def _faded(colors: NDArray[np.float32], opacity: float) -> NDArray[np.float32]:
    return colors * np.array([1, 1, 1, opacity], np.float32)


Paint: TypeAlias = Scalar | Color | Labeled
