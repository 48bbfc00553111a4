"""The tasks of a stream as a series, each made on access.

A compressed TIFF of 100 TB has millions of tasks. In memory there is one group for each source,
with the function to make any of its tasks.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from napari_ferry.arrays import Array, BlockReader, Region
from napari_ferry.arrays.region_grid import RegionGrid
from napari_ferry.arrays.regions import region_bytes


@dataclass(frozen=True)
class EncodeTask:
    """Encoding of some pixels, independent of other tasks.

    Parameters
    ----------
    array : array
        Source of the pixels.
    region : Region
        Region of the source.
    encode : callable
        Converts the pixels to a result for `Stream.assemble`, possibly in another thread.
    """

    array: Array
    region: Region
    encode: Callable[[BlockReader], Any]

    @property
    def nbytes(self) -> int:
        """Size of the pixels to read, in bytes."""
        return region_bytes(self.array, self.region)


@dataclass(frozen=True, kw_only=True)
class TaskGroup:
    """Tasks for the pixels of one source.

    Parameters
    ----------
    array : array
        Source of all tasks.
    count : int
        Number of tasks, at least 1.
    make : callable
        Returns a task, given its number; a `functools.partial` of a function of a module, so that
        it can be pickled.
    nbytes, largest : int
        Size of the pixels that all tasks read, and that the largest one reads, in bytes.
    key : str
        Text that determines the regions of all tasks.
    """

    array: Array
    count: int
    make: Callable[[int], EncodeTask]
    nbytes: int
    largest: int
    key: str


@dataclass(frozen=True)
class EncodeTasks:
    """The tasks of several groups, in order; they can be iterated over more than once.

    Parameters
    ----------
    groups : tuple of TaskGroup
        The groups, at least one.
    """

    groups: tuple[TaskGroup, ...]

    def __len__(self) -> int:
        return sum(group.count for group in self.groups)

    def __iter__(self) -> Iterator[EncodeTask]:
        each = (map(group.make, range(group.count)) for group in self.groups)
        return itertools.chain.from_iterable(each)

    @property
    def nbytes(self) -> int:
        """Size of the pixels that all tasks read, in bytes."""
        return sum(group.nbytes for group in self.groups)

    @property
    def largest(self) -> int:
        """Size of the pixels that the largest task reads, in bytes."""
        return max(group.largest for group in self.groups)


def group_regions(
    array: Array, regions: RegionGrid, encode: Callable[[BlockReader], Any]
) -> TaskGroup:
    """Return the tasks that encode each region of an array in the same way."""
    itemsize = np.dtype(array.dtype).itemsize
    return TaskGroup(
        array=array,
        count=len(regions),
        make=partial(_pick, array=array, regions=regions, encode=encode),
        nbytes=math.prod(regions.shape) * itemsize,
        largest=math.prod(regions.largest_shape) * itemsize,
        key=repr(regions),
    )


def _pick(
    index: int, *, array: Array, regions: RegionGrid, encode: Callable[[BlockReader], Any]
) -> EncodeTask:
    return EncodeTask(array, regions[index], encode)
