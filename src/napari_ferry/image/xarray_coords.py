"""Conversion of images to objects of xarray and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_ferry.errors import InvalidImageError
from napari_ferry.image.axes import Axis, Channel, read_unit

if TYPE_CHECKING:
    import xarray

    from napari_ferry.image.image import Image


def to_data_array(image: Image) -> xarray.DataArray:
    """Return an image as an xarray object with dims, coordinates in units, and metadata.

    Raises
    ------
    InvalidImageError
        xarray is not installed.
    """
    try:
        import xarray
    except ModuleNotFoundError as error:
        raise InvalidImageError(
            "xarray is not installed: install it by pip install 'napari-ferry[xarray]'."
        ) from error
    return xarray.DataArray(
        image.array,
        _to_coordinates(image.axes, image.channels, image.shape),
        image.axis_names,
        image.name or None,
        {"metadata": image.metadata},
    )


def from_data_array(data: xarray.DataArray) -> dict[str, Any]:
    """Return the fields of the image of an xarray object.

    Raises
    ------
    InvalidImageError
        Coordinates are not evenly spaced.
    """
    names = data.coords["c"].values if "c" in data.coords and "c" in data.dims else ()
    metadata = data.attrs.get("metadata")
    return {
        "levels": (data.data,),
        "axes": tuple(_from_coordinate(data, str(dim)) for dim in data.dims),
        "channels": tuple(Channel(str(name)) for name in names),
        "name": "" if data.name is None else str(data.name),
        "metadata": metadata if isinstance(metadata, Mapping) else {},
    }


def _to_coordinates(
    axes: Sequence[Axis], channels: Sequence[Channel], shape: Sequence[int]
) -> dict[str, Any]:
    """Return ``translation + index * scale`` of each axis, and the names of channels along ``c``.

    Parameters
    ----------
    axes, shape
        Axes of the image, and their lengths.
    channels
        One for each index of ``c``, or none.
    """
    coords: dict[str, Any] = {}
    for axis, size in zip(axes, shape, strict=True):
        if axis.name not in ("c", "s"):
            values = axis.translation + np.arange(size) * axis.scale
            coords[axis.name] = (axis.name, values, {"units": axis.unit} if axis.unit else {})
    if channels:
        coords["c"] = [channel.name or f"channel {i}" for i, channel in enumerate(channels)]
    return coords


def _from_coordinate(data: xarray.DataArray, dim: str) -> Axis:
    """Return the axis of one dimension, with the scale, unit and translation of its coordinate.

    Raises
    ------
    InvalidImageError
        The coordinate is not evenly spaced.

    Warns
    -----
    FerryWarning
        Its ``units`` are unknown.
    """
    if dim not in data.coords or dim == "c":
        return Axis(dim)

    coordinate = data.coords[dim]
    values = np.asarray(coordinate.values)
    if values.dtype.kind not in "iuf":
        return Axis(dim)

    unit = str(coordinate.attrs.get("units") or "")
    steps = np.diff(values.astype(np.float64))
    scale = float(steps.mean()) if steps.size else 1.0
    if not np.allclose(steps, scale, rtol=1e-3):
        raise InvalidImageError(
            f"The coordinates of axis {dim} are not evenly spaced, so they have no scale: "
            "resample, or drop the coordinate."
        )
    return Axis(dim, scale or 1.0, read_unit(unit, f"The coordinate {dim}"), float(values[0]))
