"""Grids of regions have the regions that their edges say, in the order of their axes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from napari_ferry.arrays.region_grid import Cuts, EvenCuts, ListedCuts, RegionGrid, longest


def edges_of(cuts: Cuts) -> list[int]:
    """Return the edges of intervals that follow each other."""
    sides = [cuts[i] for i in range(len(cuts))]
    assert all(a.stop == b.start for a, b in itertools.pairwise(sides))
    return [sides[0].start, *(side.stop for side in sides)] if sides else []


@pytest.mark.parametrize("start", [0, 1, 3, 4, 7])
@pytest.mark.parametrize("stop", [8, 9, 12])
@pytest.mark.parametrize("joined", [1, 2, 5])
def test_even_cuts(start: int, stop: int, joined: int) -> None:
    cuts = EvenCuts(start, stop, start // 4 * 4, 4)
    inside = [edge for edge in range(0, stop, 4) if start < edge]
    edges = [start, *inside, stop]
    assert edges_of(cuts) == edges
    assert edges_of(cuts.join(joined)) == [*edges[:-1:joined], stop]
    assert longest(cuts) == max(np.diff(edges))
    assert edges_of(ListedCuts(tuple(edges)).join(joined)) == [*edges[:-1:joined], stop]


def test_an_empty_side() -> None:
    assert len(EvenCuts(5, 5, 4, 4)) == 0
    assert list(RegionGrid((EvenCuts(0, 9, 0, 4), EvenCuts(5, 5, 4, 4)))) == []


def test_regions_are_in_c_order() -> None:
    sides = EvenCuts(0, 9, 0, 4), ListedCuts((2, 3, 7)), EvenCuts(1, 3, 0, 2)
    grid = RegionGrid(sides)
    expected = list(itertools.product(*([side[i] for i in range(len(side))] for side in sides)))
    assert list(grid) == expected
    assert [grid[i] for i in range(len(grid))] == expected
    assert grid[-1] == expected[-1]
    assert grid[2:5] == expected[2:5]
    with pytest.raises(IndexError):
        grid[len(grid)]


def test_regions_are_in_the_order_of_any_axes() -> None:
    sides = EvenCuts(0, 9, 0, 4), ListedCuts((2, 3, 7)), EvenCuts(1, 3, 0, 2)
    stored = RegionGrid(sides)
    moved = stored.move_axes((2, 0, 1))
    assert [*moved] == [(b, c, a) for a, b, c in stored]
    assert [*moved.move_axes((1, 2, 0))] == [*stored]
    assert (stored.shape, moved.shape) == ((9, 5, 2), (5, 2, 9))
    assert (stored.largest_shape, moved.largest_shape) == ((4, 4, 1), (4, 1, 4))


def test_a_grid_of_many_regions_is_indexed_at_once() -> None:
    grid = RegionGrid((EvenCuts(0, 10**9, 0, 3), EvenCuts(0, 10**6, 0, 7)))
    assert grid[len(grid) - 1] == (slice(999_999_999, 10**9), slice(999_999, 10**6))
