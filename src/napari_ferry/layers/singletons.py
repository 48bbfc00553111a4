"""Axes of length 1, left out of the layers of a file and restored when these are saved.

napari aligns the axes of layers from the last one on. With an axis of length 1 in between, the time
of one layer would share a slider with the depth of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from napari_ferry.arrays import Array
from napari_ferry.arrays.stack import Stack, take
from napari_ferry.image import Image
from napari_ferry.image.axes import frame_ndim
from napari_ferry.image.record import KEY, SINGLETONS, describe_axis, parse_axis
from napari_ferry.layers.display import TRANSFORMS

AXES = f"{KEY}:axes"
"""Key of layer metadata: records of the axes that are left out, with their indices."""

_DEPENDENT = (SINGLETONS, *TRANSFORMS, "axis_labels")
"""Keys of `Image.display` that belong to all axes, so that none is left out."""


def singleton_axes(image: Image) -> list[int]:
    """Return the indices of axes of length 1 displayed as sliders by a layer."""
    lead = image.ndim - frame_ndim(image.axes)
    return [i for i in range(lead) if image.shape[i] == 1 and image.axis_names[i] != "c"]


def squeeze(image: Image) -> Image:
    """Return an image without axes of length 1, described in its metadata instead.

    An image that was saved from a layer with such axes is returned unchanged.
    """
    singletons = singleton_axes(image)
    if not singletons or any(image.display.get(key) is not None for key in _DEPENDENT):
        return image
    levels = image.levels
    for index in reversed(singletons):
        levels = tuple(take(level, index, 0) for level in levels)

    records = [{"index": i, **describe_axis(image.axes[i], 1)} for i in singletons]
    return replace(
        image,
        levels=levels,
        axes=tuple(axis for i, axis in enumerate(image.axes) if i not in singletons),
        metadata={**image.metadata, AXES: records},
    )


def restore_axes(image: Image, records: object) -> Image:
    """Return an image with the axes of length 1 described by `squeeze`.

    Records that are not valid, because a person edited them or the layer has such an axis by now,
    are ignored.
    """
    for record in records if isinstance(records, Sequence) else ():
        lead = image.ndim - frame_ndim(image.axes)
        if _is_valid(record) and record["name"] not in (*image.axis_names, "c", "s"):
            index = min(record["index"], lead)
            axes = (*image.axes[:index], parse_axis(record), *image.axes[index:])
            levels = tuple(_insert_axis(level, index) for level in image.levels)
            image = replace(image, levels=levels, axes=axes)
    return image


def _is_valid(record: object) -> bool:
    return (
        isinstance(record, Mapping)
        and isinstance(record.get("name"), str)
        and isinstance(record.get("index"), int)
        and record["index"] >= 0
    )


def _insert_axis(array: Array, index: int) -> Array:
    """Return an array with a new axis of length 1, without reading it."""
    return Stack([array], index)
