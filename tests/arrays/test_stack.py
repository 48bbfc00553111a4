"""Slices of lazy arrays along an axis."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lazy_arrays import frames_of, lazy_and_eager
from napari_ferry.arrays import Frames
from napari_ferry.arrays.stack import take


@settings(max_examples=100)
@given(st.data())
def test_an_axis_is_sliced_as_by_numpy(data: st.DataObject) -> None:
    lazy, eager = data.draw(lazy_and_eager())
    lead = lazy.lead if isinstance(lazy, Frames) else eager.ndim - 2
    if not lead or 0 in eager.shape:
        return
    axis = data.draw(st.integers(0, lead - 1))
    place = data.draw(st.integers(0, eager.shape[axis] - 1))
    taken = take(lazy, axis, place)
    assert taken.shape == eager.take(place, axis).shape
    np.testing.assert_array_equal(np.asarray(taken), eager.take(place, axis))


def test_an_axis_within_a_frame_is_sliced() -> None:
    eager = np.arange(60).reshape(3, 4, 5)
    taken = take(frames_of(eager, 1), 1, 2)
    np.testing.assert_array_equal(np.asarray(taken), eager[:, 2])
    np.testing.assert_array_equal(taken[1, ::-2], eager[1, 2, ::-2])
