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
from napari_ferry.rendering.sampling import AxisSampling, make_sampling
from napari_ferry.rendering.style import check_upright, choose_paint, is_smooth, is_visible
from napari_ferry.rendering.view import View
from napari_ferry.rendering.world import PlacedImage

_CACHE_BYTES = 256 << 20
"""Size of the cache of chunks with several frames, for all images together."""


def make_layers(view: View, layer_grid: LayerGrid, grid: Grid) -> tuple[Layer, ...]:
    """Return the visible images as layers, from bottom to top."""
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
        layers.append(_make_layer(placed, view, grid, cell=cell, mode=mode, is_on_opaque=below))
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
    indices = tuple(
        None
        if k in plane
        else _indices(placed, k, view.coordinates(k + missing), level.shape[k], factors[k])
        for k in range(len(placed.scale))
    )

    # an axis with one index per frame is the frame axis
    frame_axis = next((k for k, index in enumerate(indices) if isinstance(index, np.ndarray)), None)
    return Layer(
        array=cache_chunks(level, frame_axis, _CACHE_BYTES // len(view.world.images)),
        indices=indices,
        is_transposed=plane[0] > plane[1],
        rows=rows,
        columns=columns,
        paint=choose_paint(placed.image),
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


def _indices(
    placed: PlacedImage,
    axis: int,
    coordinates: float | NDArray[np.float64],
    size: int,
    factor: float,
) -> int | NDArray[np.intp]:
    """Return the index of a level at coordinates of the world, or -1 outside the image."""
    full = np.round((np.asarray(coordinates) - placed.start[axis]) / placed.scale[axis])
    is_inside = (full >= 0) & (full < placed.shape[axis])
    reduced = np.clip(np.round(full / factor), 0, size - 1)
    index = np.where(is_inside, reduced, -1).astype(np.intp)
    return index if index.ndim else int(index)
