"""Identities of arrays in files, used by an interrupted save to recognize its source.

Two arrays with one identity have the same pixels, which need not be read to be compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from types import FunctionType
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
import xxhash

from napari_ferry.arrays.array_protocol import Array
from napari_ferry.arrays.axis_view import AxisView
from napari_ferry.arrays.frames import Frames
from napari_ferry.arrays.memmap import Mapped, is_in_file
from napari_ferry.arrays.stack import Stack
from napari_ferry.arrays.stamp import Stamp

_MAX_DEPTH = 50
"""Levels of objects within a reader; those of the package have fewer than ten."""


@runtime_checkable
class StampedReader(Protocol):
    """A reader or array pickled with the paths and stamps of all its files.

    It refuses to read a file with another stamp.
    """

    is_stamped: ClassVar[Literal[True]]


@runtime_checkable
class StampedParts(Protocol):
    """An array in many files copied unchanged, with their stamps read at the time of copying."""

    def read_stamps(self) -> list[object]:
        """Return the values that determine the pixels, with the present stamps of the files."""


class _UnknownSourceError(Exception):
    """An array is in memory, in a growing file, or not known to be in stamped files."""


def source_identity(array: Array) -> str | None:
    """Return the identity of an array in files, or ``None`` if it has none.

    Returns
    -------
    str or None
        A digest of the paths and stamps of its files, and of the way to read them. ``None`` for an
        array in memory or of another package, whose pixels must be compared instead.
    """
    hasher = xxhash.xxh3_128()
    try:
        for piece in _describe(_state_of(array), 0):
            hasher.update(f"{len(piece)}:".encode() + piece)
    except _UnknownSourceError:
        return None
    return hasher.hexdigest()


def _state_of(array: object) -> object:
    """Return the plain values and stamped readers that determine the pixels of an array.

    Raises
    ------
    _UnknownSourceError
        The array is not known to be in stamped files.
    """
    if isinstance(array, Frames):
        return "Frames", array.shape, array.dtype, array.lead, _state_of(array.read)
    if isinstance(array, Stack):
        return "Stack", array.axis, [_state_of(part) for part in array.parts]
    if isinstance(array, AxisView):
        return "AxisView", array.order, array.indices, _state_of(array.array)
    if isinstance(array, StampedParts):
        return "StampedParts", array.read_stamps()
    if isinstance(array, StampedReader) or (isinstance(array, Mapped) and is_in_file(array)):
        return array
    raise _UnknownSourceError


def _describe(value: Any, depth: int) -> Iterator[bytes]:
    """Yield bytes to tell values apart; objects are described by their pickled parts.

    Raises
    ------
    _UnknownSourceError
        A file may grow, or an object cannot be described.
    """
    if depth > _MAX_DEPTH or (isinstance(value, Stamp) and value.may_grow):
        raise _UnknownSourceError
    yield type(value).__qualname__.encode()
    if value is None or isinstance(value, bool | int | float | str | bytes | slice | range):
        yield repr(value).encode(errors="surrogatepass")
    elif isinstance(value, PurePath | np.dtype | np.generic):
        yield str(value).encode(errors="surrogatepass")
    elif isinstance(value, np.ndarray) and not isinstance(value, Mapped):
        yield f"{value.dtype.str} {value.shape}".encode()
        yield value.tobytes()
    elif isinstance(value, type | FunctionType):
        if "<" in value.__qualname__:  # two local functions may have one name
            raise _UnknownSourceError
        yield f"{value.__module__}.{value.__qualname__}".encode()
    else:
        items = _items_of(value)
        yield str(len(items)).encode()
        for item in items:
            yield from _describe(item, depth + 1)


def _items_of(value: Any) -> list[Any]:
    """Return the items of a container, or the parts needed to unpickle an object."""
    if isinstance(value, tuple | list):
        return list(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    if isinstance(value, dict):
        return [*value, *value.values()]
    try:
        parts = value.__reduce_ex__(2)
    except TypeError as error:
        raise _UnknownSourceError from error
    if isinstance(parts, str):
        return [parts]
    # the items of lists and mappings are iterators
    return [list(part) if isinstance(part, Iterator) else part for part in parts]
