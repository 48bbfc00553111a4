"""Convert images in the world to layers, sampled at the pixels of a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array
from napari_ferry.rendering.blend import BlendMode, blend_mode
from napari_ferry.rendering.chunk_cache import cache_chunks
from napari_ferry.rendering.compose import Layer
from napari_ferry.rendering.layer_grid import LayerGrid
from napari_ferry.rendering.pixel_grid import Grid
from napari_ferry.rendering.projection import Projection, projected_dtype
from napari_ferry.rendering.sampling import AxisSampling, make_sampling
from napari_ferry.rendering.style import (
    check_upright,
    choose_paint,
    is_smooth,
    is_visible,
    projection_of,
)
from napari_ferry.rendering.view import View
from napari_ferry.rendering.world import PlacedImage

_CACHE_BYTES = 256 << 20
"""Size of the cache of chunks with several frames, for all images together."""


def make_layers(
    view: View, layer_grid: LayerGrid, grid: Grid, projection: Projection | None
) -> tuple[Layer, ...]:
    """Return the visible images as layers, from bottom to top; `projection` is that of `render`."""
    layers: list[Layer] = []
    is_opaque: dict[tuple[int, int], bool] = {}
    for placed, cell in zip(view.world.images, layer_grid.cells, strict=True):
        if not is_visible(placed.image):
            continue
        check_upright(placed.image)

        # layers are blended with those in their own cell
        blending = str(placed.image.display.get("blending", "translucent_no_depth"))
        mode = blend_mode(blending, is_lowest=cell not in is_opaque)
        below = is_opaque.get(cell, True)
        layer = _make_layer(
            placed, view, grid, cell=cell, mode=mode, is_on_opaque=below, projection=projection
        )
        layers.append(layer)
        is_opaque[cell] = below and mode not in ("minimum", "replace")
    return tuple(layers)


def _make_layer(
    placed: PlacedImage,
    view: View,
    grid: Grid,
    *,
    cell: tuple[int, int],
    mode: BlendMode,
    is_on_opaque: bool,
    projection: Projection | None,
) -> Layer:
    """Return the layer of one image."""
    missing = view.world.missing_axes(placed)
    plane = [axis - missing for axis in view.plane_axes]
    level, factors = _choose_level(placed, plane, grid.step)
    rows, columns = (
        _sampling(
            placed, axis, grid.coordinates(side, cell[side]), level.shape[axis], factors[axis]
        ).shift(grid.first_pixel(side, cell[side]))
        for side, axis in enumerate(plane)
    )
    thick = projection_of(placed.image, projection) if view.margins else None
    ranges = tuple(
        None
        if k in plane
        else _ranges(
            placed,
            k,
            view.coordinates(k + missing),
            size=level.shape[k],
            factor=factors[k],
            margins=view.margins.get(k + missing, (0.0, 0.0)) if thick else None,
        )
        for k in range(len(placed.scale))
    )

    # an axis with one range per frame is the frame axis; thick slices of frames are not cached
    frame_axis = next(
        (k for k, each in enumerate(ranges) if each is not None and each.ndim > 1), None
    )
    if thick and view.frame_axis in view.margins:
        frame_axis = None
    return Layer(
        array=cache_chunks(level, frame_axis, _CACHE_BYTES // len(view.world.images)),
        ranges=ranges,
        projection=thick,
        is_transposed=plane[0] > plane[1],
        rows=rows,
        columns=columns,
        paint=choose_paint(placed.image, projected_dtype(placed.image.dtype, thick)),
        mode=mode,
        is_on_opaque=is_on_opaque,
    )


def _choose_level(
    placed: PlacedImage, plane: Sequence[int], step: float
) -> tuple[Array, list[float]]:
    """Return the smallest level not coarser than the picture, and its reduction on each axis.

    If the picture is finer than all levels, the first level is returned.
    """
    full = placed.shape
    level, factors = placed.image.array, [1.0] * len(full)
    for smaller in placed.image.levels[1:]:
        steps = placed.steps(smaller)
        if all(steps[k] <= step * (1 + 1e-6) for k in plane):
            level = smaller
            factors = [n / m for n, m in zip(full, smaller.shape, strict=False)]
    return level, factors


def _sampling(
    placed: PlacedImage, axis: int, coordinates: NDArray[np.float64], size: int, factor: float
) -> AxisSampling:
    """Return the sampling of one axis of a level at coordinates of the world."""
    full = (coordinates - placed.start[axis]) / placed.scale[axis]
    # levels share their first edge, so the centers of their first samples differ
    return make_sampling((full + 0.5) / factor - 0.5, size, is_smooth=is_smooth(placed.image))


def _ranges(
    placed: PlacedImage,
    axis: int,
    coordinates: float | NDArray[np.float64],
    *,
    size: int,
    factor: float,
    margins: tuple[float, float] | None,
) -> NDArray[np.intp]:
    """Return the first and the last index plus 1 of a level at coordinates of the world.

    Axes (2,), or (frames, 2) for several coordinates. Both are 0 outside the image. The margins of
    a thick slice are rounded as in napari.
    """
    scale = placed.scale[axis]
    points = (np.asarray(coordinates) - placed.start[axis]) / scale
    before, after = (each / abs(scale) for each in margins or (0.0, 0.0))
    if scale < 0:
        before, after = after, before

    is_inside = np.round(points + after) >= 0
    is_inside &= np.round(points - before) < placed.shape[axis]
    points = points / factor
    if factor != 1 or margins is None:
        points = np.clip(points, 0, size - 1)
    end = np.minimum(points + after / factor, size)
    first = np.maximum(np.round(points - before / factor), 0)
    last = np.maximum(np.round(end), 0)
    last += np.isclose(last, end) & (margins is not None)
    last = np.minimum(np.where(first == last, last + 1, last), size)
    return np.where(is_inside[..., None], np.stack([first, last], -1), 0).astype(np.intp)
