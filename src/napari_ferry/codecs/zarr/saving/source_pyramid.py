"""Pyramids whose levels are copied: their metadata, and the positions of their levels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from napari_ferry.arguments import is_finite
from napari_ferry.arrays import Array
from napari_ferry.arrays.axis_view import AxisView
from napari_ferry.codecs.zarr.array import ZarrArray
from napari_ferry.codecs.zarr.chunk_damage import DamageError
from napari_ferry.codecs.zarr.node import Node, own_multiscales, read_node
from napari_ferry.codecs.zarr.ome_axes import Steps, read_steps
from napari_ferry.codecs.zarr.saving.pyramid import Position
from napari_ferry.codecs.zarr.store import join_keys
from napari_ferry.errors import UnreadableFileError


class SourcePyramid(NamedTuple):
    """Arrays of the levels of one image.

    Parameters
    ----------
    arrays : list of ZarrArray
        The levels, full resolution first.
    documents : list of mapping
        The metadata of each.
    positions : list of Position
        The position of each.
    description : mapping
        Description of the downsampling in the source.
    """

    arrays: list[ZarrArray]
    documents: list[Mapping[str, Any]]
    positions: list[Position]
    description: Mapping[str, Any]


def read_pyramid(levels: Sequence[Array], order: Sequence[int]) -> SourcePyramid | None:
    """Return levels as they are in their store, or ``None`` for any other arrays.

    Parameters
    ----------
    levels : sequence of array
        Levels of an image, full resolution first.
    order : sequence of int
        Axes of the image in the order of the new store, which must be the order of the source.
    """
    found = [_find_source(level, order) for level in levels]
    arrays = [array for array in found if array is not None]
    if len(arrays) < len(found) or any(each.files.store != arrays[0].files.store for each in found):  # type: ignore[union-attr]
        return None
    try:
        nodes = [_read_array(array) for array in arrays]
        documents = [node.array for node in nodes if node is not None and node.array is not None]
        if len(documents) < len(arrays):
            return None
        if len(arrays) == 1:
            n = arrays[0].ndim
            return SourcePyramid(arrays, documents, [Position((1.0,) * n, (0.0,) * n)], {})
        listed = _find_datasets(arrays)
    except UnreadableFileError:  # reading the pixels raises it, too
        return None
    if listed is None:
        return None
    multiscale, datasets = listed
    description = {key: multiscale[key] for key in ("type", "metadata") if key in multiscale}
    return SourcePyramid(arrays, documents, _find_positions(arrays, datasets), description)


def _find_source(level: Array, order: Sequence[int]) -> ZarrArray | None:
    """Return the array in a local store with the order of the new store, if it is a level."""
    axes: list[int | None] = list(order)
    if isinstance(level, AxisView):
        if level.indices != tuple(map(range, level.array.shape)):
            return None
        axes = [level.order[axis] for axis in order]
        level = level.array
    is_in_order = axes == list(range(level.ndim))
    if not is_in_order or not isinstance(level, ZarrArray) or level.files.store.is_remote:
        return None
    stored = level.files.metadata.decoder.dtype
    is_growing = getattr(level.stamp, "may_grow", False)
    is_same_type = level.dtype.newbyteorder("=") == stored.newbyteorder("=")
    return level if is_same_type and not is_growing else None


def _read_array(array: ZarrArray) -> Node | None:
    """Return the node of an array, or ``None`` if it changed since it was opened."""
    files = array.files
    node = read_node(files.store, files.key)
    is_unchanged = files.store.stamp(array.document) == array.stamp
    return node if is_unchanged and node is not None and node.document == array.document else None


def _find_datasets(
    arrays: Sequence[ZarrArray],
) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]] | None:
    """Return the multiscale with all of these arrays, and their datasets in it."""
    store = arrays[0].files.store
    keys = [array.files.key for array in arrays]
    for parent in _parents_of(keys[0]):
        node = read_node(store, parent)
        for multiscale in [] if node is None else _multiscales_of(node):
            by_key = {_key_of(parent, each.get("path")): each for each in _mappings_in(multiscale)}
            if all(key in by_key for key in keys):
                return multiscale, [by_key[key] for key in keys]
    return None


def _parents_of(key: str) -> Iterator[str]:
    """Yield the keys of the groups above an array, the closest first."""
    while key:
        key = key.rpartition("/")[0]
        yield key


def _multiscales_of(node: Node) -> list[Mapping[str, Any]]:
    listed = node.ome.get("multiscales")
    found = listed if isinstance(listed, list) and listed else own_multiscales(node)
    return [each for each in found if isinstance(each, Mapping)]


def _mappings_in(multiscale: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    datasets = multiscale.get("datasets")
    listed = datasets if isinstance(datasets, list) else []
    return [each for each in listed if isinstance(each, Mapping)]


def _key_of(parent: str, path: object) -> str | None:
    try:
        return join_keys(parent, path)
    except DamageError:
        return None


def _find_positions(
    arrays: Sequence[ZarrArray], datasets: Sequence[Mapping[str, Any]]
) -> list[Position]:
    """Return the positions of levels, from their shapes if the metadata are implausible."""
    full = arrays[0].shape
    steps = [_read_steps(dataset, len(full)) for dataset in datasets]
    return [
        _find_position(full, array.shape, steps[0], own)
        for array, own in zip(arrays, steps, strict=True)
    ]


def _read_steps(dataset: Mapping[str, Any], ndim: int) -> Steps | None:
    """Return scale and translation of a level, or ``None`` if they are missing or invalid."""
    listed = dataset.get("coordinateTransformations")
    if not isinstance(listed, list) or not all(_is_valid(each, ndim) for each in listed):
        return None
    return read_steps(listed, ndim, "")


def _is_valid(transformation: object, ndim: int) -> bool:
    if not isinstance(transformation, Mapping):
        return False
    kind = transformation.get("type")
    values = transformation.get(kind) if kind in ("scale", "translation") else None
    is_long = isinstance(values, list) and len(values) == ndim
    return is_long and all(is_finite(n) and (n or kind != "scale") for n in values or ())


def _find_position(
    full: Sequence[int], shape: Sequence[int], first: Steps | None, own: Steps | None
) -> Position:
    ratios = tuple(n / m if m else 1.0 for n, m in zip(full, shape, strict=True))
    if first is None or own is None:
        return Position(ratios, (0.0,) * len(full))
    factors = tuple(a / b for a, b in zip(own.scale, first.scale, strict=True))
    shifts = tuple(
        (a - b) / scale
        for a, b, scale in zip(own.translation, first.translation, first.scale, strict=True)
    )
    sides = zip(factors, full, shape, strict=True)
    fits = all(f >= 1 - 1e-6 and abs(f * m - n) <= f for f, n, m in sides)
    if not fits or not all(map(math.isfinite, shifts)):
        return Position(ratios, (0.0,) * len(full))
    return Position(factors, shifts)
