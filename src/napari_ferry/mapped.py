"""Memory-mapped files that say so when they became shorter, and that travel as their paths."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.errors import UnreadableFileError


class Mapped(np.memmap[Any, Any]):
    """A `numpy.memmap` that checks, when it is indexed, that its file is still as long as it was.

    To touch a page behind the end of a file ends the whole program, napari's window and all. A
    read-only map pickles as its path and place, not as its pixels.
    """

    def __getitem__(self, key: Any) -> Any:
        check_length(self)
        return super().__getitem__(key)

    def __reduce__(self) -> Any:
        path = self.filename if getattr(self, "mode", None) == "r" else None
        place = _place(self)
        if path is None or place is None:
            return super().__reduce__()
        return _map_again, (os.fspath(path), place, self.shape, self.strides, self.dtype)


def map_strided(
    path: Path | str, start: int, shape: Sequence[int], strides: Sequence[int], dtype: DTypeLike
) -> NDArray[Any]:
    """Map an array whose elements lie at positive, regular distances in a file, read-only.

    Parameters
    ----------
    path : Path or str
        The file.
    start : int
        Where the first element lies, in bytes.
    shape, strides : sequence of int
        Length of each axis, and bytes between neighbours along it.
    dtype : data type
        Of the elements.
    """
    dtype = np.dtype(dtype)
    steps = zip(shape, strides, strict=True)
    extent = dtype.itemsize + sum((n - 1) * step for n, step in steps)
    # a `Path` would be resolved, link by link, which takes as long as mapping
    raw = Mapped(os.fspath(path), np.uint8, "r", start, (extent,))
    first = raw[: dtype.itemsize].view(dtype)
    return np.lib.stride_tricks.as_strided(first, shape, strides, subok=True, writeable=False)


def mapped_root(array: object) -> np.memmap[Any, Any] | None:
    """Return the map that an array is a view of, ``None`` where it is none."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap) and mapping_of(array) is not None:
            return array
        array = array.base
    return None


def mapping_of(array: np.memmap[Any, Any]) -> mmap.mmap | None:
    """Return the mapping that numpy keeps with a map and its views; ``None`` of computed arrays."""
    found = getattr(array, "_mmap", None)
    return found if isinstance(found, mmap.mmap) else None


def check_length(array: object) -> None:
    """Refuse to touch a mapped file that has become shorter.

    Raises
    ------
    UnreadableFileError
        It has.
    """
    root = mapped_root(array)
    mapped = None if root is None else mapping_of(root)
    if root is None or mapped is None:
        return
    needs = root.offset - root.offset % mmap.ALLOCATIONGRANULARITY + len(mapped)
    if mapped.size() < needs:
        raise UnreadableFileError(
            f"{root.filename} has become shorter: {mapped.size()} bytes, expected {needs}; close "
            "the layer and open the file again."
        )


def _place(array: np.memmap[Any, Any]) -> int | None:
    """Return where the first element lies in the file; ``None`` where strides run backwards."""
    root = mapped_root(array)
    mapped = None if root is None else mapping_of(root)
    if root is None or mapped is None or min(array.strides, default=0) < 0 or not array.size:
        return None
    begin = np.frombuffer(mapped, np.uint8).ctypes.data
    return int(root.offset - root.offset % mmap.ALLOCATIONGRANULARITY + array.ctypes.data - begin)


def _map_again(
    path: str, start: int, shape: Sequence[int], strides: Sequence[int], dtype: DTypeLike
) -> NDArray[Any]:
    try:
        return map_strided(path, start, shape, strides, dtype)
    except (OSError, ValueError) as error:
        raise UnreadableFileError(
            f"{path} cannot be mapped any more ({error}): put the file back as it was."
        ) from error
