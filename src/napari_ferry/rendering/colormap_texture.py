"""The colors of napari's colormaps and labels, as plain tables.

A colormap is drawn from a texture of 1024 colors of 8 bits, as the canvas does it: so steep
colormaps come out the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.image.colormaps import spread_colors, to_colormap, to_label_colors

_TEXELS = 1024


@dataclass(frozen=True)
class Palette:
    """The colors of a colormap.

    Parameters
    ----------
    texels : numpy.ndarray
        Colors r g b a between 0 and 1, float32, from low to high.
    is_smooth : bool
        Whether colors between two of them are mixed.
    nan : numpy.ndarray
        Color of what is not a number.
    low, high : numpy.ndarray, optional
        Colors of what is at or below the lower limit, and at or above the upper one.
    """

    texels: NDArray[np.float32]
    is_smooth: bool
    nan: NDArray[np.float32]
    low: NDArray[np.float32] | None
    high: NDArray[np.float32] | None

    def at(self, t: NDArray[Any]) -> NDArray[np.float32]:
        """Return the colors of values between 0 and 1, or not-a-number; axes (values, 4)."""
        known = np.nan_to_num(t)
        place = np.clip(known * len(self.texels) - 0.5 * self.is_smooth, 0, len(self.texels) - 1)
        below = place.astype(np.intp)
        colors = self.texels[below]
        if self.is_smooth:
            above = self.texels[np.minimum(below + 1, len(self.texels) - 1)]
            colors = colors + (above - colors) * (place - below)[:, None].astype(np.float32)
        if self.low is not None:
            colors[known <= 0] = self.low
        if self.high is not None:
            colors[known >= 1] = self.high
        colors[np.isnan(t)] = self.nan
        return np.asarray(colors, np.float32)


def find_palette(colormap: Any) -> Palette:
    """Return the colors of a colormap of `Image.display`, gray where there is none.

    Raises
    ------
    ValueError, TypeError, LookupError
        It is no colormap.
    """
    from napari.utils.colormaps import AVAILABLE_COLORMAPS

    known = to_colormap("gray" if colormap is None else colormap)
    known = AVAILABLE_COLORMAPS[known] if isinstance(known, str) else known
    colors = np.asarray(known.colors, np.float64)
    is_smooth = str(getattr(known.interpolation, "value", known.interpolation)) == "linear"
    texels = spread_colors(colors, np.asarray(known.controls), is_smooth, _TEXELS)
    return Palette(
        (np.rint(texels * 255) / 255).astype(np.float32),
        is_smooth,
        np.asarray(known.nan_color, np.float32),
        _color(getattr(known, "low_color", None)),
        _color(getattr(known, "high_color", None)),
    )


def _color(value: Any) -> NDArray[np.float32] | None:
    return None if value is None else np.asarray(value, np.float32)


@dataclass(frozen=True)
class LabelColors:
    """The colors of labels: those of a few, and of all others in a circle, or one for all.

    Parameters
    ----------
    colors : numpy.ndarray
        r g b a between 0 and 1, float32, axes (colors, 4). The first is that of the background,
        or of every label that is not named.
    labels : numpy.ndarray, optional
        The labels that have the other colors, in rising order; where absent the colors go round.
    background : int
        The label that is not drawn, where they go round.
    """

    colors: NDArray[np.float32]
    labels: NDArray[np.int64] | None
    background: int

    def index(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return which of the colors each label has."""
        if self.labels is None:
            return self._round(labels)
        wide = labels.astype(np.int64)
        at = np.searchsorted(self.labels, wide).clip(max=len(self.labels) - 1)
        return np.where(self.labels[at] == wide, at + 1, 0)

    def _round(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Count 1 2 ... n 1 2 ..., and 0 for the background, which may be any number."""
        count = len(self.colors) - 1
        labels = labels.view(np.uint8) if labels.dtype.kind == "b" else labels
        if count > np.iinfo(labels.dtype).max:
            index = labels.astype(np.intp)
        else:  # in the type of the labels, whose lowest number is followed down by the highest
            index = ((labels - 1) % count).astype(np.intp) + 1
        index[labels == self.background] = 0
        return index


def find_label_colors(colormap: Any) -> LabelColors:
    """Return the colors of labels of `Image.display`, napari's own where there are none.

    Raises
    ------
    ValueError, TypeError, LookupError
        They are none.
    """
    from napari.utils.colormaps import DirectLabelColormap, label_colormap

    known = label_colormap(49) if not isinstance(colormap, Mapping) else to_label_colors(colormap)
    if not isinstance(known, DirectLabelColormap):
        colors = np.array(known.colors, np.float32)
        colors[0] = 0
        return LabelColors(colors, None, int(known.background_value))
    named = [(key, value) for key, value in known.color_dict.items() if key is not None]
    # the largest labels of 64 bits are taken for those below 0, here as in `LabelColors.index`
    keys = np.array([key % 2**64 for key, _ in named], np.uint64).view(np.int64)
    order = np.argsort(keys)
    others = known.color_dict.get(None, np.zeros(4))
    colors = np.array([others, *(named[k][1] for k in order)], np.float32)
    return LabelColors(colors, keys[order], 0)
