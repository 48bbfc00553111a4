"""The interface of lazy arrays."""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from typing import Any, ClassVar, NoReturn, Protocol, runtime_checkable

import numpy as np

from napari_ferry.errors import InvalidImageError


@runtime_checkable
class Array(Protocol):
    """An array, lazy or not: numpy, zarr, dask or `Frames`."""

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
        """Read a part, with the indexing of numpy."""


class Closable(ABC):
    """An array or a reader that may hold a file or pixels between two uses."""

    @abstractmethod
    def close(self) -> None:
        """Release the file and cached pixels until the next use."""


def close(*sources: object) -> None:
    """Release the files and cached pixels of arrays and readers until their next use.

    Sources of other packages are left alone, as they may be unusable after they were closed.
    """
    for source in sources:
        if isinstance(source, Closable):
            source.close()


@runtime_checkable
class Caching(Protocol):
    """An array with a cache of recently read pixels."""

    @property
    def cache_bytes(self) -> int:
        """Size of the cache, in bytes; 0 if nothing is cached."""


def cache_bytes(array: object) -> int:
    """Return the size of an array's cache of read pixels, in bytes; 0 if it has none."""
    return array.cache_bytes if isinstance(array, Caching) else 0


def has_lazy_slices(array: object) -> bool:
    """Return True for an array whose slices read nothing: one of numpy or dask."""
    return isinstance(array, np.ndarray) or hasattr(array, "dask")


class LazyOperand:
    """Base of lazy arrays, whose arithmetic is refused in a sentence with the cure."""

    __array_priority__: ClassVar[float] = 1000.0  # numpy leaves its own operators to these

    def _refuse(self, *_: Any) -> NoReturn:
        """Refuse an operator.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError(
            f"{type(self).__name__} is read when it is indexed, and does not calculate: index it "
            "or use np.asarray() for pixels in memory, or image.to_dask() to calculate block by "
            "block."
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _refuse
    __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __divmod__ = __rdivmod__ = _refuse
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _refuse
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = _refuse
    __neg__ = __pos__ = __abs__ = __invert__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse


class Shaped(LazyOperand):
    """Properties derived from the shape and dtype of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def lacks_checksums(self) -> bool:
        """True if changed bytes of the file would be other samples, without an error."""
        return False

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
        """Size of all samples in memory, in bytes."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]


class Chunked(Shaped, Closable):
    """Base of lazy arrays with chunks and the indexing of numpy."""

    @property
    @abstractmethod
    def chunks(self) -> tuple[int, ...]:
        """Length of a chunk along each axis."""

    @abstractmethod
    def __getitem__(self, key: Any) -> Any: ...


def check_array(array: Array) -> None:
    """Refuse an array of unknown shape or with a mask, regardless of the format.

    Raises
    ------
    InvalidImageError
        A length is unknown, or the array is masked.
    """
    if any(math.isnan(n) for n in array.shape):  # dask's unknown lengths are NaN
        raise InvalidImageError(
            f"The array has the shape {tuple(array.shape)}, so its size is unknown: call "
            "array.compute_chunk_sizes() first."
        )
    ma = sys.modules.get("numpy.ma")  # nothing is masked before this is imported, which takes 10 ms
    if ma and isinstance(getattr(array, "_meta", array), ma.MaskedArray):
        raise InvalidImageError(
            "The array is masked, but images have no mask: fill the masked pixels with "
            "array.filled(value) first (dask.array.ma.filled for dask)."
        )
