"""Lazy arrays of frames, drawn by hypothesis or with a record of reads, for several tests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from napari_ferry.arrays import Frames
from napari_ferry.arrays.stack import Stack
from napari_ferry.image.image import Array


@dataclass(frozen=True)
class Reader:
    """A reader of frames of an array, which can be pickled."""

    data: NDArray[Any]

    def __call__(self, i: int) -> NDArray[Any]:
        return self.data[i]


def frames_of(data: NDArray[Any], lead: int) -> Frames:
    flat = data.reshape(math.prod(data.shape[:lead]), *data.shape[lead:])
    return Frames(Reader(flat), data.shape, data.dtype, lead)


def counted(n: int) -> tuple[Frames, list[int]]:
    """Return frames filled with their number, and a list of those that were read."""
    read: list[int] = []

    def make(i: int) -> NDArray[np.int64]:
        read.append(i)
        return np.full((2, 3), i)

    return Frames(make, (n, 2, 3), np.int64, 1), read


@st.composite
def lazy_and_eager(draw: st.DrawFn) -> tuple[Array, NDArray[Any]]:
    """Draw Frames of any shape, or a Stack of them along any leading axis."""
    shape = draw(npst.array_shapes(min_dims=2, max_dims=5, min_side=0, max_side=4))
    data = np.arange(np.prod(shape), dtype=draw(st.sampled_from(["u1", "u2", ">i4"])))
    data = data.reshape(shape)
    if draw(st.booleans()) and 0 not in shape and len(shape) > 2:
        axis = draw(st.integers(0, len(shape) - 3))
        parts = np.moveaxis(data, axis, 0)
        lead = draw(st.integers(0, len(shape) - 3))
        return Stack([frames_of(part, lead) for part in parts], axis), data
    return frames_of(data, draw(st.integers(0, len(shape)))), data
