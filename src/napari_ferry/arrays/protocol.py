"""What every lazy array can do."""

from __future__ import annotations

import math
from typing import Any, Protocol, runtime_checkable

import numpy as np

from napari_ferry.errors import InvalidImageError


@runtime_checkable
class Array(Protocol):
    """Anything that behaves like an array without having been read: numpy, zarr, dask, Frames."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one sample."""

    @property
    def ndim(self) -> int:
        """Number of axes."""

    def __getitem__(self, key: Any, /) -> Any:
        """Read a part, as numpy would index it."""


class Shaped:
    """What follows from the shape and type of an array of ours."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of samples."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the whole once it is read."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]


def check_array(array: Array) -> None:
    """Refuse an array that cannot be saved as it is, whatever the format.

    Raises
    ------
    InvalidImageError
        A length that is not known, or masked pixels.
    """
    if any(math.isnan(n) for n in array.shape):  # dask counts as nan what it has not computed
        raise InvalidImageError(
            f"The array has the shape {tuple(array.shape)}, so its size is not known: call "
            "array.compute_chunk_sizes() first."
        )
    if isinstance(getattr(array, "_meta", array), np.ma.MaskedArray):
        raise InvalidImageError(
            "The array is masked, and no image keeps a mask: give the masked pixels a value with "
            "array.filled(value) first (dask.array.ma.filled for dask)."
        )
