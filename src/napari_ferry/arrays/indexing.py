"""What numpy takes for an index, brought to one item an axis, for arrays that are read lazily."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.protocol import Array


def split_key(key: Any, shape: tuple[int, ...]) -> tuple[list[Any], tuple[Any, ...]]:
    """Bring an index to one item an axis, and say in which order they stood.

    Returns
    -------
    items : list
        An int, slice or integer array for each axis; masks have become index arrays.
    order : tuple
        What the index was, from left to right: the number of an axis, ``None`` for a new one, or
        an ellipsis, whose axes follow it. See `join_key` and `new_axes_key`.
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
        found = [slice(None)] * (len(shape) - n_axes) if part is Ellipsis else [part]
        if isinstance(part, np.ndarray) and part.dtype == bool:
            found = _mask_to_indices(part, len(items), shape)
        if part is None or (part is Ellipsis and ellipses):
            order.append(part)
        if part is not None:
            order += range(len(items), len(items) + len(found))
            items += found
    return _check_ints(items, shape), tuple(order)


def join_key(items: Sequence[Any], order: Sequence[Any]) -> tuple[Any, ...]:
    """Return an index made of one item an axis, in the order of `split_key`.

    numpy puts the axes of index arrays first when a new axis or an ellipsis, even of no axis,
    stands between them; so those stay where they were.
    """
    return tuple(items[part] if isinstance(part, int) else part for part in order)


def index_empty(items: Sequence[Any], order: Sequence[Any], array: Array) -> NDArray[Any] | None:
    """Return what an index with an empty array gives, without a look at the other indices.

    numpy does not mind indices that are out of bounds where nothing is taken.
    """
    if not any(isinstance(item, np.ndarray) and not item.size for item in items):
        return None
    nowhere = np.broadcast_to(np.zeros((), array.dtype), array.shape)
    found: NDArray[Any] = nowhere[join_key(items, order)]
    return found


def new_axes_key(items: Sequence[Any], order: Sequence[Any]) -> tuple[Any, ...]:
    """Return the index that puts new axes into what integers and slices gave; empty for none."""
    left = [part for part in order if not isinstance(part, int) or isinstance(items[part], slice)]
    found = tuple(None if part is None else slice(None) for part in left if part is not Ellipsis)
    return found if None in found else ()


def _part(item: Any) -> Any:
    """Bring one part of an index to an int, a slice, an array, ``None`` or an ellipsis."""
    if item is None or item is Ellipsis or isinstance(item, slice):
        return item
    try:
        array = np.asarray(item)
    except ValueError as error:
        raise IndexError(f"{item!r} is no index: its parts differ in length") from error
    if not array.ndim and array.dtype != bool:
        return _to_int(item)
    if not array.size and not isinstance(item, np.ndarray):
        array = array.astype(np.intp)  # an empty list has no type of its own
    if not array.ndim or array.dtype.kind not in "biu":
        raise IndexError(f"{item!r} is no index: use integers, slices or arrays of them")
    return array


def _axes_of(part: Any) -> int:
    """Return how many axes a part of an index takes."""
    if isinstance(part, np.ndarray) and part.dtype == bool:
        return part.ndim
    return int(part is not None and part is not Ellipsis)


def _mask_to_indices(mask: NDArray[Any], axis: int, shape: tuple[int, ...]) -> list[Any]:
    """Turn a boolean mask into the index arrays that numpy takes it for."""
    if mask.shape != shape[axis : axis + mask.ndim]:
        raise IndexError(f"a mask of shape {mask.shape} does not fit axes from {axis} of {shape}")
    return list(np.nonzero(mask))


def _to_int(item: Any) -> int:
    """Return an index as int, refusing what is none."""
    try:
        return int(item.__index__())
    except (AttributeError, TypeError) as error:
        raise IndexError(f"{item!r} is no index: use integers, slices or arrays of them") from error


def _check_ints(items: list[Any], shape: tuple[int, ...]) -> list[Any]:
    """Count negative integers from the end, and refuse those outside."""
    return [
        int(check_indices(np.asarray(item), n, axis)) if isinstance(item, int) else item
        for axis, (item, n) in enumerate(zip(items, shape, strict=True))
    ]


def check_indices(index: NDArray[Any], n: int, axis: int) -> NDArray[Any]:
    """Count negative indices from the end, and refuse those outside."""
    if index.size and not ((index >= -n) & (index < n)).all():
        raise IndexError(f"index {index} is out of bounds for axis {axis} with size {n}")
    return np.where(index < 0, index + n, index).astype(np.intp)


def basic_shape(shape: tuple[int, ...], key: tuple[Any, ...]) -> tuple[int, ...]:
    """Return the shape that integers and slices leave of `shape`."""
    return tuple(
        len(range(*item.indices(n)))
        for n, item in zip(shape, key, strict=True)
        if isinstance(item, slice)
    )
