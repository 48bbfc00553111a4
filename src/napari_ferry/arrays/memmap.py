"""Memory-mapped files that say so when they became shorter, and that travel as their paths."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.errors import UnreadableFileError

Mode: TypeAlias = Literal["r", "r+", "c"]
"""Read only, read and write through to the file, or changes kept in memory."""

_READING = (
    *("argmax", "argmin", "argpartition", "argsort", "astype", "byteswap", "choose", "compress"),
    *("copy", "dot", "fill", "flatten", "item", "nonzero", "partition", "put", "ravel", "repeat"),
    *("reshape", "round", "searchsorted", "sort", "take", "tobytes", "tofile", "tolist", "trace"),
    *("all", "any", "cumprod", "cumsum", "max", "mean", "min", "prod", "std", "sum", "var"),
    *("__bool__", "__complex__", "__contains__", "__copy__", "__deepcopy__", "__float__"),
    *("__format__", "__index__", "__int__", "__repr__", "__setitem__", "__str__"),
)
"""Methods of arrays that touch pixels.

Some do so by ``ufunc.reduce``, but numpy never lets go of an array whose ufunc was refused there.
"""


class Mapped(np.memmap[Any, Any]):
    """A `numpy.memmap` that checks, when it is used, that its file is still as long as it was.

    To touch a page behind the end of a file ends the whole program, napari's window and all.
    Checked are indexing, ufuncs (so ``+``, ``max()`` and ``mean()`` too), numpy's functions, and
    the methods that touch pixels. What numpy tells nobody of cannot be: ``np.array`` and
    ``np.asarray``, what was made by them, the buffer (``memoryview``, Cython), being assigned to
    another array, `flat` after it was taken, and a file that becomes shorter while it is read.

    Views of a map are maps; whatever is computed is a plain array or scalar of numpy. A read-only
    map pickles as its path and place, not as its pixels, and is good as long as the file is the
    one that was mapped.

    Parameters
    ----------
    path, dtype, mode, start, shape
        The file, and `dtype`, `mode`, `offset` and `shape` of `numpy.memmap`.
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
        kept = tuple(new if old is None else old for old, new in zip(into, results, strict=True))
        return kept if isinstance(result, tuple) else kept[0]

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        if function is not np.may_share_memory:  # numpy asks this of every view, and reads nothing
            _checked(inputs)
            _checked(tuple(options.values()))
        return _plain(super().__array_function__(function, types, inputs, options))

    @property
    def flat(self) -> Any:
        """All elements in a row."""
        check_length(self)
        return super().flat

    @flat.setter
    def flat(self, values: Any) -> None:
        check_length(self)
        self.view(np.ndarray).flat[:] = values

    def __reduce__(self) -> Any:
        check_length(self)
        path = self.filename if getattr(self, "mode", None) == "r" else None
        place = file_offset(self)
        if path is None or place is None:
            return self.view(np.ndarray).__reduce__()
        known = os.fspath(path), self._stamp
        return _map_again, (*known, place, self.shape, self.strides, self.dtype)


def _guarded(name: str) -> Callable[..., Any]:
    """Return a method of arrays that looks at the length of the file first."""
    method = getattr(np.ndarray, name)

    @wraps(method, assigned=("__name__", "__qualname__"))  # numpy's examples are not ours
    def guarded(self: Mapped, *args: Any, **options: Any) -> Any:
        check_length(self)
        return _plain(method(self, *args, **options))

    return guarded


for _name in _READING:
    setattr(Mapped, _name, _guarded(_name))


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
        Length of each axis, and bytes between neighbors along it.
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


def file_offset(array: NDArray[Any]) -> int | None:
    """Return where in its file the first element of a mapped array lies, in bytes.

    ``None`` for arrays that are not mapped, are empty, or whose strides run backwards.
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
    """Map the same part of a file once more, after it was pickled."""
    try:
        is_same = _stamp_of(path) == stamp
        array = map_strided(path, start, shape, strides, dtype) if is_same else None
    except (OSError, ValueError) as error:
        raise UnreadableFileError(
            f"{path} cannot be mapped any more ({error}): put the file back as it was."
        ) from error
    if array is None:
        raise UnreadableFileError(f"{path} changed since it was opened: open it again.")
    return array


def _stamp_of(path: Path | str) -> tuple[int, int]:
    """Return what tells that a file is still the same: its bytes and when it changed, in ns."""
    status = os.stat(path)  # noqa: PTH116 - making a `Path` takes longer than looking
    return status.st_size, status.st_mtime_ns


def _checked(value: Any) -> Any:
    """Return maps as plain views and look at the length of their files; also those in lists."""
    if isinstance(value, Mapped):
        check_length(value)
        return value.view(np.ndarray)
    return type(value)(map(_checked, value)) if type(value) in (tuple, list) else value


def _plain(result: Any) -> Any:
    """Return what was computed as a plain array or scalar, and views of a map as they are."""
    if isinstance(result, Mapped) and mapping_of(result) is None:
        return result.view(np.ndarray)[()]
    return type(result)(map(_plain, result)) if type(result) in (tuple, list) else result
