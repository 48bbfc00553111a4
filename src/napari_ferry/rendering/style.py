"""Convert display settings of an image to the colors of its samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_args

import numpy as np

from napari_ferry.arguments import is_finite, is_whole
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.image.axes import limits_of
from napari_ferry.layers.display import TRANSFORMS, warn_invalid
from napari_ferry.movie.contrast_limits import contrast_limits_of
from napari_ferry.movie.intensity import LazyContrastLimits, sampled_indices
from napari_ferry.rendering.colormap_texture import make_label_colors, make_palette
from napari_ferry.rendering.paint import Color, Labeled, Paint, Scalar
from napari_ferry.rendering.projection import Projection

_INVALID_COLORMAP = (TypeError, ValueError, LookupError)

_T = TypeVar("_T")


def transforms_of(image: Image) -> list[str]:
    """Return the names of the transforms of an image beyond scale and translation."""
    return [key for key in TRANSFORMS if image.display.get(key) is not None]


def check_upright(image: Image) -> None:
    """Refuse an image with a rotation, shear or affine transform.

    Raises
    ------
    InvalidImageError
        The image has such a transform.
    """
    transforms = transforms_of(image)
    if transforms:
        raise InvalidImageError(
            f"{image.name or 'An image'} is transformed ({', '.join(transforms)}), but only scaled "
            "and translated images can be drawn from their samples: export the viewer's canvas."
        )


def is_visible(image: Image) -> bool:
    """Return True if an image is visible."""
    return image.display.get("visible") is not False


def is_smooth(image: Image) -> bool:
    """Return True if samples are interpolated, always linearly."""
    interpolation = image.display.get("interpolation2d", "nearest")
    return image.kind == "image" and interpolation != "nearest"


def projection_of(image: Image, projection: Projection | None) -> Projection | None:
    """Return the projection of thick slices of an image, by default its own; labels have none."""
    if image.kind == "labels":
        return None
    own = image.display.get("projection_mode")
    return projection or next((mode for mode in get_args(Projection) if mode == own), None)


def check_projection(
    images: Sequence[Image], thickness: str | None, projection: Projection | None
) -> None:
    """Refuse an unknown projection, and a thickness or a projection without the other.

    Raises
    ------
    InvalidImageError
        The options do not fit each other, or the images.
    """
    if projection not in (None, *get_args(Projection)):
        raise InvalidImageError(
            f"The projection is {projection!r}: choose one of {', '.join(get_args(Projection))}."
        )
    if projection and not thickness:
        raise InvalidImageError(
            f"A projection ({projection}) requires a thickness: give the axis, such as "
            "thickness='z=all'."
        )
    if thickness and not any(projection_of(image, projection) for image in images):
        raise InvalidImageError(
            f"A thickness ({thickness}) requires an image, other than labels, and its projection: "
            f"choose one of {', '.join(get_args(Projection))}, or omit the thickness."
        )


def choose_paint(image: Image, dtype: np.dtype[Any] | None = None) -> Paint:
    """Return the conversion of samples to colors for an image without channels; read no samples.

    Parameters
    ----------
    image : Image
        Image without channels.
    dtype : data type, optional
        Data type of the samples to convert if they are projected.

    Warns
    -----
    FerryWarning
        The colormap in the display settings is not valid.
    """
    display = image.display
    opacity = _number(display.get("opacity"), 0, 1, 0.7 if image.kind == "labels" else 1.0)
    if image.kind == "labels":
        visible = display.get("shown_label")
        return Labeled(
            dtype=image.dtype,
            palette=_colors_or_default(make_label_colors, display.get("colormap"), image),
            opacity=opacity,
            contour=int(_number(display.get("contour"), 0, math.inf, 0)),
            visible_label=visible if is_whole(visible) else None,
        )

    gamma = _number(display.get("gamma"), 0, math.inf, 1.0) or 1.0
    if image.is_rgb:
        return Color(
            dtype=dtype or image.dtype, limits=_color_limits(image), gamma=gamma, opacity=opacity
        )
    return Scalar(
        dtype=dtype or image.dtype,
        limits=_limits(image),
        gamma=gamma,
        palette=_colors_or_default(make_palette, display.get("colormap"), image),
        opacity=opacity,
        is_smooth=is_smooth(image),
    )


def _number(value: Any, low: float, high: float, default: float) -> float:
    """Return a display setting, or its default if it is not a number from `low` to `high`."""
    is_valid = is_finite(value) and low <= value <= high
    return float(value) if is_valid else default


def _colors_or_default(make_colors: Callable[[Any], _T], colormap: Any, image: Image) -> _T:
    """Return the colors of a colormap, or napari's default with a warning if it is not valid."""
    try:
        return make_colors(colormap)
    except _INVALID_COLORMAP:
        warn_invalid(image.name, ["colormap"])
        return make_colors(None)


def _limits(image: Image) -> LazyContrastLimits:
    """Return the contrast limits of gray samples, computed from some frames if unknown."""
    known = contrast_limits_of(image, None)
    if known is None and image.dtype.kind == "b":
        known = (0.0, 1.0)
    if known is None and image.dtype == np.uint8:
        known = (0.0, 255.0)
    if known is not None:
        return LazyContrastLimits(known)

    # the smallest level of a pyramid has similar values and is read far faster
    smallest = image.levels[-1]
    lead = smallest.shape[:-2]
    count = math.prod(lead)
    frames = [np.unravel_index(k, lead) for k in sampled_indices(count)] if count else []
    plane = tuple(slice(0, int(n)) for n in smallest.shape[-2:])
    regions = [(*(slice(int(k), int(k) + 1) for k in frame), *plane) for frame in frames]
    return LazyContrastLimits(None, smallest, regions)


def _color_limits(image: Image) -> LazyContrastLimits:
    """Return the contrast limits of color samples, by default the range of their type."""
    given = limits_of(image.display)
    if given and 0 < given[1] - given[0] < np.finfo(np.float32).max:
        return LazyContrastLimits(given)
    highest = float(np.iinfo(image.dtype).max) if image.dtype.kind in "iu" else 1.0
    return LazyContrastLimits((0.0, highest))
