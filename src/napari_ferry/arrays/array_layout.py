"""Arrays without pixels: the layout of one, and the shape of one that does not exist yet."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import DTypeLike

from napari_ferry.arrays.array_protocol import Array, Shaped
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.arrays.frames import Frames


class ArrayLayout(Shaped):
    """Shape, data type, chunks and strides of an array, whose pixels it does not hold.

    It is divided into the same blocks as the array, and is small when pickled.

    Parameters
    ----------
    array : array
        The array.
    """

    def __init__(self, array: Array) -> None:
        self.shape = tuple(int(n) for n in array.shape)
        self.dtype = np.dtype(array.dtype)
        self.chunks = tuple(map(_even_length, chunk_lengths(array)))
        self.strides: tuple[int, ...] | None = None
        if isinstance(array, np.ndarray | FileArray | ArrayLayout):
            self.strides = array.strides and tuple(array.strides)

    def __getitem__(self, key: Any) -> Any:
        raise TypeError("the layout of an array has no pixels")

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Any:
        raise TypeError("the layout of an array has no pixels")


def _even_length(chunk: int | tuple[int, ...]) -> int | tuple[int, ...]:
    """Return one length for dask's many chunks, if all but the last are equal."""
    if isinstance(chunk, tuple) and len(chunk) > 1 and 0 < chunk[-1] <= chunk[0]:
        return int(chunk[0]) if len({*chunk[:-1]}) == 1 else chunk
    return chunk


def chunk_lengths(array: Array) -> tuple[Any, ...]:
    """Return the length of an array's chunks along each axis, for dask a tuple of them.

    A frame of `Frames` is a chunk, and a sample that of an array without chunks.
    """
    if isinstance(array, Frames):
        return (*(1,) * array.lead, *array.frame_shape)
    chunks = getattr(array, "chunks", None)
    return (1,) * array.ndim if chunks is None else tuple(chunks)


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
