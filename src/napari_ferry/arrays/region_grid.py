"""Divisions of a region into a grid of regions, each computed on access."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, overload

Region: TypeAlias = tuple[slice, ...]
"""A region of an array: one slice with a start and a stop for each axis."""


class Cuts(Protocol):
    """The intervals of a divided side of a region."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> slice: ...

    def join(self, count: int) -> Cuts:
        """Return intervals of `count` neighbors each; the last may have fewer."""


@dataclass(frozen=True)
class EvenCuts:
    """Intervals of one length, except the first and the last.

    Parameters
    ----------
    start, stop : int
        Start and stop of the side.
    base : int
        Start of the first interval if it were not cut off by the side.
    step : int
        Length of an interval.
    """

    start: int
    stop: int
    base: int
    step: int

    def __len__(self) -> int:
        return -(-(self.stop - self.base) // self.step) if self.stop > self.start else 0

    def __getitem__(self, index: int, /) -> slice:
        first = self.base + index * self.step
        return slice(max(self.start, first), min(self.stop, first + self.step))

    def join(self, count: int) -> EvenCuts:
        """Return intervals of `count` neighbors each."""
        return replace(self, step=self.step * count)


@dataclass(frozen=True)
class ListedCuts:
    """Intervals between listed edges."""

    edges: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.edges) - 1

    def __getitem__(self, index: int, /) -> slice:
        return slice(self.edges[index], self.edges[index + 1])

    def join(self, count: int) -> ListedCuts:
        """Return intervals of `count` neighbors each."""
        return ListedCuts((*self.edges[:-1:count], self.edges[-1]))


def longest(cuts: Cuts) -> int:
    """Return the length of the longest interval, given at least one."""
    if isinstance(cuts, ListedCuts):
        return max(b - a for a, b in itertools.pairwise(cuts.edges))
    # all but the first and the last have one length
    sides = [cuts[i] for i in {0, min(1, len(cuts) - 1), len(cuts) - 1}]
    return max(int(side.stop) - int(side.start) for side in sides)


@dataclass(frozen=True)
class RegionGrid(Sequence[Region]):
    """The regions of a grid.

    Its size does not depend on the number of regions, unless the edges are uneven.

    Parameters
    ----------
    sides : tuple of Cuts
        Intervals along each axis.
    order : tuple of int, optional
        Axes from the one that changes last to the one that changes first; as in C order if empty.
    """

    sides: tuple[Cuts, ...]
    order: tuple[int, ...] = ()

    def __len__(self) -> int:
        return math.prod(map(len, self.sides))

    @overload
    def __getitem__(self, index: int) -> Region: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Region]: ...
    def __getitem__(self, index: int | slice) -> Region | Sequence[Region]:
        numbers = range(len(self))[index]
        return self._region(numbers) if isinstance(numbers, int) else [*map(self._region, numbers)]

    def __iter__(self) -> Iterator[Region]:
        return map(self._region, range(len(self)))

    def _region(self, number: int) -> Region:
        region = [slice(0)] * len(self.sides)
        for axis in reversed(self.order or range(len(self.sides))):
            number, index = divmod(number, len(self.sides[axis]))
            region[axis] = self.sides[axis][index]
        return tuple(region)

    def move_axes(self, places: Sequence[int]) -> RegionGrid:
        """Return the same regions in the same order, with axes at other places.

        Parameters
        ----------
        places : sequence of int
            New place of each axis.
        """
        sides = sorted(zip(places, self.sides, strict=True), key=lambda pair: pair[0])
        order = self.order or range(len(places))
        return RegionGrid(tuple(side for _, side in sides), tuple(places[k] for k in order))

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of all regions together along each axis, given at least one."""
        return tuple(side[len(side) - 1].stop - side[0].start for side in self.sides)

    @property
    def largest_shape(self) -> tuple[int, ...]:
        """Length of the longest interval along each axis, given at least one."""
        return tuple(map(longest, self.sides))
