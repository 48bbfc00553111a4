"""Conversion of images to objects of xarray and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_ferry.errors import InvalidImageError, warn
from napari_ferry.image.axes import LABELS, Axis, Channel, read_unit

if TYPE_CHECKING:
    import xarray

    from napari_ferry.image.image import Image

_UNITS = "spacing_units"
"""Key in the metadata of an object: units by axes, as intake_io stores them."""

_CALIBRATED = ("t", "z", "y", "x")
"""Axes of time and space, whose numeric coordinates have to be evenly spaced."""


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
    array = image.load() if image.is_loaded else image.array
    in_memory = type(array) is np.ndarray  # xarray would read any other array at once
    return xarray.DataArray(
        array if in_memory else image.to_dask(),
        {**_to_coordinates(image.axes, image.channels, image.shape), **_to_labels(image)},
        image.axis_names,
        image.name or None,
        {"metadata": image.metadata},
    )


def to_dataset(image: Image) -> xarray.Dataset:
    """Return a Dataset of an image, named ``image`` if its name is empty or that of an axis.

    Raises
    ------
    InvalidImageError
        xarray is not installed.
    """
    is_free = image.name not in ("", *image.axis_names)
    return to_data_array(image).to_dataset(name=image.name if is_free else "image")


def from_data_array(data: xarray.DataArray) -> dict[str, Any]:
    """Return the fields of the image of an xarray object.

    Capital letters of dims, as in bioio and aicsimageio, are those of axes in lower case.
    Attributes, and coordinates with a single value that are not along an axis, become metadata.

    Raises
    ------
    InvalidImageError
        It is not a DataArray, or coordinates are not evenly spaced.

    Warns
    -----
    FerryWarning
        Coordinates that are neither along an axis nor a single value are left out.
    """
    _check_kind(data)
    data = _with_lower_case(data)
    names = data.coords["c"].values if "c" in data.coords and "c" in data.dims else ()
    stored = data.attrs.get("metadata")
    metadata = {**_other_attributes(data), **(stored if isinstance(stored, Mapping) else {})}
    units = metadata.pop(_UNITS, None)
    units = units if isinstance(units, Mapping) else {}

    texts = {str(dim): _from_labels(data, str(dim)) for dim in data.dims}
    labels = {dim: own for dim, own in texts.items() if own}
    if labels:
        metadata[LABELS] = {**_stored_labels(metadata), **labels}
    return {
        "levels": (data.data,),
        "axes": tuple(
            Axis(dim) if own else _from_coordinate(data, dim, units.get(dim))
            for dim, own in texts.items()
        ),
        "channels": tuple(Channel(str(name)) for name in names),
        "name": "" if data.name is None else str(data.name),
        "metadata": metadata,
    }


def _check_kind(data: object) -> None:
    """Refuse an object other than a DataArray.

    Raises
    ------
    InvalidImageError
        The object is of another type.
    """
    if hasattr(data, "data_vars"):
        raise InvalidImageError(
            "A Dataset has several variables: give one of them, such as dataset['image'], or save "
            "it whole with imsave."
        )
    if not (hasattr(data, "dims") and hasattr(data, "coords")):
        raise InvalidImageError(
            f"An object of type {type(data).__name__} is not an xarray.DataArray: use "
            "Image.from_array for arrays without coordinates."
        )


def _with_lower_case(data: xarray.DataArray) -> xarray.DataArray:
    """Return an object with dims of one capital letter in lower case, if they remain distinct."""
    dims = [str(dim) for dim in data.dims]
    lower = {dim: dim.lower() for dim in dims if len(dim) == 1 and dim.isupper()}
    is_distinct = len({lower.get(dim, dim) for dim in dims}) == len(dims)
    return data.rename(lower) if lower and is_distinct else data


def _other_attributes(data: xarray.DataArray) -> dict[str, Any]:
    """Return the attributes of an object, and its coordinates of a single value, by their names.

    Warns
    -----
    FerryWarning
        Coordinates are neither along an axis nor a single value.
    """
    others = {str(name): own for name, own in data.coords.items() if name not in data.dims}
    single = {name: np.asarray(own.values) for name, own in others.items() if own.ndim == 0}
    left_out = [name for name in others if name not in single]
    if left_out:
        warn(
            f"The coordinates {', '.join(left_out)} are left out: an image has one coordinate for "
            "each axis."
        )
    values = {
        name: str(value) if value.dtype.kind in "Mm" else value.item()
        for name, value in single.items()
    }
    attributes = {str(key): value for key, value in data.attrs.items() if key != "metadata"}
    return {**values, **attributes}


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


def _to_labels(image: Image) -> dict[str, list[int] | list[str]]:
    """Return the labels of axes without a scale as their coordinates; numbers as integers."""
    return {
        axis: _to_numbers([*map(str, own)])
        for axis, own in _stored_labels(image.metadata).items()
        if image.axis(axis) == Axis(axis) and axis != "c" and len(own) == image.size(axis)
    }


def _to_numbers(labels: list[str]) -> list[int] | list[str]:
    """Return labels as whole numbers, if all of them are."""
    is_number = all(label.isascii() and label.isdecimal() and len(label) < 19 for label in labels)
    return [*map(int, labels)] if is_number else labels


def _stored_labels(metadata: Mapping[str, Any]) -> dict[str, Sequence[object]]:
    """Return the lists of labels by axes in metadata; other entries of the name are left out."""
    labels = metadata.get(LABELS)
    items = labels.items() if isinstance(labels, Mapping) else ()
    return {axis: own for axis, own in items if isinstance(own, list | tuple)}


def _from_labels(data: xarray.DataArray, dim: str) -> list[str]:
    """Return the coordinates of one dimension if they are labels; empty for positions."""
    if dim not in data.coords or dim == "c":
        return []
    values = np.asarray(data.coords[dim].values)
    if values.dtype.kind == "M":
        return [str(value) for value in np.datetime_as_string(values)]
    is_label = values.dtype.kind in "USOT"
    if values.dtype.kind in "iu" and dim not in _CALIBRATED:
        steps = np.diff(values.astype(np.float64))
        is_label = bool(steps.size) and (steps != steps[0]).any()
    return [str(value) for value in values.tolist()] if is_label else []


def _from_coordinate(data: xarray.DataArray, dim: str, other_unit: object) -> Axis:
    """Return the axis of one dimension, with the scale, unit and translation of its coordinate.

    A coordinate without ``units`` has the other unit.

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
    unit = str(coordinate.attrs.get("units") or other_unit or "")
    if values.dtype.kind == "m":
        values, unit = values / np.timedelta64(1, "s"), "s"
    if values.dtype.kind not in "iuf":
        return Axis(dim)

    steps = np.diff(values.astype(np.float64))
    scale = float(steps.mean()) if steps.size else 1.0
    if not np.allclose(steps, scale, rtol=1e-3):
        raise InvalidImageError(
            f"The coordinates of axis {dim} are not evenly spaced, so they have no scale: "
            "resample, or drop the coordinate."
        )
    return Axis(dim, scale or 1.0, read_unit(unit, f"The coordinate {dim}"), float(values[0]))
