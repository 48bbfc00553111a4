"""Metadata of images overruled by the user, as a mapping."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from napari_ferry.arguments import is_finite, is_text
from napari_ferry.errors import InvalidImageError
from napari_ferry.image.axes import LABELS
from napari_ferry.image.image import Image
from napari_ferry.image.overrides import each_axis, override

_FIELDS = ("axes", "scale", "unit", "translation", "channels")
"""Keys of metadata that are arguments of `override` for every image."""

_SPELLINGS: dict[str, str] = {"spacing": "scale", "units": "unit", "spacing_units": "unit"}
"""Other keys of metadata with the same meaning, as in objects of xarray."""

_UNIT_KEYS = ("unit", *(key for key, name in _SPELLINGS.items() if name == "unit"))

STEPS = {"t": "TimeIncrement", "z": "PhysicalSizeZ", "y": "PhysicalSizeY", "x": "PhysicalSizeX"}
"""Attributes of OME for the step along each axis; with ``Unit`` appended, for its unit."""

_STEP_UNITS = {"t": "s"} | dict.fromkeys("zyx", "um")
"""Units of these steps if OME gives none."""


def override_all(images: Sequence[Image], metadata: Mapping[str, Any]) -> list[Image]:
    """Return images with the metadata in a mapping.

    Parameters
    ----------
    images : sequence of Image
        The images.
    metadata : mapping
        Arguments of `Image.replace` by their names; ``spacing`` for ``scale``, ``units`` or
        ``spacing_units`` for ``unit``, and ``coords``: the coordinates along axes, the names of
        channels, or other labels. Attributes of OME as tifffile takes them (``PhysicalSizeX``,
        ``TimeIncrement``, ``Channel``) are known, too. A sequence as ``name`` has one for each
        image. Other entries are added to `Image.metadata`.

    Raises
    ------
    InvalidImageError
        A key is not a str or is given in two ways, or a value does not fit the images.
    """
    others = sort_metadata(metadata)
    given = {field: others.pop(field, None) for field in _FIELDS}
    coords, names = others.pop("coords", {}), others.pop("name", None)
    names = [names] * len(images) if names is None or isinstance(names, str) else names
    if not isinstance(names, Sequence) or len(names) != len(images):
        raise InvalidImageError(
            f"The metadata give the names {names!r} to {len(images)} images: give one for each."
        )
    changed = [
        override(image, **given, name=name, metadata=others)
        for image, name in zip(images, names, strict=True)
    ]
    return [_with_coordinates(image, coords, given) for image in changed] if coords else changed


def sort_metadata(metadata: object) -> dict[str, Any]:
    """Return a mapping of metadata with one spelling of its keys, without empty values.

    Raises
    ------
    InvalidImageError
        It is not a mapping of texts, or gives a value in two ways.
    """
    if not (isinstance(metadata, Mapping) and all(map(is_text, metadata))):
        raise InvalidImageError(
            f"The metadata are {metadata!r}: give a mapping, such as "
            "{'scale': {'y': 0.5, 'x': 0.5}, 'unit': 'um'}."
        )
    entries: dict[str, Any] = {}
    for key, value in _translate_ome(metadata):
        name = _SPELLINGS.get(key, key)
        if name in entries:
            raise InvalidImageError(f"The metadata give {name} twice, also as {key}: omit one.")
        if value is not None or name not in _FIELDS:
            entries[name] = value
    return entries


def _translate_ome(metadata: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the entries of metadata, with attributes of OME as scale, unit and channels."""
    others = dict(metadata)
    scale = {axis: others.pop(key) for axis, key in STEPS.items() if others.get(key) is not None}
    unit = _take_units(others, scale)
    channel = others.get("Channel")
    names = channel.get("Name") if isinstance(channel, Mapping) else None
    if isinstance(channel, Mapping) and names is not None:
        del others["Channel"]
        rest = {key: value for key, value in channel.items() if key != "Name"}
        others |= {"Channel": rest} if rest else {}
    found = {"scale": scale or None, "unit": unit or None, "channels": names}
    return [*others.items(), *((key, value) for key, value in found.items() if value is not None)]


def _take_units(others: dict[str, Any], axes: Collection[str]) -> dict[str, Any]:
    """Return the units of OME for the steps along axes, and remove them from the other entries.

    Units under another key have precedence over those assumed by OME where none are given.
    """
    own = {axis: f"{STEPS[axis]}Unit" for axis in axes}
    found = {axis: others.pop(key) for axis, key in own.items() if key in others}
    assumed = {axis: _STEP_UNITS[axis] for axis in axes}
    key = next((key for key in _UNIT_KEYS if others.get(key) is not None), None)
    if key is None:
        return assumed | found
    if isinstance(others[key], Mapping) and not found:
        others[key] = assumed | dict(others[key])
    return found


def _with_coordinates(image: Image, coords: object, given: Mapping[str, Any]) -> Image:
    """Return an image with coordinates along its axes: names of channels, positions or labels.

    A scale or translation that is `given` has precedence.

    Raises
    ------
    InvalidImageError
        An axis does not have as many indices as coordinates.
    """
    if not isinstance(coords, Mapping):
        raise InvalidImageError(
            f"The coords are {coords!r}: give a list for each axis by its name."
        )
    scale, translation, labels = {}, {}, dict(image.metadata.get(LABELS) or {})
    channels = None
    for axis, values in each_axis(image.axis_names, "coords", coords):
        listed = np.asarray(values).tolist()
        if not isinstance(listed, list) or len(listed) != image.size(axis):
            raise InvalidImageError(
                f"The coords of axis {axis} are {values!r}, but the axis has the length "
                f"{image.size(axis)}: give one for each index."
            )
        if axis == "c":
            channels = [str(value) for value in listed]
        elif (step := even_step(listed)) is not None:
            scale[axis], translation[axis] = step, float(listed[0])
        else:
            labels[axis] = [str(value) for value in listed]

    return override(
        image,
        axes=None,
        scale=_without(scale, image.axis_names, given["scale"]),
        unit=None,
        translation=_without(translation, image.axis_names, given["translation"]),
        channels=channels if given["channels"] is None else None,
        name=None,
        metadata={LABELS: labels} if labels else None,
    )


def _without(values: Mapping[str, float], names: Sequence[str], given: object) -> dict[str, float]:
    """Return the values of axes without another given value."""
    known = [axis for axis, _ in each_axis(names, "value", given)]
    return {axis: value for axis, value in values.items() if axis not in known}


def even_step(values: Sequence[object]) -> float | None:
    """Return the distance of evenly spaced numbers, or ``None`` for other values.

    >>> even_step([0.0, 0.5, 1.0]), even_step([3, 21, 22]), even_step(["a"]), even_step([4])
    (0.5, None, None, 1.0)
    """
    if not values or not all(map(is_finite, values)):
        return None
    steps = np.diff(np.asarray(values, np.float64))
    step = float(steps.mean()) if steps.size else 1.0
    return step if step and np.allclose(steps, step, rtol=1e-3) else None
