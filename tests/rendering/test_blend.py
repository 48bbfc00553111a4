"""Blending of colors."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_ferry.rendering.blend import BlendMode, blend, make_table_blend
from napari_ferry.rendering.render import render
from pictures import gray, seen


@pytest.mark.parametrize("color", ["white", "#ffffff"])
def test_the_background_is_visible_around_images(color: str):
    hidden = replace(gray((4, 5)), display={"visible": False})
    assert (seen(render(hidden, background=color)) == 255).all()
    assert not seen(render(hidden)).any()


@given(
    st.sampled_from(get_args(BlendMode)),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["opaque", "gaps", "faint", "even", "even gaps"]),
    st.floats(1 / 512, 1, exclude_max=True, width=32),
    st.booleans(),
)
def test_blending_of_a_table_equals_blending(
    mode: BlendMode, seed: int, alpha: str, opacity: float, is_on_opaque: bool
):
    rng = np.random.default_rng(seed)
    table = rng.random((50, 4), np.float32)
    is_clear = table[:, 3] < 0.5
    if alpha != "faint":
        table[:, 3] = opacity if alpha.startswith("even") else 1
    if alpha.endswith("gaps"):
        table[is_clear, 3] = 0
    is_lowest = mode in ("first", "faded")
    canvas = rng.integers(0, 256, (9, 7, 4), np.uint8)
    if is_on_opaque or is_lowest:
        canvas[..., 3] = 255
    found = make_table_blend(table, mode, is_on_opaque=is_on_opaque)
    index = rng.integers(0, 50, canvas.shape[:2])
    mixed = canvas.copy()
    blend(mixed, table[index], mode)
    if found is None:
        assert mode == "multiply" or alpha == "faint" or not is_on_opaque
        return
    found.apply(canvas, lambda colors: colors.take(index))
    assert np.abs(canvas.astype(int) - mixed).max() <= 1
