"""Color tables of napari's colormaps and labels.

As on napari's canvas, a colormap is sampled from a texture of 1024 colors with 8 bits each, so that
steep colormaps look the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.image.colormaps import spread_colors, to_colormap, to_label_colors

_TEXELS = 1024


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colors of a colormap.

    Parameters
    ----------
    texels : numpy.ndarray
        Colors r g b a between 0 and 1, float32, from low to high.
    is_smooth : bool
        Whether to interpolate between neighboring colors.
    nan : numpy.ndarray
        Color of NaN.
    low, high : numpy.ndarray, optional
        Colors of values at or below the lower limit, and at or above the upper limit.
    """

    texels: NDArray[np.float32]
    is_smooth: bool
    nan: NDArray[np.float32]
    low: NDArray[np.float32] | None
    high: NDArray[np.float32] | None

    def colors_at(self, t: NDArray[Any]) -> NDArray[np.float32]:
        """Return the colors of values between 0 and 1, or NaN; axes (values, 4)."""
        known = np.nan_to_num(t)
        last = len(self.texels) - 1
        # linear interpolation is between the centers of texels
        center = 0.5 if self.is_smooth else 0.0
        position = np.clip(known * len(self.texels) - center, 0, last)
        below = position.astype(np.intp)
        colors = self.texels[below]
        if self.is_smooth:
            above = self.texels[np.minimum(below + 1, last)]
            colors = colors + (above - colors) * (position - below)[:, None].astype(np.float32)

        if self.low is not None:
            colors[known <= 0] = self.low
        if self.high is not None:
            colors[known >= 1] = self.high
        colors[np.isnan(t)] = self.nan
        return np.asarray(colors, np.float32)


def make_palette(colormap: Any) -> Palette:
    """Return the colors of a colormap in `Image.display`; gray if it is None.

    Raises
    ------
    ValueError, TypeError, LookupError
        The value is not a colormap.
    """
    from napari.utils.colormaps import AVAILABLE_COLORMAPS

    known = to_colormap("gray" if colormap is None else colormap)
    known = AVAILABLE_COLORMAPS[known] if isinstance(known, str) else known
    colors = np.asarray(known.colors, np.float64)
    is_smooth = str(getattr(known.interpolation, "value", known.interpolation)) == "linear"
    texels = spread_colors(colors, np.asarray(known.controls), is_smooth, _TEXELS)

    # older versions of napari have no colors for values outside the limits
    return Palette(
        texels=(np.rint(texels * 255) / 255).astype(np.float32),
        is_smooth=is_smooth,
        nan=np.asarray(known.nan_color, np.float32),
        low=_color(getattr(known, "low_color", None)),
        high=_color(getattr(known, "high_color", None)),
    )


def _color(value: Any) -> NDArray[np.float32] | None:
    return None if value is None else np.asarray(value, np.float32)


@dataclass(frozen=True)
class LabelColors:
    """Colors of labels: individual colors for given labels, or cyclic colors for all.

    Parameters
    ----------
    colors : numpy.ndarray
        r g b a between 0 and 1, float32, axes (colors, 4). The first is the color of the
        background, or of every label without an individual color.
    labels : numpy.ndarray, optional
        Labels of the other colors, in ascending order; if absent, the colors are cyclic.
    background : int
        Label that is not drawn; used with cyclic colors only.
    """

    colors: NDArray[np.float32]
    labels: NDArray[np.int64] | None
    background: int

    def index(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return the index of the color of each label."""
        if self.labels is None:
            return self._cyclic_index(labels)
        wide = labels.astype(np.int64)
        nearest = np.searchsorted(self.labels, wide).clip(max=len(self.labels) - 1)
        return np.where(self.labels[nearest] == wide, nearest + 1, 0)

    def _cyclic_index(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return the indices 1 2 ... n 1 2 ... of labels, and 0 for the background."""
        count = len(self.colors) - 1
        labels = labels.view(np.uint8) if labels.dtype.kind == "b" else labels
        previous = labels - 1  # the lowest label wraps around to the highest of its type
        if count > np.iinfo(labels.dtype).max:
            index = previous.astype(np.intp) % count
        else:
            # far faster than the remainder that numpy computes
            multiples = previous // count
            multiples *= count
            previous -= multiples
            index = previous.astype(np.intp)
        index += 1
        np.copyto(index, 0, where=labels == self.background)
        return index


def make_label_colors(colormap: Any) -> LabelColors:
    """Return the colors of labels in `Image.display`, or napari's default colors.

    Raises
    ------
    ValueError, TypeError, LookupError
        The value is not a colormap of labels.
    """
    from napari.utils.colormaps import DirectLabelColormap, label_colormap

    known = label_colormap(49) if not isinstance(colormap, Mapping) else to_label_colors(colormap)
    if not isinstance(known, DirectLabelColormap):
        colors = np.array(known.colors, np.float32)
        colors[0] = 0
        return LabelColors(colors, None, int(known.background_value))

    named = [(key, value) for key, value in known.color_dict.items() if key is not None]
    # the largest uint64 labels become negative, here as in `LabelColors.index`
    keys = np.array([key % 2**64 for key, _ in named], np.uint64).view(np.int64)
    order = np.argsort(keys)
    others = known.color_dict.get(None, np.zeros(4))
    colors = np.array([others, *(named[k][1] for k in order)], np.float32)
    return LabelColors(colors, keys[order], 0)
