"""Sampling of axes at the pixels of a picture."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_ferry.rendering.sampling import AxisSampling, make_sampling, sample


@st.composite
def lines(draw: Any) -> tuple[NDArray[np.float64], int]:
    """Draw evenly spaced positions and a number of samples."""
    first = draw(st.floats(-20, 20))
    step = draw(st.floats(0.05, 5)) * draw(st.sampled_from([1, -1]))
    return first + np.arange(draw(st.integers(1, 40))) * step, draw(st.integers(1, 20))


def reference(places: NDArray[np.float64], values: NDArray[Any], is_smooth: bool) -> list[Any]:
    """Return the value at each position inside an image, one by one."""
    found = []
    for place in places:
        if not -0.5 <= place < len(values) - 0.5:
            continue
        inside = min(max(place, 0), len(values) - 1)
        low = int(inside)
        high = min(low + 1, len(values) - 1)
        mixed = values[low] + (inside - low) * (values[high] - values[low])
        found.append(mixed if is_smooth else values[math.floor(place + 0.5)])
    return found


@given(lines(), lines(), st.booleans())
def test_sampling_matches_a_reference(
    down: tuple[NDArray[np.float64], int], right: tuple[NDArray[np.float64], int], is_smooth: bool
):
    values = np.random.default_rng(0).random((down[1], right[1]))
    rows, columns = (make_sampling(*side, is_smooth=is_smooth) for side in (down, right))
    found = sample(values[rows.needed, columns.needed], rows, columns)
    half = [reference(right[0], row, is_smooth) for row in values]
    expected = [reference(down[0], column, is_smooth) for column in zip(*half, strict=True)]
    assert found.shape == (len(rows.low), len(columns.low))
    if found.size:
        np.testing.assert_allclose(found, np.transpose(expected), atol=1e-6)
    covered = np.flatnonzero((down[0] >= -0.5) & (down[0] < down[1] - 0.5))
    assert covered.tolist() == list(range(rows.first, rows.stop))


@given(lines(), st.booleans(), st.integers(1, 7))
def test_bands_add_up_to_the_whole_picture(
    down: tuple[NDArray[np.float64], int], is_smooth: bool, height: int
):
    values = np.random.default_rng(0).random((down[1], 3))
    rows, columns = (
        make_sampling(*down, is_smooth=is_smooth),
        AxisSampling(first=0, low=np.arange(3), weight=None, size=3),
    )
    bands = [rows.crop(k, k + height) for k in range(rows.first, rows.stop, height)]
    parts = [sample(values[band.needed], band, columns) for band in bands]
    whole = sample(values[rows.needed], rows, columns)
    assert np.array_equal(np.concatenate([whole[:0], *parts]), whole)
