"""Chunks that hold several frames of a movie, read once for all of them."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, BlockReader, Region, whole_region
from napari_ferry.arrays.protocol import Shaped
from napari_ferry.arrays.regions import chunk_edges


def keep_chunks(array: Array, axis: int | None, most: int) -> Array:
    """Return an array whose chunks are read once, if they hold several frames; else itself.

    Parameters
    ----------
    array : array
        Of a computed or compressed array, one frame would cost as much as its whole chunk.
    axis : int, optional
        Along which frames are counted; ``None`` where there is but one.
    most : int
        Bytes that are kept. Of larger chunks, as many frames are read together as have room.
    """
    if axis is None or getattr(array, "chunks", None) is None:
        return array
    in_chunk = int(np.diff(chunk_edges(array)[axis]).max())
    frame = math.prod(array.shape) // array.shape[axis] * np.dtype(array.dtype).itemsize
    together = min(in_chunk, most // 2 // max(1, frame))
    return Kept(array, axis, together, most // (frame * together)) if together > 1 else array


class _Run:
    """Frames that are read together, by the first who needs one of them."""

    def __init__(self, array: Array, region: Region) -> None:
        self._array, self._region = array, region
        self._pixels: NDArray[Any] | None = None
        self._lock = threading.Lock()

    def read(self) -> NDArray[Any]:
        with self._lock:
            if self._pixels is None:
                self._pixels = BlockReader(self._array, self._region).read_whole(np.asarray)
            return self._pixels


class Kept(Shaped):
    """An array of which the last few runs of frames are kept. It is thread-safe.

    Parameters
    ----------
    array : array
        An array in chunks.
    axis : int
        Along which frames are counted.
    together : int
        Frames of a run, which lies within one chunk.
    count : int
        Runs that are kept.
    """

    def __init__(self, array: Array, axis: int, together: int, count: int) -> None:
        self.array, self.axis, self.together, self.count = array, axis, together, count
        self.shape, self.dtype = tuple(array.shape), np.dtype(array.dtype)
        # a frame is asked for as a whole, so that there is one run for each
        self.chunks = (*self.shape[:axis], 1, *self.shape[axis + 1 :])
        self._edges = chunk_edges(array)[axis]
        self._runs: OrderedDict[tuple[tuple[int, int], ...], _Run] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Kept], tuple[Any, ...]]:
        return Kept, (self.array, self.axis, self.together, self.count)

    def __getitem__(self, region: Region) -> NDArray[Any]:
        """Return a region that is one frame long."""
        at = region[self.axis].start
        chunk = int(np.searchsorted(self._edges, at, "right")) - 1
        first = at - (at - int(self._edges[chunk])) % self.together
        stop = min(first + self.together, int(self._edges[chunk + 1]))
        run = self._run((*region[: self.axis], slice(first, stop), *region[self.axis + 1 :]))
        place = [*whole_region(self.shape)]
        place[self.axis] = slice(at - first, at - first + 1)
        return run.read()[tuple(place)]

    def _run(self, region: Region) -> _Run:
        key = tuple((side.start, side.stop) for side in region)
        with self._lock:
            run = self._runs.setdefault(key, _Run(self.array, region))
            self._runs.move_to_end(key)
            while len(self._runs) > self.count:
                self._runs.popitem(last=False)
        return run
