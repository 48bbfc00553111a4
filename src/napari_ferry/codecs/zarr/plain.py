"""Arrays without metadata of OME-NGFF, with the names of axes and coordinates of xarray.

Version 3 has ``dimension_names``; in version 2, xarray writes the attribute ``_ARRAYDIMENSIONS``
(https://docs.xarray.dev/en/stable/internals/zarr-encoding-spec.html).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.zarr.array import ZarrArray
from napari_ferry.codecs.zarr.multiscales import warn_left_out
from napari_ferry.codecs.zarr.node import Node
from napari_ferry.codecs.zarr.ome_axes import axis_names, warn_if_empty
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.image.axes import default_axes, read_unit
from napari_ferry.image.json_values import to_json
from napari_ferry.image.record import ASSUMED
from napari_ferry.units import is_step

DIMENSIONS = "_ARRAY_DIMENSIONS"

_MOST_COORDINATES = 1 << 20
"""Maximum number of values of a coordinate to read."""


def open_plain(node: Node, name: str, siblings: Mapping[str, Node] | None = None) -> Image:
    """Open an array as an image.

    Parameters
    ----------
    node : Node
        The array.
    name : str
        Name of the image.
    siblings : mapping of str to Node, optional
        Arrays in the same group, among which are its coordinates.

    Raises
    ------
    UnreadableFileError
        Its metadata are damaged, or it is not an image: text, or fewer than two axes.
    """
    array = node.open_array()
    if array.ndim < 2 or array.dtype.kind == "U":
        raise UnreadableFileError(
            f"{node.label} has the shape {array.shape} and the type {array.dtype}, and is not an "
            "image: expected numbers along at least two axes."
        )
    warn_if_empty(array.shape, node.label)
    dims = dimension_names(node)
    is_named = bool(dims) and all(dims)
    names = axis_names(dims, array.ndim, node.label) if is_named else default_axes(array.ndim)
    axes = [Axis(each) for each in names]
    channels: tuple[Channel, ...] = ()
    for k, dim in enumerate(dims if is_named and len(dims) == array.ndim else ()):
        coordinate = (siblings or {}).get(dim)
        if coordinate is not None and coordinate.key != node.key:
            values = _read_coordinate(coordinate, array.shape[k])
            if axes[k].name == "c":
                channels = _channels_of(values)
            else:
                axes[k] = _axis_of(axes[k], coordinate, values)

    metadata = {key: value for key, value in node.attributes.items() if key != DIMENSIONS}
    image = Image((array,), tuple(axes), channels, name, metadata=to_json(metadata))
    return image if is_named else _with_note(image)


def _with_note(image: Image) -> Image:
    note = "the axes are named by their order, because the store does not name them"
    return replace(image, metadata={**image.metadata, ASSUMED: note})


def dimension_names(node: Node) -> list[str]:
    """Return the names of the axes of an array; empty if they are not given."""
    listed = (node.array or {}).get("dimension_names") or node.attributes.get(DIMENSIONS)
    names = listed if isinstance(listed, list) else []
    return [name if isinstance(name, str) else "" for name in names]


def open_arrays(nodes: Sequence[Node], label: str) -> list[Image]:
    """Open the arrays of a store as images, apart from coordinates and other arrays.

    Parameters
    ----------
    nodes : sequence of Node
        All arrays, in the order of the images.
    label : str
        Name of the store, for warnings.

    Warns
    -----
    FerryWarning
        An array is not an image, or cannot be opened.
    """
    dims = {dim for node in nodes for dim in dimension_names(node)}
    by_group: dict[str, dict[str, Node]] = {}
    for node in nodes:
        group, _, name = node.key.rpartition("/")
        by_group.setdefault(group, {})[name] = node

    images, problems = [], []
    for node in nodes:
        group, _, name = node.key.rpartition("/")
        if name in dims:
            continue
        try:
            images.append(open_plain(node, node.key, by_group[group]))
        except UnreadableFileError as error:
            problems.append(str(error).rstrip("."))
    if problems and not images:
        raise UnreadableFileError(f"{problems[0]}.")
    warn_left_out(label, "arrays", problems)
    return images


def _read_coordinate(node: Node, length: int) -> NDArray[Any] | None:
    """Return the values of a coordinate, or ``None`` if it is not one of an axis."""
    try:
        array: ZarrArray = node.open_array()
        if array.shape != (length,) or length > _MOST_COORDINATES:
            return None
        return np.asarray(array)
    except UnreadableFileError as error:
        warn(f"A coordinate is left out: {error}")
        return None


def _channels_of(values: NDArray[Any] | None) -> tuple[Channel, ...]:
    if values is None or values.dtype.kind != "U":
        return ()
    return tuple(Channel(str(value) or None) for value in values)


def _axis_of(axis: Axis, node: Node, values: NDArray[Any] | None) -> Axis:
    """Return an axis with the spacing of its coordinate, if the spacing is even."""
    if values is None or values.dtype.kind not in "iuf" or not len(values):
        return axis
    word = node.attributes.get("units")
    unit = read_unit(word, f"The coordinate {node.label}") if isinstance(word, str) else None
    with np.errstate(all="ignore"):
        steps = np.diff(values.astype(np.float64))
        scale = float(steps.mean()) if len(steps) else 1.0
        is_even = np.allclose(steps, scale, rtol=1e-3, atol=0)
    if not is_even or not is_step(abs(scale)) or not np.isfinite(values[0]):
        warn(f"The coordinate {node.label} is not evenly spaced: axis {axis.name} has no scale.")
        return axis
    return Axis(axis.name, scale, unit, float(values[0]))
