"""Convert samples to colors with contrast limits, gamma and opacity, as on napari's canvas."""

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
"""Steps between the limits of wide types: a multiple of the texels of a palette, in uint16."""

_LOWEST, _NAN = _BINS + 1, _BINS + 2
"""Indices in a color table of the lower limit and of NaN."""


@dataclass(frozen=True, kw_only=True)
class Scalar:
    """Colormap applied to one sample per pixel.

    Parameters
    ----------
    dtype : data type
        Data type of the samples.
    limits : LazyContrastLimits
        Values of the first and the last color.
    gamma : float
        Exponent applied to values between the limits, scaled from 0 to 1.
    palette : Palette
        Colors of the colormap.
    opacity : float
        Opacity from 0 to 1.
    is_smooth : bool
        Whether samples are interpolated before conversion, which makes them float32.
    """

    dtype: np.dtype[Any]
    limits: LazyContrastLimits
    gamma: float
    palette: Palette
    opacity: float
    is_smooth: bool

    @cached_property
    def table(self) -> NDArray[np.float32]:
        """Color of each value of a small integer type, or of each step between the limits."""
        if self._is_small:
            t = self._between(all_values(self.dtype)) ** np.float32(self.gamma)
        else:
            steps = (np.arange(_BINS) + 0.5) / _BINS
            t = np.array([*steps, 1.0, 0.0, np.nan])
        return _with_opacity(self.palette.colors_at(t), self.opacity)

    def index(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Return the index in the color table of each sample."""
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
        """Scale samples linearly from the limits to 0 and 1; clip samples outside.

        The result is computed in single precision, as on the canvas, unless single precision cannot
        represent or distinguish the limits.
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
        """Scale samples in double precision; halves prevent an overflow of the difference."""
        low, high = self.limits.find()
        t = (np.clip(samples.astype(np.float64), low, high) / 2 - low / 2) / (high / 2 - low / 2)
        return t.astype(np.float32)

    @property
    def _is_small(self) -> bool:
        return not self.is_smooth and is_small_dtype(self.dtype)


@dataclass(frozen=True, kw_only=True)
class Color:
    """Conversion of color samples r g b or r g b a.

    Parameters
    ----------
    dtype : data type
        Data type of the samples.
    limits : LazyContrastLimits
        Values of the darkest and the brightest color.
    gamma : float
        Exponent applied to values between the limits, scaled from 0 to 1.
    opacity : float
        Opacity from 0 to 1.
    """

    dtype: np.dtype[Any]
    limits: LazyContrastLimits
    gamma: float
    opacity: float

    def is_exact(self, count: int) -> bool:
        """Return True if pixels with `count` samples are displayed unchanged."""
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
            highest = np.iinfo(self.dtype).max if self.dtype.kind in "iu" else 1.0
            out[..., 3] *= np.clip(np.nan_to_num(wide[..., 3]) / highest, 0, 1)
        return out


@dataclass(frozen=True, kw_only=True)
class Labeled:
    """Conversion of labels to colors.

    Parameters
    ----------
    dtype : data type
        Data type of the labels.
    palette : LabelColors
        Colors of labels.
    opacity : float
        Opacity from 0 to 1.
    contour : int
        Width of outlines in pixels; 0 for filled labels.
    visible_label : int, optional
        Only visible label; all labels are visible if absent.
    """

    dtype: np.dtype[Any]
    palette: LabelColors
    opacity: float
    contour: int = 0
    visible_label: int | None = None

    @cached_property
    def table(self) -> NDArray[np.float32]:
        """Color of each value of a small integer type, or of each color of the palette."""
        if not is_small_dtype(self.dtype):
            transparent = np.zeros((1, 4), np.float32)
            return _with_opacity(np.concatenate([self.palette.colors, transparent]), self.opacity)
        labels = all_values(self.dtype)
        colors = self.palette.colors[self.palette.index(labels)]
        if self.visible_label is not None:
            colors[labels != self.visible_label] = 0
        return _with_opacity(colors, self.opacity)

    def index(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Return the index in the color table of each label; the last one is transparent."""
        if is_small_dtype(self.dtype):
            return table_indices(samples)
        index = self.palette.index(samples)
        if self.visible_label is None:
            return index
        return np.where(samples == self.visible_label, index, len(self.table) - 1)

    def colors(self, samples: NDArray[Any]) -> NDArray[np.float32]:
        """Return the colors r g b a of labels."""
        return self.table.take(self.index(samples), 0)


def _with_opacity(colors: NDArray[np.float32], opacity: float) -> NDArray[np.float32]:
    return colors * np.array([1, 1, 1, opacity], np.float32)


Paint: TypeAlias = Scalar | Color | Labeled
