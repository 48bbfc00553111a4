"""Choose the grid of pixels of a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import is_real, is_text
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis
from napari_ferry.rendering.cropping import crop_edges
from napari_ferry.rendering.layer_grid import LayerGrid
from napari_ferry.rendering.view import View

Fit = Literal["1080p", "4K"]

Flip = Literal["vertical", "horizontal", "both"]

_FLIPS: dict[Flip | None, tuple[bool, bool]] = {
    None: (False, False),
    "vertical": (True, False),
    "horizontal": (False, True),
    "both": (True, True),
}
"""Whether the vertical and the horizontal axis is flipped, for each value of an option."""

FITS: dict[Fit, tuple[int, int]] = {"1080p": (1080, 1920), "4K": (2160, 3840)}
"""Maximum height and width of a picture with a fit, in pixels."""

_LARGEST_SIDE = 1 << 16
"""Maximum height and width of a picture without a fit, in pixels."""

_ALMOST = 1e-6

_T = TypeVar("_T", int, float)


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Pixels of a picture in world coordinates.

    Parameters
    ----------
    centers : tuple of float
        Coordinates of the center of each cell, on the vertical and the horizontal axis.
    step : float
        Distance between pixels.
    shape : tuple of int
        Height and width in pixels.
    cell_size : tuple of float
        Height and width of a cell in pixels; those of the picture if it has a single cell.
    gap : int
        Pixels between neighboring cells.
    is_flipped : tuple of bool
        Whether coordinates decrease downwards, and to the right.
    reduction : int
        Number of these pixels along each axis that are averaged into one pixel of the picture.
    """

    centers: tuple[float, float]
    step: float
    shape: tuple[int, int]
    cell_size: tuple[float, float]
    gap: int = 0
    is_flipped: tuple[bool, bool] = (False, False)
    reduction: int = 1

    def first_pixel(self, side: int, cell: int) -> int:
        """Return the first pixel of a cell along side 0, downwards, or 1, to the right."""
        return math.ceil(self._start(side, cell) - 0.5)

    def coordinates(self, side: int, cell: int) -> NDArray[np.float64]:
        """Return the coordinates of the pixels of a cell along a side."""
        start, size = self._start(side, cell), self.cell_size[side]
        stop = min(math.ceil(start + size - 0.5), self.shape[side])
        pixels = np.arange(self.first_pixel(side, cell), stop, dtype=np.float64)
        from_center = (pixels + 0.5 - start - size / 2) * self.step
        return self.centers[side] + (-from_center if self.is_flipped[side] else from_center)

    def axis(self, side: int, name: str, unit: str | None) -> Axis:
        """Return an axis of the picture, calibrated in world coordinates of its first cell.

        The scale of a flipped axis is positive as well, because its pixels are flipped already.
        """
        begin = self.centers[side] + (self.reduction - self.cell_size[side]) / 2 * self.step
        return Axis(name, self.step * self.reduction, unit, begin)

    def _start(self, side: int, cell: int) -> float:
        """Return the edge of a cell along a side, in pixels."""
        return cell * (self.cell_size[side] + self.gap)


def make_grid(
    view: View,
    layer_grid: LayerGrid,
    scale: float,
    fit: Fit | None,
    flip: Flip | None,
    crop: str | None,
) -> Grid:
    """Cover the plane with pixels, as the viewer does when it exports a figure.

    Parameters
    ----------
    view : View
        Planes to draw.
    layer_grid : LayerGrid
        Cells of the picture.
    scale, fit, flip, crop
        Options of `render`.

    Raises
    ------
    InvalidImageError
        The scale is not a positive number, is combined with `fit`, or gives too few or too many
        pixels; or another option is not valid.
    """
    if not is_real(scale) or not 0 < scale < math.inf or (fit and scale != 1):
        raise InvalidImageError(
            f"The scale is {scale!r}{' with a fit' if fit else ''}: give a positive number, or "
            "only a fit."
        )

    if flip not in _FLIPS:
        raise InvalidImageError(f"The flip is {flip!r}: choose one of {', '.join(get_args(Flip))}.")

    edges = crop_edges(view.world, view.plane_axes, crop)
    finest = min(view.world.axes[axis].scale for axis in view.plane_axes)
    extents = [high - low for low, high in edges]
    # rounding errors must not add a pixel to a whole size
    full = [
        math.ceil(extent / finest * count - 1e-9)
        for extent, count in zip(extents, layer_grid.shape, strict=True)
    ]

    # reducing a smaller level of a pyramid reads fewer samples
    scale, reduction = (scale, 1) if fit is None else _fit_scale(full, fit)
    by_levels = _common_reduction(view, finest, reduction)
    scale, reduction = scale / by_levels, math.ceil(reduction / by_levels)
    inner = [int(size * scale) for size in full]
    cell_size = [size / count for size, count in zip(inner, layer_grid.shape, strict=True)]
    gap = layer_grid.gap([size / reduction for size in cell_size]) * reduction
    shape = [size + gap * (n - 1) for size, n in zip(inner, layer_grid.shape, strict=True)]
    if min(cell_size) < 1 or max(shape) // reduction > _LARGEST_SIDE:
        others = ", or layers with pixels of similar sizes" if scale == 1 else ""
        raise InvalidImageError(
            f"The picture would have {shape[1]} x {shape[0]} pixels: choose a scale other than "
            f"{scale:g}{others}."
        )

    step = 1 / min(size / extent for size, extent in zip(cell_size, extents, strict=True))
    if reduction > 1:  # only whole blocks become pixels; the rest at the end is omitted
        shape = [max(1, size // reduction) * min(reduction, size) for size in shape]
    return Grid(
        centers=_pair((low + high) / 2 for low, high in edges),
        step=step,
        shape=_pair(shape),
        cell_size=_pair(cell_size),
        gap=gap,
        is_flipped=_FLIPS[flip],
        reduction=reduction,
    )


def _pair(values: Iterable[_T]) -> tuple[_T, _T]:
    """Return the values for the vertical and the horizontal axis as a tuple."""
    vertical, horizontal = values
    return vertical, horizontal


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
