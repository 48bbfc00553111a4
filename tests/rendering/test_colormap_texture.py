"""Indices of colors of labels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_ferry.rendering.colormap_texture import LabelColors


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint32", "int32", "int64", "uint64"])
@pytest.mark.parametrize("background", [0, 5])
@pytest.mark.parametrize("count", [49, 300])
def test_cyclic_colors_repeat_in_both_directions(dtype: str, background: int, count: int):
    limits = np.iinfo(dtype)
    near = np.clip(np.arange(-120, 121), limits.min, limits.max)
    labels = np.array([*near, limits.min, limits.max], dtype)
    colors = LabelColors(np.zeros((count + 1, 4), np.float32), None, background)
    # in the type of the labels, the lowest one follows the highest one
    previous = [int(label) - 1 if label > limits.min else int(limits.max) for label in labels]
    expected = [
        0 if k == background else p % count + 1 for k, p in zip(labels, previous, strict=True)
    ]
    assert colors.index(labels).tolist() == expected
