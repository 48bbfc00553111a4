"""Patches of a lazy array, padded with zeros outside."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.errors import InvalidImageError


def read_patch(
    array: Any,
    names: Sequence[str],
    channel_axis: str,
    sample_idx: int,
    channels: Sequence[int] | None,
    coords: Sequence[int],
    patch_size: Sequence[int],
) -> NDArray[Any]:
    """Read one patch with axes c (z) y x; see `Image.extract_patch`.

    Parameters
    ----------
    array : array
        Any lazy or numpy array.
    names : sequence of str
        Names of its axes.
    channel_axis : str
        Name of the axis of channels, which the array may lack.
    sample_idx, channels, coords, patch_size
        As for `Image.extract_patch`.
    """
    sizes = dict(zip(names, array.shape, strict=True))
    spatial = [name for name in "zyx" if name in sizes]
    (sample_idx,) = _whole_numbers("sample_idx", [sample_idx])
    coords = _whole_numbers("coords", coords)
    patch_size = _whole_numbers("patch_size", patch_size)
    if not len(coords) == len(patch_size) == len(spatial):
        raise InvalidImageError(
            f"The image has the axes {' '.join(spatial)}: give coords and patch_size "
            f"{len(spatial)} numbers each, not {len(coords)} and {len(patch_size)}."
        )

    others = {n: size for n, size in sizes.items() if n not in (*spatial, channel_axis)}
    source, target = _overlap([sizes[name] for name in spatial], coords, patch_size)
    chosen = _check_channels(channels, sizes.get(channel_axis, 1))
    key = _sample_index(sample_idx, others) | dict(zip(spatial, source, strict=True))

    order = [[name for name in names if name in spatial].index(name) for name in spatial]
    out = np.zeros((len(chosen), *patch_size), array.dtype)
    for plane, channel in zip(out, chosen, strict=True):
        whole = key | {channel_axis: channel}
        cut = np.asarray(array[tuple(whole[name] for name in names)])
        plane[target] = cut.transpose(order)
    return out


def _whole_numbers(name: str, values: Any) -> list[int]:
    """Return an argument as a list of integers.

    Raises
    ------
    InvalidImageError
        It is not a sequence of whole numbers.
    """
    try:
        return [operator.index(value) for value in values]
    except TypeError as error:
        raise InvalidImageError(
            f"{name} is {values!r}: give whole numbers, as in image.extract_patch(0, [0], (0, 0), "
            "(64, 64))."
        ) from error


def _sample_index(sample_idx: int, others: Mapping[str, int]) -> dict[str, Any]:
    """Return the index along each of the other axes; ``t`` varies fastest."""
    names = sorted(others, key=lambda name: name == "t")
    shape = [others[name] for name in names]
    if not 0 <= sample_idx < math.prod(shape):
        raise InvalidImageError(
            f"Sample {sample_idx} does not exist: the image has {math.prod(shape)}, counted from 0."
        )
    indices = np.unravel_index(sample_idx, shape) if names else ()
    return {name: int(i) for name, i in zip(names, indices, strict=True)}


def _overlap(
    sizes: Sequence[int], coords: Sequence[int], patch_size: Sequence[int]
) -> tuple[list[slice], tuple[slice, ...]]:
    """Return the overlap of patch and image, in coordinates of the image and of the patch."""
    source, target = [], []
    for size, start, length in zip(sizes, coords, patch_size, strict=True):
        first, last = max(0, min(start, size)), max(0, min(start + length, size))
        source.append(slice(first, last))
        target.append(slice(first - start, last - start) if last > first else slice(0, 0))
    return source, tuple(target)


def _check_channels(channels: Sequence[int] | None, count: int) -> list[int]:
    """Return the channels to read, counted from 0."""
    if channels is None:
        return list(range(count))
    channels = _whole_numbers("channels", channels)
    if not channels or not all(-count <= channel < count for channel in channels):
        raise InvalidImageError(
            f"Channels {channels} were requested, but the image has {count}, counted from 0: "
            "give at least one of these."
        )
    return [channel % count for channel in channels]
