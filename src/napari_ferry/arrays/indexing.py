"""numpy's indexing for lazy arrays: keys as one item per axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.array_protocol import Array


def split_key(key: Any, shape: tuple[int, ...]) -> tuple[list[Any], tuple[Any, ...]]:
    """Split a key into one item per axis, and return the order of its parts.

    Returns
    -------
    items : list
        An int, slice or integer array for each axis; a mask becomes index arrays.
    order : tuple
        The parts of the key from left to right: the number of an axis, ``None`` for a new axis, or
        an ellipsis, followed by its axes. See `join_key` and `new_axes_key`.

    Raises
    ------
    IndexError
        numpy would refuse the key, too.
    """
    parts = [_part(item) for item in (key if isinstance(key, tuple) else (key,))]
    n_axes = sum(_axes_of(part) for part in parts)
    if n_axes > len(shape):
        raise IndexError(
            f"too many indices: the array has {len(shape)} axes, {n_axes} were indexed"
        )
    ellipses = sum(part is Ellipsis for part in parts)
    if ellipses > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")

    items: list[Any] = []
    order: list[Any] = []
    for part in parts if ellipses else [*parts, Ellipsis]:
        added = [slice(None)] * (len(shape) - n_axes) if part is Ellipsis else [part]
        if isinstance(part, np.ndarray) and part.dtype == bool:
            added = _mask_to_indices(part, len(items), shape)
        if part is None or (part is Ellipsis and ellipses):
            order.append(part)
        if part is not None:
            order += range(len(items), len(items) + len(added))
            items += added
    return _check_ints(items, shape), tuple(order)


def join_key(items: Sequence[Any], order: Sequence[Any]) -> tuple[Any, ...]:
    """Return a key with one item per axis, in the order of `split_key`.

    The order includes new axes and ellipses, even of no axis, as numpy puts the axes of index
    arrays first if one of these separates them.
    """
    return tuple(items[part] if isinstance(part, int) else part for part in order)


def index_empty(items: Sequence[Any], order: Sequence[Any], array: Array) -> NDArray[Any] | None:
    """Return the result of a key with an empty index array; ``None`` for other keys.

    numpy accepts indices out of bounds in such a key.
    """
    if not any(isinstance(item, np.ndarray) and not item.size for item in items):
        return None
    placeholder = np.broadcast_to(np.zeros((), array.dtype), array.shape)
    empty: NDArray[Any] = placeholder[join_key(items, order)]
    return empty


def new_axes_key(items: Sequence[Any], order: Sequence[Any]) -> tuple[Any, ...]:
    """Return the key for the new axes in the result of integers and slices; empty if none."""
    left = [part for part in order if not isinstance(part, int) or isinstance(items[part], slice)]
    key = tuple(None if part is None else slice(None) for part in left if part is not Ellipsis)
    return key if None in key else ()


def _part(item: Any) -> Any:
    """Return one part of a key as an int, a slice, an array, ``None`` or an ellipsis."""
    if item is None or item is Ellipsis or type(item) in (int, slice):
        return item
    try:
        array = np.asarray(item)
    except ValueError as error:
        raise IndexError(f"{item!r} is not an index: its parts differ in length") from error
    if not array.ndim and array.dtype != bool:
        return _to_int(item)
    if not array.size and not isinstance(item, np.ndarray):
        array = array.astype(np.intp)  # an empty list has no data type
    if not array.ndim or array.dtype.kind not in "biu":
        raise IndexError(f"{item!r} is not an index: use integers, slices or arrays of them")
    return array


def _axes_of(part: Any) -> int:
    """Return the number of axes indexed by a part of a key."""
    if isinstance(part, np.ndarray) and part.dtype == bool:
        return part.ndim
    return int(part is not None and part is not Ellipsis)


def _mask_to_indices(mask: NDArray[Any], axis: int, shape: tuple[int, ...]) -> list[Any]:
    """Return the index arrays equivalent to a boolean mask."""
    if mask.shape != shape[axis : axis + mask.ndim]:
        raise IndexError(f"a mask of shape {mask.shape} does not fit axes from {axis} of {shape}")
    return list(np.nonzero(mask))


def _to_int(item: Any) -> int:
    """Return an index as an int, or refuse it."""
    try:
        return int(item.__index__())
    except (AttributeError, TypeError) as error:
        raise IndexError(
            f"{item!r} is not an index: use integers, slices or arrays of them"
        ) from error


def _check_ints(items: list[Any], shape: tuple[int, ...]) -> list[Any]:
    """Count negative integers from the end, and refuse those out of bounds."""
    return [
        check_index(item, n, axis) if isinstance(item, int) else item
        for axis, (item, n) in enumerate(zip(items, shape, strict=True))
    ]


def check_index(index: int, n: int, axis: int) -> int:
    """Count a negative index from the end, and refuse one out of bounds."""
    if not -n <= index < n:
        raise IndexError(f"index {index} is out of bounds for axis {axis} with size {n}")
    return index + n if index < 0 else index


def check_indices(index: NDArray[Any], n: int, axis: int) -> NDArray[Any]:
    """Count negative indices from the end, and refuse those out of bounds."""
    if index.size and not ((index >= -n) & (index < n)).all():
        raise IndexError(f"index {index} is out of bounds for axis {axis} with size {n}")
    return np.where(index < 0, index + n, index).astype(np.intp)


def to_slice(indices: range) -> slice:
    """Return the slice of a range of non-negative indices, in rising or falling order.

    >>> to_slice(range(4, -1, -2)), to_slice(range(3, 3))
    (slice(4, None, -2), slice(0, 0, None))
    """
    if not indices:
        return slice(0, 0)
    return slice(indices.start, None if indices.stop < 0 else indices.stop, indices.step)


def basic_shape(shape: tuple[int, ...], key: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the shape of an array of `shape` indexed by integers and slices."""
    return tuple(
        len(range(*item.indices(n)))
        for n, item in zip(shape, key, strict=True)
        if isinstance(item, slice)
    )
