"""Fit of layouts to the size of a file."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_ferry.codecs.binary.fit import derive_free_size, fits, nearest_fit, remaining_bytes
from napari_ferry.codecs.binary.layout import count_frames
from raw_files import ONE


def test_free_sizes_are_derived_from_fixed_ones():
    assert derive_free_size(2560, replace(ONE, x=32), {"x"}) == replace(ONE, frames=5, x=32)
    assert derive_free_size(2560, replace(ONE, frames=5), {"frames"}) == replace(
        ONE, frames=5, y=16
    )
    known = {"frames", "y"}
    assert derive_free_size(2560, replace(ONE, y=4), known) == replace(ONE, y=4, x=32)
    known = {"frames", "y", "x"}
    assert derive_free_size(2600, ONE, known) == replace(ONE, offset=40)
    assert derive_free_size(2600, ONE, known | {"offset"}) == ONE
    assert derive_free_size(100, ONE, known) == ONE
    assert derive_free_size(100, ONE, ()).frames == 1


def test_bytes_remaining_after_whole_frames():
    assert count_frames(2560, ONE) == (10, 0)
    assert count_frames(2600, replace(ONE, offset=10)) == (10, 30)
    assert count_frames(5, replace(ONE, offset=10)) == (0, 0)


@pytest.mark.parametrize("behind", [0, 6])
def test_a_gap_after_the_last_frame_is_optional(behind):
    gapped = replace(ONE, gap=6, offset=10)
    nbytes = 10 + 10 * 256 + 9 * 6 + behind
    assert count_frames(nbytes, gapped) == (10, 0)
    assert count_frames(nbytes - 7, gapped)[0] == 9
    assert remaining_bytes(nbytes, gapped) == 0
    assert fits(nbytes, gapped)
    assert remaining_bytes(nbytes - 7, gapped) == -7 + behind
    assert derive_free_size(nbytes, replace(gapped, frames=3), ()) == gapped
    assert derive_free_size(nbytes, replace(gapped, y=2), {"frames"}) == gapped
    known = {"frames", "y", "x"}
    assert derive_free_size(nbytes, replace(gapped, offset=0), known).offset == 10 + behind
    assert nearest_fit(nbytes, replace(gapped, x=15), "x", {"x"}) is None


@pytest.mark.parametrize(
    ("nbytes", "layout", "name", "fixed", "value"),
    [
        (2560, replace(ONE, x=15), "x", {"x"}, 16),
        (2560, replace(ONE, x=15), "x", {"frames"}, 16),
        (2561, ONE, "x", {"x"}, None),
        (2600, ONE, "offset", (), 40),
        (2600, replace(ONE, offset=30), "offset", (), 40),
        (2600, replace(ONE, offset=290), "offset", (), 296),
        (2600, replace(ONE, offset=9999), "offset", (), 2344),
        (2600, ONE, "offset", {"frames"}, 40),
        (100, ONE, "offset", (), None),
        (100, ONE, "offset", {"frames"}, None),
        (2560, replace(ONE, frames=7), "frames", (), 10),
        (2600, replace(ONE, frames=7), "frames", (), None),
    ],
)
def test_the_nearest_value_that_fits(nbytes, layout, name, fixed, value):
    assert nearest_fit(nbytes, layout, name, fixed) == value


@given(
    st.integers(1, 5000),
    st.integers(0, 50),
    st.integers(1, 60),
    st.integers(1, 60),
    st.sampled_from(["y", "x", "offset"]),
)
def test_proposed_values_fit(nbytes, offset, y, x, name):
    layout = replace(ONE, offset=offset, y=y, x=x)
    value = nearest_fit(nbytes, layout, name, {name})
    if value is not None:
        better = derive_free_size(nbytes, replace(layout, **{name: value}), {name})
        assert fits(nbytes, better)
