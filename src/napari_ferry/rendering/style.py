"""How an image is shown, by its display -> what paints it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from napari_ferry.arguments import is_finite, is_whole
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.image.axes import limits_of
from napari_ferry.layers.display import TRANSFORMS, warn_unsound
from napari_ferry.movie.contrast_limits import contrast_limits_of
from napari_ferry.movie.intensity import LazyContrastLimits, sampled_indices
from napari_ferry.rendering.colormap_texture import find_label_colors, find_palette
from napari_ferry.rendering.paint import Color, Labeled, Paint, Scalar

_UNSOUND = (TypeError, ValueError, LookupError)

_T = TypeVar("_T")


def check_upright(image: Image) -> None:
    """Refuse an image that is turned or sheared.

    Raises
    ------
    InvalidImageError
        It is.
    """
    turned = [key for key in TRANSFORMS if image.display.get(key) is not None]
    if turned:
        raise InvalidImageError(
            f"{image.name or 'An image'} is transformed ({', '.join(turned)}), and only scaled and "
            "moved images are drawn from their samples: export what the viewer's canvas shows."
        )


def is_shown(image: Image) -> bool:
    """Whether an image is visible."""
    return image.display.get("visible") is not False


def is_smooth(image: Image) -> bool:
    """Whether samples are interpolated; linearly, whichever way the viewer does it."""
    way = image.display.get("interpolation2d", "nearest")
    return image.kind == "image" and way != "nearest"


def choose_paint(image: Image) -> Paint:
    """Return what paints an image without channels; no samples are read yet.

    Warns
    -----
    FerryWarning
        The display says something that is no color.
    """
    display = image.display
    opacity = _number(display.get("opacity"), 0, 1, 0.7 if image.kind == "labels" else 1.0)
    if image.kind == "labels":
        labels = _sound(find_label_colors, display.get("colormap"), image)
        contour = int(_number(display.get("contour"), 0, math.inf, 0))
        shown = display.get("shown_label")
        return Labeled(image.dtype, labels, opacity, contour, shown if is_whole(shown) else None)
    gamma = _number(display.get("gamma"), 0, math.inf, 1.0) or 1.0
    if image.is_rgb:
        return Color(image.dtype, _color_limits(image), gamma, opacity)
    palette = _sound(find_palette, display.get("colormap"), image)
    return Scalar(image.dtype, _limits(image), gamma, palette, opacity, is_smooth(image))


def _number(value: Any, low: float, high: float, usual: float) -> float:
    is_sound = is_finite(value) and low <= value <= high
    return float(value) if is_sound else usual


def _sound(find: Callable[[Any], _T], colormap: Any, image: Image) -> _T:
    """Return what is found of a colormap, or napari's own where it is none."""
    try:
        return find(colormap)
    except _UNSOUND:
        warn_unsound(image.name, ["colormap"])
        return find(None)


def _limits(image: Image) -> LazyContrastLimits:
    """Return which values are first and last, to be found in some frames where it is not said."""
    known = contrast_limits_of(image, None)
    if known is None and image.dtype.kind == "b":
        known = (0.0, 1.0)
    if known is None and image.dtype == np.uint8:
        known = (0.0, 255.0)
    if known is not None:
        return LazyContrastLimits(known)
    smallest = image.levels[-1]
    lead = smallest.shape[:-2]
    count = math.prod(lead)
    places = [np.unravel_index(k, lead) for k in sampled_indices(count)] if count else []
    whole = tuple(slice(0, int(n)) for n in smallest.shape[-2:])
    regions = [(*(slice(int(k), int(k) + 1) for k in place), *whole) for place in places]
    return LazyContrastLimits(None, smallest, regions)


def _color_limits(image: Image) -> LazyContrastLimits:
    """Return which values of a color are dark and bright."""
    given = limits_of(image.display)
    if given and 0 < given[1] - given[0] < np.finfo(np.float32).max:
        return LazyContrastLimits(given)
    most = float(np.iinfo(image.dtype).max) if image.dtype.kind in "iu" else 1.0
    return LazyContrastLimits((0.0, most))
