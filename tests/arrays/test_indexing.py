"""Indices of lazy arrays, compared with numpy."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from lazy_arrays import frames_of, lazy_and_eager
from napari_ferry.arrays import Frames
from napari_ferry.arrays.stack import Stack
from napari_ferry.image.image import Array


@st.composite
def masks(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """Draw a mask of some neighboring axes, with slices or an ellipsis before and after it."""
    first = draw(st.integers(0, len(shape) - 1))
    last = draw(st.integers(first + 1, len(shape)))
    mask = draw(npst.arrays(bool, shape[first:last]))
    if draw(st.booleans()):
        return with_newaxes(draw, [..., mask, *(slice(None),) * (len(shape) - last)])
    return with_newaxes(draw, [*(slice(None),) * first, mask])


def with_newaxes(draw: st.DrawFn, items: list[Any]) -> tuple[Any, ...]:
    """Put up to two new axes between the items of an index."""
    for _ in range(draw(st.integers(0, 2))):
        items.insert(draw(st.integers(0, len(items))), None)
    return tuple(items)


@st.composite
def mixed(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """Draw index arrays, lists, slices and integers side by side, some out of bounds."""
    items = []
    for n in shape[: draw(st.integers(1, len(shape)))]:
        inside = st.integers(-n, n - 1) if n else st.just(0)
        items.append(
            draw(
                st.one_of(
                    st.slices(n),
                    inside,
                    st.integers(-6, 6),
                    st.lists(inside, min_size=2, max_size=2),
                    st.just([]),
                    npst.arrays(np.int32, (2, 1), elements=inside),
                )
            )
        )
    if draw(st.booleans()):
        items.insert(draw(st.integers(0, len(items))), Ellipsis)
    return with_newaxes(draw, items)


def index(shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
    basic = npst.basic_indices(shape, allow_newaxis=True, max_dims=8)
    kinds = [basic, masks(shape), mixed(shape)]
    if 0 not in shape:
        kinds.append(npst.integer_array_indices(shape))
    return st.one_of(kinds)


def outcome(array: Array, key: Any) -> Any:
    """Return the result of an index, or ``IndexError``.

    numpy up to 2.4 accepts indices out of bounds in an empty array, with a warning.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            return array[key]
    except (IndexError, DeprecationWarning):
        return IndexError


@settings(max_examples=600)
@given(st.data())
def test_any_index_gives_the_result_of_numpy(data: st.DataObject) -> None:
    lazy, eager = data.draw(lazy_and_eager())
    key = data.draw(index(eager.shape))
    found, expected = outcome(lazy, key), outcome(eager, key)
    if expected is IndexError:
        assert found is IndexError
        return
    assert np.shape(found) == np.shape(expected)
    assert found.dtype.newbyteorder("=") == expected.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("step", [2**63, -(2**63) - 1, 3, -3])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_a_step_may_be_larger_than_the_axis(n: int, step: int) -> None:
    data = np.arange(n * 2.0).reshape(n, 1, 2)
    for key in (slice(None, None, step), (slice(None, None, step), [0])):
        np.testing.assert_array_equal(frames_of(data, 1)[key], data[key])


@pytest.mark.parametrize(
    "key", [3, -4, (0, 0, 0, 0), (..., ...), 1.0, "a", [1.0], [[], 9], np.ones(2, bool), [5]]
)
def test_an_invalid_index_is_refused(key: Any) -> None:
    data = np.zeros((3, 4, 5))
    for lazy in (frames_of(data, 1), Stack(list(data))):
        with pytest.raises(IndexError):
            lazy[key]


@pytest.mark.parametrize("key", [True, np.True_, np.array(False), (slice(None), True)])
def test_a_single_bool_is_refused_as_an_index(key: Any) -> None:
    data = np.zeros((3, 4, 5))
    for lazy in (frames_of(data, 1), Stack(list(data))):
        with pytest.raises(IndexError):
            lazy[key]


def test_an_empty_index_allows_others_out_of_bounds() -> None:
    """Like numpy, accept an index out of bounds next to an empty one."""
    frames = Frames(lambda i: np.zeros(3, np.uint8), (0, 3), np.uint8, 1)
    index = np.array([[0], [0]]), []
    assert frames[index].shape == np.zeros((0, 3))[index].shape == (2, 0)
