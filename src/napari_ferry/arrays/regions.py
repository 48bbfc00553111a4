"""Regions of an array, and how they are cut so that each chunk is read for one piece only."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.frames import Frames
from napari_ferry.arrays.protocol import Array

Region = tuple[slice, ...]
"""A region of an array: one slice with a start and a stop for each axis."""


def whole_region(shape: Sequence[int]) -> Region:
    """Return the region of everything."""
    return tuple(slice(0, n) for n in shape)


def region_shape(region: Region) -> tuple[int, ...]:
    """Return the lengths of a region."""
    return tuple(side.stop - side.start for side in region)


def region_bytes(array: Array, region: Region) -> int:
    """Return the bytes that a region of an array has in memory."""
    return math.prod(region_shape(region)) * np.dtype(array.dtype).itemsize


def split_by_frames(
    region: Region, lead: int, most: int, edges: Sequence[NDArray[Any]]
) -> list[Region]:
    """Cut a region into regions of at most `most` frames, in C order, each whole in its last axes.

    Parameters
    ----------
    region : Region
        What to cut.
    lead : int
        Number of leading axes, along which frames are counted.
    most : int
        Frames that a piece may have, at least 1.
    edges : sequence of array of int
        Where chunks begin along each leading axis; cuts keep to them where that is possible.
    """
    counts = region_shape(region)[:lead]
    axis = next(
        (k for k in range(lead) if counts[k] > 1 and math.prod(counts[k + 1 :]) <= most), None
    )
    if axis is None or math.prod(counts) <= most:
        return [region]
    cuts = _cut_points(region[axis], most // math.prod(counts[axis + 1 :]), edges[axis])
    pieces = []
    for place in np.ndindex(*counts[:axis]):
        fixed = tuple(
            slice(b.start + i, b.start + i + 1) for b, i in zip(region, place, strict=False)
        )
        pieces += [(*fixed, slice(a, b), *region[axis + 1 :]) for a, b in cuts]
    return pieces


def _cut_points(side: slice, step: int, edges: NDArray[Any]) -> list[tuple[int, int]]:
    """Cut one side into pieces of at most `step`, ending at chunk edges where one is in reach."""
    points = [side.start]
    while points[-1] < side.stop:
        limit = min(points[-1] + step, side.stop)
        inside = edges[(edges > points[-1]) & (edges <= limit)]
        points.append(int(inside[-1]) if limit < side.stop and inside.size else limit)
    return list(itertools.pairwise(points))


def chunk_edges(array: Array) -> list[NDArray[Any]]:
    """Return where an array's chunks begin along each axis, its end included.

    Arrays in memory have no chunks: every index is an edge. Frames are whole.
    """
    chunks = getattr(array, "chunks", None)
    if isinstance(array, Frames):
        chunks = (*(1,) * array.lead, *array.frame_shape)
    elif chunks is None:
        chunks = (1,) * array.ndim
    return [
        np.cumsum((0, *chunk))
        if isinstance(chunk, tuple)
        else np.append(np.arange(0, n, max(1, chunk)), n)
        for chunk, n in zip(chunks, array.shape, strict=True)
    ]


def split_by_bytes(array: Array, region: Region, most: int) -> Iterator[Region]:
    """Cut a region into regions of about `most` bytes, or of one chunk where chunks are larger.

    Regions keep to chunks, so that each chunk is read for one of them only. They grow along the
    axis whose neighbors lie closest first, so that each is read from one place.

    Parameters
    ----------
    array : array
        What the region is of.
    region : Region
        What to cut.
    most : int
        Bytes.
    """
    sides = [
        np.unique(np.clip(edges, side.start, side.stop))
        for edges, side in zip(chunk_edges(array), region, strict=True)
    ]
    if any(len(side) < 2 for side in sides):
        return
    steps = [int(np.diff(side).max()) for side in sides]
    nbytes = math.prod(steps) * np.dtype(array.dtype).itemsize
    for axis in _inner_first(array):
        length = int(sides[axis][-1] - sides[axis][0])
        if nbytes // steps[axis] * length > most:
            together = max(1, most // nbytes)
            sides[axis] = np.append(sides[axis][:-1:together], sides[axis][-1])
            break
        nbytes = nbytes // steps[axis] * length
        sides[axis] = sides[axis][[0, -1]]
    for place in np.ndindex(*(len(side) - 1 for side in sides)):
        yield tuple(
            slice(int(side[i]), int(side[i + 1])) for side, i in zip(sides, place, strict=True)
        )


def _inner_first(array: Array) -> list[int]:
    """Return the axes, those first whose neighbors lie closest to each other.

    A frame of a mapped file that was transposed lies all over it: whole frames would bring all of
    it into memory. Repeated axes have no neighbors, and come last.
    """
    axes = list(reversed(range(array.ndim)))
    if not isinstance(array, np.ndarray):
        return axes
    return sorted(axes, key=lambda k: (array.strides[k] == 0, abs(array.strides[k])))
