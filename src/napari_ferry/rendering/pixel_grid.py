"""Choose the grid of pixels of a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import is_real, is_text
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis
from napari_ferry.rendering.view import View

Fit = Literal["1080p", "4K"]

FITS: dict[Fit, tuple[int, int]] = {"1080p": (1080, 1920), "4K": (2160, 3840)}
"""Maximum height and width of a picture with a fit, in pixels."""

_LARGEST_SIDE = 1 << 16
"""Maximum height and width of a picture without a fit, in pixels."""

_ALMOST = 1e-6


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Pixels of a picture in world coordinates.

    Parameters
    ----------
    first : tuple of float
        Coordinates of the center of the first pixel, on the vertical and the horizontal axis.
    step : float
        Distance between pixels.
    shape : tuple of int
        Height and width in pixels.
    reduction : int
        Number of these pixels along each axis that are averaged into one pixel of the picture.
    """

    first: tuple[float, float]
    step: float
    shape: tuple[int, int]
    reduction: int = 1

    def centers(self, side: int) -> NDArray[np.float64]:
        """Return the coordinates of pixels along side 0, downwards, or 1, to the right."""
        pixels = np.arange(self.shape[side], dtype=np.float64)
        return self.first[side] + pixels * self.step

    def axis(self, side: int, name: str, unit: str | None) -> Axis:
        """Return an axis of the picture, calibrated in world coordinates."""
        begin = self.first[side] + (self.reduction - 1) / 2 * self.step
        return Axis(name, self.step * self.reduction, unit, begin)


def make_grid(view: View, scale: float, fit: Fit | None) -> Grid:
    """Cover the plane with pixels, as the viewer does when it exports a figure.

    Parameters
    ----------
    view : View
        Planes to draw.
    scale, fit
        Options of `render`.

    Raises
    ------
    InvalidImageError
        The scale is not a positive number, is combined with `fit`, or gives too few or too many
        pixels.
    """
    if not is_real(scale) or not 0 < scale < math.inf or (fit and scale != 1):
        raise InvalidImageError(
            f"The scale is {scale!r}{' with a fit' if fit else ''}: give a positive number, or "
            "only a fit."
        )

    edges = [view.world.edges(axis) for axis in view.plane_axes]
    finest = min(view.world.axes[axis].scale for axis in view.plane_axes)
    extents = [high - low for low, high in edges]
    # rounding errors must not add a pixel to a whole size
    full = [math.ceil(extent / finest - 1e-9) for extent in extents]

    # reducing a smaller level of a pyramid reads fewer samples
    scale, reduction = (scale, 1) if fit is None else _fit_scale(full, fit)
    by_levels = _common_reduction(view, finest, reduction)
    scale, reduction = scale / by_levels, math.ceil(reduction / by_levels)
    shape = [int(size * scale) for size in full]
    if min(shape) < 1 or max(shape) // reduction > _LARGEST_SIDE:
        raise InvalidImageError(
            f"The picture would have {shape[1]} x {shape[0]} pixels: choose a scale other than "
            f"{scale:g}."
        )

    step = 1 / min(size / extent for size, extent in zip(shape, extents, strict=True))
    centers = [(low + high) / 2 for low, high in edges]
    first = [c - (size - 1) / 2 * step for c, size in zip(centers, shape, strict=True)]
    if reduction > 1:  # only whole blocks become pixels; the rest at the end is omitted
        shape = [max(1, size // reduction) * min(reduction, size) for size in shape]
    return Grid(
        first=(first[0], first[1]), step=step, shape=(shape[0], shape[1]), reduction=reduction
    )


def _common_reduction(view: View, finest: float, reduction: int) -> int:
    """Return the part of a reduction provided by smaller levels of all images."""
    available = [float(reduction)]
    for placed in view.world.images:
        axes = [axis - view.world.missing_axes(placed) for axis in view.plane_axes]
        steps = [placed.steps(level) for level in placed.image.levels]
        coarsest = [max(each[k] for k in axes) / finest for each in steps]
        available.append(max((step for step in coarsest if step <= reduction), default=1.0))
    return max(1, int(min(available) + _ALMOST))


def _fit_scale(full: Sequence[int], fit: Fit) -> tuple[float, int]:
    """Return the scale and the reduction, both integers, to fit a picture."""
    if not is_text(fit) or fit not in FITS:
        raise InvalidImageError(f"The fit is {fit!r}: choose one of {', '.join(FITS)}.")
    height, width = FITS[fit]
    scale = min(height // full[0], width // full[1])
    if scale:
        return float(scale), 1
    return 1.0, max(math.ceil(full[0] / height), math.ceil(full[1] / width))
