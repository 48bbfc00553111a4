"""Views with parts of axes, in another order, and with new axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers import pixels
from napari_ferry.arrays import Frames
from napari_ferry.arrays.array_protocol import cache_bytes
from napari_ferry.arrays.axis_view import AxisView, as_indices, view_axes

WHOLE = pixels((4, 3, 5, 6))


class ReadPlane:
    """A reader of the planes of `WHOLE`."""

    def __call__(self, i: int) -> Any:
        return WHOLE.reshape(12, 5, 6)[i]


def lazy() -> Frames:
    return Frames(ReadPlane(), WHOLE.shape, WHOLE.dtype, 2)


@st.composite
def views(draw: st.DrawFn) -> tuple[list[int | None], dict[int, list[int]]]:
    """Return an order and the indices of a view of `WHOLE`."""
    dropped = draw(st.sets(st.integers(0, 1)))
    order: list[int | None] = [*draw(st.permutations([k for k in range(4) if k not in dropped]))]
    for _ in range(draw(st.integers(0, 2))):
        order.insert(draw(st.integers(0, len(order))), None)
    indices = {}
    for axis, n in enumerate(WHOLE.shape):
        count = 1 if axis in dropped else 4
        indices[axis] = draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=count))
    return order, indices


KEYS = [
    np.s_[...],
    np.s_[0],
    np.s_[-1:],
    np.s_[..., ::-2],
    np.s_[..., 0],
    np.s_[..., [0, 0]],
    np.s_[:0],
    np.s_[None, ..., :1],
]


@given(view=views(), key=st.sampled_from(KEYS), is_lazy=st.booleans())
def test_a_view_equals_numpy(
    view: tuple[list[int | None], dict[int, list[int]]], key: Any, is_lazy: bool
) -> None:
    order, indices = view
    expected = WHOLE
    for axis, own in indices.items():
        expected = expected.take(own, axis)
    kept = [axis for axis in order if axis is not None]
    expected = expected[tuple(slice(None) if axis in kept else 0 for axis in range(4))]
    expected = expected.transpose([sorted(kept).index(axis) for axis in kept])
    expected = expected[tuple(None if axis is None else slice(None) for axis in order)]

    own_indices = {axis: as_indices(own) for axis, own in indices.items()}
    found = view_axes(lazy() if is_lazy else WHOLE, order, own_indices)
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found[key], expected[key])


def test_numpy_and_dask_arrays_stay_what_they_are() -> None:
    dask = pytest.importorskip("dask.array")
    part = view_axes(WHOLE, [1, 0, 2, 3], {0: range(3, -1, -1)})
    assert isinstance(part, np.ndarray)
    assert np.shares_memory(part, WHOLE)
    assert isinstance(view_axes(dask.from_array(WHOLE), [0, None, 1, 2, 3]), dask.Array)


def test_a_view_of_everything_is_the_array_itself() -> None:
    frames = lazy()
    assert view_axes(frames, [0, 1, 2, 3]) is frames


def test_a_view_has_the_chunks_of_its_array() -> None:
    view = AxisView(lazy(), [1, None, 2, 3], {0: range(2, 3), 2: range(0, 5, 2)})
    assert view.chunks == (1, 1, 2, 6)
    np.testing.assert_array_equal(view, WHOLE[2, :, None, ::2])


def test_a_view_has_the_cache_of_its_array() -> None:
    assert cache_bytes(AxisView(lazy(), (1, 0, 2, 3))) == cache_bytes(lazy()) > 0
    assert cache_bytes(AxisView(WHOLE, (1, 0, 2, 3))) == 0
