"""Cache of chunks with several frames of a movie, to read each chunk once."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, BlockReader, Region, whole_region
from napari_ferry.arrays.array_protocol import Shaped
from napari_ferry.arrays.regions import chunk_edges, largest_chunk


def cache_chunks(array: Array, axis: int | None, max_bytes: int) -> Array:
    """Return an array with cached chunks if they contain several frames, else the array itself.

    Parameters
    ----------
    array : array
        Array in chunks. If it is computed or compressed, one frame costs as much as a chunk.
    axis : int, optional
        Frame axis; None for a single frame.
    max_bytes : int
        Size of the cache in bytes. Larger chunks are read in groups of frames that fit.
    """
    if axis is None or getattr(array, "chunks", None) is None:
        return array

    per_chunk = largest_chunk(array)[axis]
    frame = math.prod(array.shape) // array.shape[axis] * np.dtype(array.dtype).itemsize
    group_size = min(per_chunk, max_bytes // 2 // max(1, frame))
    if group_size <= 1:
        return array
    return ChunkCache(array, axis, group_size, max_bytes // (frame * group_size))


class _FrameGroup:
    """Consecutive frames, read together by the first thread in need of one of them."""

    def __init__(self, array: Array, region: Region) -> None:
        self._array, self._region = array, region
        self._pixels: NDArray[Any] | None = None
        self._lock = threading.Lock()

    def read(self) -> NDArray[Any]:
        """Return the pixels of the group, reading them the first time."""
        with self._lock:
            if self._pixels is None:
                self._pixels = BlockReader(self._array, self._region).read_whole(np.asarray)
            return self._pixels


class ChunkCache(Shaped):
    """Thread-safe array with a cache of the most recently used groups of frames.

    Parameters
    ----------
    array : array
        Array in chunks.
    axis : int
        Frame axis.
    group_size : int
        Number of frames in a group; a group never crosses the border of a chunk.
    max_groups : int
        Maximum number of cached groups.
    """

    def __init__(self, array: Array, axis: int, group_size: int, max_groups: int) -> None:
        self.array, self.axis = array, axis
        self.group_size, self.max_groups = group_size, max_groups
        self.shape, self.dtype = tuple(array.shape), np.dtype(array.dtype)
        # whole frames are requested, so that there is one group for each
        self.chunks = (*self.shape[:axis], 1, *self.shape[axis + 1 :])
        self._edges = chunk_edges(array)[axis]
        self._groups: OrderedDict[tuple[tuple[int, int], ...], _FrameGroup] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[ChunkCache], tuple[Any, ...]]:
        return ChunkCache, (self.array, self.axis, self.group_size, self.max_groups)

    def __getitem__(self, region: Region) -> NDArray[Any]:
        """Return the pixels of a region with one frame."""
        frame = region[self.axis].start
        chunk = int(np.searchsorted(self._edges, frame, "right")) - 1
        first = frame - (frame - int(self._edges[chunk])) % self.group_size
        stop = min(first + self.group_size, int(self._edges[chunk + 1]))
        group = self._group((*region[: self.axis], slice(first, stop), *region[self.axis + 1 :]))

        within = [*whole_region(self.shape)]
        within[self.axis] = slice(frame - first, frame - first + 1)
        return group.read()[tuple(within)]

    def _group(self, region: Region) -> _FrameGroup:
        """Return the cached group of a region, dropping the least recently used groups."""
        key = tuple((side.start, side.stop) for side in region)
        with self._lock:
            group = self._groups.setdefault(key, _FrameGroup(self.array, region))
            self._groups.move_to_end(key)
            while len(self._groups) > self.max_groups:
                self._groups.popitem(last=False)
        return group
