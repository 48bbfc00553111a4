"""Regions of an array, and their division along chunks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.array_layout import ArrayLayout, chunk_lengths
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.arrays.memmap import is_in_file
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


def cut_to_region(array: Array, region: Region) -> tuple[Array, Region]:
    """Return a copy of a region of an array in memory, and the region of all of it.

    Neighbors in memory remain neighbors, so that the copy is divided into the same blocks. Lazy
    arrays, which are pickled as their paths, are returned unchanged.
    """
    if not isinstance(array, np.ndarray) or is_in_file(array):
        return array, region
    pixels = np.array(array[region], order="K")
    return pixels, whole_region(pixels.shape)


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
    chunks = chunk_lengths(array)
    sides = [_edges_within(chunk, side) for chunk, side in zip(chunks, region, strict=True)]
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


def _edges_within(chunk: int | tuple[int, ...], side: slice) -> NDArray[Any]:
    """Return the starts of chunks within one side of a region, and its start and end.

    The time depends on the region, not on the array, which may have very many chunks of one length.
    """
    if isinstance(chunk, tuple):
        edges = np.cumsum((0, *chunk))
    else:
        step = max(1, chunk)
        edges = np.arange((side.start // step + 1) * step, side.stop, step)
    inside = edges[(edges > side.start) & (edges < side.stop)]
    return np.unique(np.concatenate(([side.start], inside, [side.stop])).astype(np.int64))


def _inner_first(array: Array) -> list[int]:
    """Return the axes in the order of the distance between neighbors, shortest first.

    The frames of a transposed, mapped file are scattered over all of it, so that reading one whole
    frame would load the file. Repeated axes (stride 0) come last.
    """
    axes = list(reversed(range(array.ndim)))
    strides = array.strides if isinstance(array, np.ndarray | FileArray | ArrayLayout) else None
    if strides is None:
        return axes
    return sorted(axes, key=lambda k: (strides[k] == 0, abs(strides[k])))
