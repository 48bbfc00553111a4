"""Images of a world -> layers, with the samples that lie under the pixels of a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array
from napari_ferry.rendering.blend import Mode, mode_of
from napari_ferry.rendering.chunk_cache import keep_chunks
from napari_ferry.rendering.compose import Layer
from napari_ferry.rendering.sampling import Line, make_line
from napari_ferry.rendering.style import check_upright, choose_paint, is_shown, is_smooth
from napari_ferry.rendering.view import Grid, View
from napari_ferry.rendering.world import Placed

_KEPT_BYTES = 256 << 20
"""Of chunks that hold several frames, for all images together."""


def arrange(view: View, grid: Grid) -> tuple[Layer, ...]:
    """Return what is drawn, from the bottom to the top."""
    shown = [one for one in view.world.placed if is_shown(one.image)]
    layers: list[Layer] = []
    is_solid = True
    for one in shown:
        check_upright(one.image)
        blending = str(one.image.display.get("blending", "translucent_no_depth"))
        mode = mode_of(blending, is_lowest=one is shown[0])
        layers.append(_layer(one, view, grid, mode=mode, is_on_solid=is_solid))
        is_solid = is_solid and mode not in ("minimum", "replace")
    return tuple(layers)


def _layer(one: Placed, view: View, grid: Grid, *, mode: Mode, is_on_solid: bool) -> Layer:
    """Return how one image is drawn."""
    missing = view.world.missing(one)
    seen = [axis - missing for axis in view.seen]
    level, factors = _choose_level(one, seen, grid.step)
    rows, columns = (
        _line(one, axis, grid.places(side), level.shape[axis], factors[axis])
        for side, axis in enumerate(seen)
    )
    places = tuple(
        None if k in seen else _places(one, k, view.points(k + missing), level.shape[k], factors[k])
        for k in range(len(one.scale))
    )
    running = next((k for k, place in enumerate(places) if isinstance(place, np.ndarray)), None)
    array = keep_chunks(level, running, _KEPT_BYTES // len(view.world.placed))
    is_turned, paint = seen[0] > seen[1], choose_paint(one.image)
    return Layer(array, places, is_turned, rows, columns, paint, mode, is_on_solid)


def _choose_level(one: Placed, seen: Sequence[int], step: float) -> tuple[Array, list[float]]:
    """Return the smallest level that is not coarser than the picture, and how much it is reduced.

    Where the picture is finer than all, that is the first.
    """
    full = one.shape
    found = one.image.array, [1.0] * len(full)
    for level in one.image.levels[1:]:
        steps = one.steps(level)
        if all(steps[k] <= step * (1 + 1e-6) for k in seen):
            found = level, [n / m for n, m in zip(full, level.shape, strict=False)]
    return found


def _line(one: Placed, axis: int, places: NDArray[np.float64], size: int, factor: float) -> Line:
    """Return which samples of a level lie at places of the world, along one axis."""
    full = (places - one.start[axis]) / one.scale[axis]
    # levels begin at the same edge, so their centers lie apart
    return make_line((full + 0.5) / factor - 0.5, size, is_smooth=is_smooth(one.image))


def _places(
    one: Placed, axis: int, points: float | NDArray[np.float64], size: int, factor: float
) -> int | NDArray[np.intp]:
    """Return the index of a level at points of the world, -1 outside."""
    full = np.round((np.asarray(points) - one.start[axis]) / one.scale[axis])
    inside = (full >= 0) & (full < one.shape[axis])
    reduced = np.clip(np.round(full / factor), 0, size - 1)
    index = np.where(inside, reduced, -1).astype(np.intp)
    return index if index.ndim else int(index)
