"""Indices along an axis, divided among tiles."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.indexing import check_indices


class TouchedIndices(NamedTuple):
    """Indices to read along one axis, and the selection from them.

    Parameters
    ----------
    indices : array of int
        The distinct indices, increasing.
    selection : int, slice or array of int
        Index of the requested items among `indices`.
    """

    indices: NDArray[np.intp]
    selection: Any


class Run(NamedTuple):
    """Indices of one tile along one axis.

    Parameters
    ----------
    number : int
        Number of the tile along the axis.
    target : slice
        Position of the indices in the array that is filled.
    source : slice or array of int
        Position of the indices in the tile.
    """

    number: int
    target: slice
    source: slice | NDArray[np.intp]


def touched_indices(item: Any, n: int, axis: int) -> TouchedIndices:
    """Find the indices to read for one item of an index.

    Parameters
    ----------
    item : int, slice or array of int
        The item, as `split_key` returns it.
    n : int
        Length of the axis.
    axis : int
        Number of the axis, for messages.
    """
    if isinstance(item, int):
        return TouchedIndices(np.array([item], np.intp), 0)
    if isinstance(item, slice):
        wanted = np.arange(*item.indices(n))
        if len(wanted) > 1 and wanted[0] > wanted[-1]:
            return TouchedIndices(wanted[::-1], slice(None, None, -1))
        return TouchedIndices(wanted, slice(None))

    wanted = check_indices(np.asarray(item), n, axis)
    touched, selection = np.unique(wanted, return_inverse=True)
    return TouchedIndices(touched, selection.reshape(wanted.shape))


def split_at_tiles(index: NDArray[np.intp], step: int) -> list[Run]:
    """Divide increasing indices at the borders of tiles of length `step`."""
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
    """Convert evenly spaced indices to a slice, for faster indexing."""
    steps = np.diff(index)
    step = int(steps[0]) if len(steps) else 1
    is_even = step > 0 and (steps == step).all()
    return slice(int(index[0]), int(index[-1]) + 1, step) if is_even else index
