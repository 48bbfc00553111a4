"""Lists in the metadata of an image with an entry for each plane."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_ferry.arrays.axis_view import Indices
from napari_ferry.image.image import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLANE_LABELS = "Labels"
"""Key of `Image.metadata`: a text for each plane."""

FRAME_TIMES = "timestamps"
"""Key of `Image.metadata`: the time of each frame in seconds, if they are unevenly spaced."""

FRAME_DELAYS = "delays"
"""Key of `Image.metadata`: the display time of each frame in seconds, if they differ."""

_MOST_TIMES = 1_000_000

_FRAME = ("y", "x", "s")
"""Axes within a plane."""


def list_times(times: Iterable[float], count: int) -> list[float] | str:
    """Return the times of `count` frames for the metadata; a sentence if they are too many."""
    return list(times) if count <= _MOST_TIMES else f"{count}, too many to list"


def part_of_planes(image: Image, indices: Mapping[int, Indices]) -> Mapping[str, Any]:
    """Return the lists with the entries of the planes at some indices of the axes by number."""
    lead = [k for k, name in enumerate(image.axis_names) if name not in _FRAME]
    chosen = np.ix_(*(indices.get(k, range(image.shape[k])) for k in lead))
    return _rearrange(image, lambda planes: planes[chosen])


def order_planes(image: Image, order: Sequence[str]) -> Mapping[str, Any]:
    """Return the lists in the order of the planes of an image whose axes have another order."""
    lead = [name for name in image.axis_names if name not in _FRAME]
    left_out = [name for name in lead if name not in order]  # of length 1
    numbers = [lead.index(name) for name in (*order, *left_out) if name in lead]
    return _rearrange(image, lambda planes: planes.transpose(numbers))


def _rearrange(
    image: Image, rearrange: Callable[[NDArray[np.intp]], NDArray[np.intp]]
) -> Mapping[str, Any]:
    """Return the lists in the metadata with an entry for each plane, rearranged.

    Parameters
    ----------
    image : Image
        The image.
    rearrange : callable
        Takes the number of each plane, an array with the axes of the image other than y, x and s,
        and returns those in the new order.
    """
    own = zip(image.axis_names, image.shape, strict=True)
    sizes = [size for name, size in own if name not in _FRAME]
    given = {key: image.metadata.get(key) for key in (PLANE_LABELS, FRAME_TIMES)}
    lists = {
        key: values
        for key, values in given.items()
        if isinstance(values, list | tuple) and len(values) == math.prod(sizes)
    }
    if not lists:
        return {}
    kept = rearrange(np.arange(math.prod(sizes)).reshape(sizes)).ravel().tolist()
    return {key: [values[i] for i in kept] for key, values in lists.items()}
