"""Regions of an array, and their division along chunks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.file_array import FileArray
from napari_ferry.arrays.frames import Frames
from napari_ferry.arrays.protocol import Array

Region = tuple[slice, ...]
"""A region of an array: one slice with a start and a stop for each axis."""


def whole_region(shape: Sequence[int]) -> Region:
    """Return the region of a whole array."""
    return tuple(slice(0, n) for n in shape)


def region_shape(region: Region) -> tuple[int, ...]:
    """Return the length of a region along each axis."""
    return tuple(side.stop - side.start for side in region)


def region_bytes(array: Array, region: Region) -> int:
    """Return the size of a region of an array in memory, in bytes."""
    return math.prod(region_shape(region)) * np.dtype(array.dtype).itemsize


def split_by_frames(
    region: Region, lead: int, most: int, edges: Sequence[NDArray[Any]]
) -> list[Region]:
    """Split a region into regions of at most `most` frames, in C order.

    Parameters
    ----------
    region : Region
        Region to split.
    lead : int
        Number of leading axes, along which frames are counted.
    most : int
        Maximum number of frames of each result, at least 1.
    edges : sequence of array of int
        Starts of chunks along each leading axis; results end there if possible.
    """
    counts = region_shape(region)[:lead]
    axis = next(
        (k for k in range(lead) if counts[k] > 1 and math.prod(counts[k + 1 :]) <= most), None
    )
    if axis is None or math.prod(counts) <= most:
        return [region]

    cuts = _split_points(region[axis], most // math.prod(counts[axis + 1 :]), edges[axis])
    regions = []
    for index in np.ndindex(*counts[:axis]):
        fixed = tuple(
            slice(side.start + i, side.start + i + 1)
            for side, i in zip(region, index, strict=False)
        )
        regions += [(*fixed, slice(*cut), *region[axis + 1 :]) for cut in cuts]
    return regions


def _split_points(side: slice, step: int, edges: NDArray[Any]) -> list[tuple[int, int]]:
    """Split one side into ranges of at most `step`, at chunk edges if possible."""
    points = [side.start]
    while points[-1] < side.stop:
        limit = min(points[-1] + step, side.stop)
        inside = edges[(edges > points[-1]) & (edges <= limit)]
        points.append(int(inside[-1]) if limit < side.stop and inside.size else limit)
    return list(itertools.pairwise(points))


def chunk_edges(array: Array) -> list[NDArray[Any]]:
    """Return the starts of an array's chunks along each axis, followed by its end.

    Every index is an edge in an array without chunks.
    """
    return [
        np.cumsum((0, *chunk))
        if isinstance(chunk, tuple)
        else np.append(np.arange(0, n, max(1, chunk)), n)
        for chunk, n in zip(chunk_lengths(array), array.shape, strict=True)
    ]


def chunk_lengths(array: Array) -> tuple[Any, ...]:
    """Return the length of an array's chunks along each axis, for dask a tuple of them.

    A frame of `Frames` is a chunk, and a sample that of an array without chunks.
    """
    if isinstance(array, Frames):
        return (*(1,) * array.lead, *array.frame_shape)
    chunks = getattr(array, "chunks", None)
    return (1,) * array.ndim if chunks is None else tuple(chunks)


def split_by_bytes(array: Array, region: Region, most: int) -> Iterator[Region]:
    """Split a region into regions of about `most` bytes, or of one chunk if chunks are larger.

    Results consist of whole chunks, so that each chunk is read once. They grow first along the
    axis with the closest neighbors in memory, so that each is one contiguous part if possible.

    Parameters
    ----------
    array : array
        Array of the region.
    region : Region
        Region to split.
    most : int
        Size of the results, in bytes.
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
            n_chunks = max(1, most // nbytes)
            sides[axis] = np.append(sides[axis][:-1:n_chunks], sides[axis][-1])
            break
        nbytes = nbytes // steps[axis] * length
        sides[axis] = sides[axis][[0, -1]]

    for index in np.ndindex(*(len(side) - 1 for side in sides)):
        yield tuple(
            slice(int(side[i]), int(side[i + 1])) for side, i in zip(sides, index, strict=True)
        )


def _inner_first(array: Array) -> list[int]:
    """Return the axes in the order of the distance between neighbors, shortest first.

    The frames of a transposed, mapped file are scattered over all of it, so that reading one whole
    frame would load the file. Repeated axes (stride 0) come last.
    """
    axes = list(reversed(range(array.ndim)))
    if not isinstance(array, np.ndarray | FileArray):
        return axes
    return sorted(axes, key=lambda k: (array.strides[k] == 0, abs(array.strides[k])))
