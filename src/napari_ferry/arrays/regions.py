"""Regions of an array, and their division along chunks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.array_layout import ArrayLayout, chunk_lengths
from napari_ferry.arrays.array_protocol import Array
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.arrays.memmap import is_in_file
from napari_ferry.arrays.region_grid import (
    Cuts,
    EvenCuts,
    ListedCuts,
    Region,
    RegionGrid,
    longest,
)


def whole_region(shape: Sequence[int]) -> Region:
    """Return the region of a whole array."""
    return tuple(slice(0, n) for n in shape)


def region_shape(region: Region) -> tuple[int, ...]:
    """Return the length of a region along each axis."""
    return tuple(side.stop - side.start for side in region)


def region_bytes(array: Array, region: Region) -> int:
    """Return the size of a region of an array in memory, in bytes."""
    return math.prod(region_shape(region)) * np.dtype(array.dtype).itemsize


def array_bytes(array: Array) -> int:
    """Return the size of all samples of an array in memory, in bytes."""
    return region_bytes(array, whole_region(array.shape))


def is_sent_by_path(array: Array) -> bool:
    """Return True if an array is pickled as its paths or a graph, and not with its pixels."""
    return not isinstance(array, np.ndarray) or is_in_file(array)


def cut_to_region(array: Array, region: Region) -> tuple[Array, Region]:
    """Return a copy of a region of an array in memory, and the region of all of it.

    Neighbors in memory remain neighbors, so that the copy is divided into the same blocks. Lazy
    arrays, which are pickled as their paths, are returned unchanged.
    """
    if is_sent_by_path(array):
        return array, region
    pixels = np.array(array[region], order="K")
    return pixels, whole_region(pixels.shape)


def split_by_frames(
    region: Region, lead: int, most: int, chunks: Sequence[int | tuple[int, ...]]
) -> RegionGrid:
    """Split a region into regions of at most `most` frames, in C order.

    Parameters
    ----------
    region : Region
        Region to split.
    lead : int
        Number of leading axes, along which frames are counted.
    most : int
        Maximum number of frames of each result, at least 1.
    chunks : sequence of int or tuple of int
        Length of chunks along each leading axis, as of `chunk_lengths`; results end at their edges
        if possible.
    """
    counts = region_shape(region)[:lead]
    axis = next(
        (k for k in range(lead) if counts[k] > 1 and math.prod(counts[k + 1 :]) <= most), None
    )
    sides: list[Cuts] = [ListedCuts((side.start, side.stop)) for side in region]
    if axis is not None and math.prod(counts) > most:
        sides[:axis] = (EvenCuts(side.start, side.stop, side.start, 1) for side in region[:axis])
        sides[axis] = _split_side(region[axis], most // math.prod(counts[axis + 1 :]), chunks[axis])
    return RegionGrid(tuple(sides))


def _split_side(side: slice, step: int, chunk: int | tuple[int, ...]) -> Cuts:
    """Split one side into ranges of at most `step`, at chunk edges if possible."""
    if isinstance(chunk, int) and step % max(1, chunk) == side.start % max(1, chunk) == 0:
        return EvenCuts(side.start, side.stop, side.start, step)

    edges = np.array(_edges_of(chunk)) if isinstance(chunk, tuple) else None
    points = [side.start]
    while points[-1] < side.stop:
        limit = min(points[-1] + step, side.stop)
        if edges is None:
            edge = limit - limit % max(1, int(chunk))  # type: ignore[arg-type]
        else:
            edge = int(edges[np.searchsorted(edges, limit, "right") - 1])
        points.append(edge if limit < side.stop and edge > points[-1] else limit)
    return ListedCuts(tuple(points))


def _edges_of(chunks: tuple[int, ...]) -> list[int]:
    """Return the starts of chunks, followed by their end."""
    return [*itertools.accumulate(chunks, initial=0)]


def largest_chunk(array: Array) -> tuple[int, ...]:
    """Return the length of the longest chunk along each axis, at least 1."""
    return tuple(
        max(1, *chunk) if isinstance(chunk, tuple) else max(1, min(chunk, n))
        for chunk, n in zip(chunk_lengths(array), array.shape, strict=True)
    )


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


def split_by_bytes(array: Array, region: Region, most: int) -> RegionGrid:
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
    sides = [_cuts_within(chunk, side) for chunk, side in zip(chunks, region, strict=True)]
    if not all(map(len, sides)):
        return RegionGrid(tuple(sides))

    steps = [longest(side) for side in sides]
    nbytes = math.prod(steps) * np.dtype(array.dtype).itemsize
    for axis in _inner_first(array):
        length = region[axis].stop - region[axis].start
        if nbytes // steps[axis] * length > most:
            sides[axis] = sides[axis].join(max(1, most // nbytes))
            break
        nbytes = nbytes // steps[axis] * length
        sides[axis] = sides[axis].join(len(sides[axis]))
    return RegionGrid(tuple(sides))


def _cuts_within(chunk: int | tuple[int, ...], side: slice) -> Cuts:
    """Return the chunks within one side of a region, cut off at its start and end.

    An array may have very many chunks of one length.
    """
    if isinstance(chunk, tuple):
        inside = (edge for edge in _edges_of(chunk) if side.start < edge < side.stop)
        edges = dict.fromkeys((side.start, *inside, side.stop))
        return ListedCuts(tuple(edges))
    step = max(1, chunk)
    return EvenCuts(side.start, side.stop, side.start // step * step, step)


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
