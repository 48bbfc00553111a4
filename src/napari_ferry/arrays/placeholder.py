"""Placeholders for arrays: a shape and a type without pixels."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from napari_ferry.arrays.array_protocol import Shaped


class Placeholder(Shaped):
    """The shape and the type of an array that a save will make, for planning.

    Parameters
    ----------
    shape : tuple of int
        Length of each axis.
    dtype : data type
        Type of one sample.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape = shape
        self.dtype = dtype

    def __getitem__(self, key: Any) -> NoReturn:
        raise TypeError("a placeholder has no pixels")
