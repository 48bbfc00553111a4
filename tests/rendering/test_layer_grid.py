"""Layers side by side, and flipped pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_ferry import InvalidImageError, plan, render
from napari_ferry.rendering.layer_grid import make_layer_grid
from pictures import gray, seen


@pytest.mark.parametrize(
    ("grid", "stride", "shape", "cells"),
    [
        ("auto", 1, (2, 3), [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]),
        ("auto", -1, (2, 3), [(1, 1), (1, 0), (0, 2), (0, 1), (0, 0)]),
        ("auto", 2, (2, 2), [(0, 0), (0, 0), (0, 1), (0, 1), (1, 0)]),
        ("auto", -2, (2, 2), [(1, 0), (0, 1), (0, 1), (0, 0), (0, 0)]),
        ("1 x auto", 1, (1, 5), [(0, k) for k in range(5)]),
        ("auto x 2", 1, (3, 2), [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]),
        ("1x2", 1, (1, 2), [(0, 0), (0, 1), (0, 0), (0, 1), (0, 0)]),
    ],
)
def test_layers_fill_cells(
    grid: str, stride: int, shape: tuple[int, int], cells: list[tuple[int, int]]
):
    found = make_layer_grid([True] * 5, grid, stride, 0)
    assert (found.shape, list(found.cells)) == (shape, cells)


def test_hidden_layers_have_no_cell():
    found = make_layer_grid([True, False, False, True], "auto", 1, 0)
    assert (found.shape, found.cells[0], found.cells[3]) == ((1, 2), (0, 0), (0, 1))
    pairs = make_layer_grid([True, False, False, True], "auto", 2, 0)
    assert (pairs.cells[0], pairs.cells[3]) == ((0, 0), (0, 1)), "the pairs have changed"
    assert make_layer_grid([False, False], "auto", 1, 0).shape == (1, 1)


def test_each_layer_is_blended_with_its_own_cell():
    images = [gray((20, 30)), replace(gray((20, 30)), display={"blending": "additive"})]
    shown = seen(render(images, grid="auto", grid_spacing=4))
    assert shown.shape == (20, 64)
    assert np.array_equal(shown[:, :30], images[0].array)
    assert np.array_equal(shown[:, 34:], images[1].array)
    assert not shown[:, 30:34].any()


def test_a_fraction_of_spacing_is_one_of_a_cell_with_its_gap():
    # napari measures cells on its canvas, which is 64 wide here
    grid = make_layer_grid([True] * 2, "1 x 2", 1, 0.2)
    gap = grid.gap((20, 30))
    assert gap == int(0.2 * ((2 * 30 + gap) / 2 + 20) / 2)


def test_a_fitted_grid_has_the_requested_size():
    picture = render([gray((300, 300))] * 6, grid="2 x 3", grid_spacing=10, fit="1080p")
    height, width = picture.shape[:2]
    assert height <= 1080
    assert width <= 1920
    assert height == 610, "enlarging by 2 does not fit"
    large = render([gray((1000, 1000))] * 6, grid="2 x 3", grid_spacing=10, fit="1080p")
    assert large.shape[0] <= 1080
    assert large.shape[1] <= 1920


@pytest.mark.parametrize(
    ("flip", "index"),
    [
        ("vertical", np.s_[::-1]),
        ("horizontal", np.s_[:, ::-1]),
        ("both", np.s_[::-1, ::-1]),
    ],
)
def test_pictures_are_flipped(flip: Any, index: Any, tmp_path):
    image = gray((20, 30))
    picture = render(image, flip=flip)
    assert np.array_equal(seen(picture), image.array[index])
    assert [axis.scale for axis in picture.axes[:2]] == [1, 1], "saving would flip it again"
    assert "is drawn as napari shows it" in plan(image, tmp_path / "a.mp4", flip=flip).losses[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"grid": "2 by 3"}, "The grid is '2 by 3': give the number of rows"),
        ({"grid": "0 x 3"}, "The grid is '0 x 3': give the number of rows"),
        ({"grid": 3}, "The grid is 3: give the number of rows"),
        ({"grid": "auto", "grid_stride": 0}, "The grid_stride is 0, expected an integer"),
        ({"grid": "auto", "grid_spacing": -1}, "The grid_spacing is -1, expected a number"),
        ({"flip": "up"}, "The flip is 'up': choose one of vertical, horizontal, both"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], words: str):
    with pytest.raises(InvalidImageError, match=words):
        render(gray((20, 30)), **options)
