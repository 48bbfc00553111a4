"""A lazy array as a dask array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_ferry.arrays import Array
from napari_ferry.arrays.memmap import mapped_root

if TYPE_CHECKING:
    import dask.array


def to_dask(array: Array, names: Sequence[str]) -> dask.array.Array:
    """Return an array as a dask array with its own chunks, or else one frame per chunk.

    Parameters
    ----------
    array : array
        Any lazy or numpy array.
    names : sequence of str
        Names of its axes; ``y``, ``x`` and ``s`` are those of a frame.
    """
    import dask.array

    if isinstance(array, dask.array.Array):
        return array
    frames = tuple(-1 if name in ("y", "x", "s") else 1 for name in names)
    chunks = getattr(array, "chunks", None) or frames
    source = array if mapped_root(array) is None else _NoCopyArray(array)
    converted: dask.array.Array = dask.array.from_array(  # type: ignore[no-untyped-call]
        source, chunks=chunks, name=False
    )
    return converted


class _NoCopyArray:
    """A mapped array without `copy`: dask would call it, and read the whole file into memory."""

    def __init__(self, array: Array) -> None:
        self.array = array
        self.shape = array.shape
        self.dtype = array.dtype
        self.ndim = array.ndim

    def __getitem__(self, key: Any) -> Any:
        return self.array[key]
