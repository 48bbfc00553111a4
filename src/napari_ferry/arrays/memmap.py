"""Memory-mapped files with a check of their length, pickled as their paths."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arrays.stamp import changed
from napari_ferry.errors import UnreadableFileError

Mode: TypeAlias = Literal["r", "r+", "c"]
"""Read-only, read and write, or copy-on-write: changes stay in memory."""

_READING = (
    *("argmax", "argmin", "argpartition", "argsort", "astype", "byteswap", "choose", "compress"),
    *("copy", "dot", "fill", "flatten", "item", "nonzero", "partition", "put", "ravel", "repeat"),
    *("reshape", "round", "searchsorted", "sort", "take", "tobytes", "tofile", "tolist", "trace"),
    *("all", "any", "cumprod", "cumsum", "max", "mean", "min", "prod", "std", "sum", "var"),
    *("__bool__", "__complex__", "__contains__", "__copy__", "__deepcopy__", "__float__"),
    *("__format__", "__index__", "__int__", "__repr__", "__setitem__", "__str__"),
)
"""Methods of arrays that access pixels.

Some call ``ufunc.reduce``, but numpy leaks an array whose ufunc raises an error there.
"""


class Mapped(np.memmap[Any, Any]):
    """A `numpy.memmap` with a check of the length of its file on each use.

    Access to a page beyond the end of a file terminates the program, including napari's window.
    Indexing, ufuncs (including ``+``, ``max()`` and ``mean()``), numpy's functions and the methods
    that access pixels are checked. numpy offers no hook for ``np.array`` and ``np.asarray``, arrays
    made by them, the buffer (``memoryview``, Cython), assignment to another array, `flat` after it
    was created, and a file that becomes shorter while it is read: these are not checked.

    Views of a map are maps; computed results are plain arrays or scalars of numpy. A read-only map
    is pickled as its path and offset, without pixels, and can be unpickled while the file is
    unchanged.

    Parameters
    ----------
    path, dtype, mode, start, shape
        Path of the file, and `dtype`, `mode`, `offset` and `shape` of `numpy.memmap`.
    """

    def __new__(
        cls, path: Path | str, dtype: DTypeLike, mode: Mode, start: int, shape: Sequence[int]
    ) -> Mapped:
        mapped = cast("Mapped", super().__new__(cls, path, dtype, mode, start, tuple(shape)))
        mapped._stamp = _stamp_of(path)
        return mapped

    def __array_finalize__(self, source: object) -> None:
        super().__array_finalize__(source)
        self._stamp: tuple[int, int] | None = getattr(source, "_stamp", None)

    def __getitem__(self, key: Any) -> Any:
        check_length(self)
        return _plain(np.ndarray.__getitem__(self, key))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        into = options.get("out", ())
        options = {name: _checked(value) for name, value in options.items()}
        result = getattr(ufunc, method)(*_checked(inputs), **options)
        if not into:
            return result
        results = result if isinstance(result, tuple) else (result,)
        final = tuple(new if old is None else old for old, new in zip(into, results, strict=True))
        return final if isinstance(result, tuple) else final[0]

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        if function is not np.may_share_memory:  # numpy calls this for every view, without reading
            _checked(inputs)
            _checked(tuple(options.values()))
        return _plain(super().__array_function__(function, types, inputs, options))

    @property
    def flat(self) -> Any:
        """Iterator over all elements."""
        check_length(self)
        return super().flat

    @flat.setter
    def flat(self, values: Any) -> None:
        """Set all elements in C order."""
        check_length(self)
        self.view(np.ndarray).flat[:] = values

    def __reduce__(self) -> Any:
        check_length(self)
        if not is_in_file(self):
            return self.view(np.ndarray).__reduce__()
        file = os.fspath(cast("str", self.filename)), self._stamp
        return _map_again, (*file, file_offset(self), self.shape, self.strides, self.dtype)


def _guarded(name: str) -> Callable[..., Any]:
    """Return a method of arrays with a check of the length of the file."""
    method = getattr(np.ndarray, name)

    # numpy's examples in the docstring would be tested as ours
    @wraps(method, assigned=("__name__", "__qualname__"))
    def guarded(self: Mapped, *args: Any, **options: Any) -> Any:
        """Call the method after a check of the length of the file."""
        check_length(self)
        return _plain(method(self, *args, **options))

    return guarded


for _name in _READING:
    setattr(Mapped, _name, _guarded(_name))


def map_strided(
    path: Path | str, start: int, shape: Sequence[int], strides: Sequence[int], dtype: DTypeLike
) -> NDArray[Any]:
    """Map an array with positive strides in a file, read-only.

    Parameters
    ----------
    path : Path or str
        Path of the file.
    start : int
        Offset of the first element, in bytes.
    shape, strides : sequence of int
        Length of each axis, and distance between neighbors along it, in bytes.
    dtype : data type
        Type of the elements.
    """
    dtype = np.dtype(dtype)
    steps = zip(shape, strides, strict=True)
    extent = dtype.itemsize + sum((n - 1) * step for n, step in steps)
    # numpy resolves a `Path` link by link, which takes as long as mapping
    raw = Mapped(os.fspath(path), np.uint8, "r", start, (extent,))
    first = raw[: dtype.itemsize].view(dtype)
    return np.lib.stride_tricks.as_strided(first, shape, strides, subok=True, writeable=False)


def mapped_root(array: object) -> np.memmap[Any, Any] | None:
    """Return the map behind a view, or ``None`` for other arrays."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap) and mapping_of(array) is not None:
            return array
        array = array.base
    return None


def mapping_of(array: np.memmap[Any, Any]) -> mmap.mmap | None:
    """Return the mapping of a map or its view, or ``None`` for a computed array."""
    mapping = getattr(array, "_mmap", None)
    return mapping if isinstance(mapping, mmap.mmap) else None


def check_length(array: object) -> None:
    """Refuse access to a shortened mapped file.

    Raises
    ------
    UnreadableFileError
        The file has become shorter.
    """
    root = mapped_root(array)
    mapped = None if root is None else mapping_of(root)
    if root is None or mapped is None:
        return
    end = root.offset - root.offset % mmap.ALLOCATIONGRANULARITY + len(mapped)
    if mapped.size() < end:
        raise UnreadableFileError(
            f"{root.filename} has become shorter: {mapped.size()} bytes, expected {end}; close "
            "the layer and open the file again."
        )


def is_in_file(array: object) -> bool:
    """Return True for a `Mapped` with the pixels of its file, pickled as its path."""
    is_unchanged = isinstance(array, Mapped) and getattr(array, "mode", None) == "r"
    return is_unchanged and file_offset(cast("Mapped", array)) is not None


def file_offset(array: NDArray[Any]) -> int | None:
    """Return the offset of the first element of a mapped array in its file, in bytes.

    ``None`` for arrays that are not mapped, are empty, or have negative strides.
    """
    root = mapped_root(array)
    mapped = None if root is None else mapping_of(root)
    if root is None or mapped is None or min(array.strides, default=0) < 0 or not array.size:
        return None
    begin = np.frombuffer(mapped, np.uint8).ctypes.data
    return int(root.offset - root.offset % mmap.ALLOCATIONGRANULARITY + array.ctypes.data - begin)


def _map_again(
    path: str,
    stamp: tuple[int, int],
    start: int,
    shape: Sequence[int],
    strides: Sequence[int],
    dtype: DTypeLike,
) -> NDArray[Any]:
    """Map the same part of a file again, after pickling."""
    try:
        is_same = _stamp_of(path) == stamp
        array = map_strided(path, start, shape, strides, dtype) if is_same else None
    except (OSError, ValueError) as error:
        raise UnreadableFileError(
            f"{Path(path).name} can no longer be mapped ({error}): restore the file."
        ) from error
    if array is None:
        raise changed(path)
    return array


def _stamp_of(path: Path | str) -> tuple[int, int]:
    """Return the size of a file, in bytes, and the time of its last change, in ns."""
    status = os.stat(path)  # noqa: PTH116 - `Path` takes longer to create than `stat`
    return status.st_size, status.st_mtime_ns


def _checked(value: Any) -> Any:
    """Return plain views of maps, in lists too, after a check of the length of their files."""
    if isinstance(value, Mapped):
        check_length(value)
        return value.view(np.ndarray)
    return type(value)(map(_checked, value)) if type(value) in (tuple, list) else value


def _plain(result: Any) -> Any:
    """Return computed results as plain arrays or scalars, and views of a map unchanged."""
    if isinstance(result, Mapped) and mapping_of(result) is None:
        return result.view(np.ndarray)[()]
    return type(result)(map(_plain, result)) if type(result) in (tuple, list) else result
