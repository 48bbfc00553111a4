"""Indices along an axis of tiles: which they touch, and which of them lie in each tile."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.indexing import check_indices


class Run(NamedTuple):
    """Indices along one axis that lie in one tile: its number, and where they go and come from."""

    number: int
    target: slice
    source: slice | NDArray[np.intp]


def touched_by(item: Any, n: int, axis: int) -> tuple[NDArray[np.intp], Any]:
    """Return the indices that an item touches, increasing, and what indexes them for it."""
    if isinstance(item, int):
        return np.array([item], np.intp), 0
    if isinstance(item, slice):
        wanted = np.arange(*item.indices(n))
        is_back = len(wanted) > 1 and wanted[0] > wanted[-1]
        return (wanted[::-1], slice(None, None, -1)) if is_back else (wanted, slice(None))
    wanted = check_indices(np.asarray(item), n, axis)
    touched, place = np.unique(wanted, return_inverse=True)
    return touched, place.reshape(wanted.shape)


def cut_runs(index: NDArray[np.intp], step: int) -> list[Run]:
    """Cut increasing indices where tiles of a length end."""
    first, last = int(index[0]), int(index[-1])
    if last - first + 1 == len(index):
        starts = range(first // step * step, last + 1, step)
        bounds = ((k, max(first, k), min(last + 1, k + step)) for k in starts)
        return [Run(k // step, slice(a - first, b - first), slice(a - k, b - k))
                for k, a, b in bounds]  # fmt: skip
    numbers = index // step
    edges = [0, *(np.nonzero(np.diff(numbers))[0] + 1).tolist(), len(index)]
    return [
        Run(int(numbers[a]), slice(a, b), as_slice(index[a:b] - numbers[a] * step))
        for a, b in itertools.pairwise(edges)
    ]


def as_slice(index: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """Return evenly spaced indices as a slice, which numpy takes faster."""
    steps = np.diff(index)
    step = int(steps[0]) if len(steps) else 1
    is_even = step > 0 and (steps == step).all()
    return slice(int(index[0]), int(index[-1]) + 1, step) if is_even else index
