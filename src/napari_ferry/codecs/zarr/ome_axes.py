"""Axes of OME-NGFF multiscales, with their units, scales and translations.

https://ngff.openmicroscopy.org/0.5/, sections "axes" and "multiscales". Pixel centers are at whole
numbers, and transformations of a multiscale apply after those of its datasets.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from napari_ferry.arguments import is_finite
from napari_ferry.errors import warn
from napari_ferry.image import Axis
from napari_ferry.image.axes import default_axes, read_unit
from napari_ferry.units import is_step

_TYPE_NAMES = {"time": "t", "channel": "c"}
"""Names of the axes of these types, regardless of their names in the file."""

_SHORT_NAMES = {"time": "t", "frame": "t", "channel": "c", "depth": "z"}


class Steps(NamedTuple):
    """Scale and translation along each axis."""

    scale: tuple[float, ...]
    translation: tuple[float, ...]


def warn_if_empty(shape: Sequence[int], label: str) -> None:
    """Warn about an array without pixels; napari cannot display it."""
    if 0 in shape:
        warn(f"{label} has the shape {tuple(shape)}, so it contains no pixels.")


def axis_names(names: Sequence[object], ndim: int, label: str) -> tuple[str, ...]:
    """Return one name for each axis, from the file if the names there are valid.

    Warns
    -----
    FerryWarning
        They are missing, repeated, or do not match the array.
    """
    valid = valid_names(names, ndim)
    if valid is not None:
        return valid
    default = default_axes(ndim)
    reason = f"are {', '.join(map(str, names))[:60]}" if names else "are not named"
    warn(
        f"The axes of {label} {reason}, but its array has {ndim}: they are opened as "
        f"{' '.join(default)}."
    )
    return default


def valid_names(names: Sequence[object], ndim: int) -> tuple[str, ...] | None:
    """Return the short names of axes in lower case, or ``None`` if they are not valid.

    >>> valid_names(["Time", "Y", "X"], 3), valid_names(["y", "y", "x"], 3)
    (('t', 'y', 'x'), None)
    """
    words = [str(name).lower() if isinstance(name, str) and name else "" for name in names]
    words = [_SHORT_NAMES.get(word, word) for word in words]
    is_valid = len(words) == ndim and all(words) and len(set(words)) == ndim
    return tuple(words) if is_valid else None


def read_axes(
    multiscale: Mapping[str, Any], dataset: Mapping[str, Any], ndim: int, label: str
) -> tuple[Axis, ...]:
    """Return the axes of an image.

    Parameters
    ----------
    multiscale : mapping
        Item of the list ``multiscales``.
    dataset : mapping
        Its dataset of full resolution.
    ndim : int
        Number of axes of the array.
    label : str
        Name of the image, for warnings.

    Warns
    -----
    FerryWarning
        Axes, units or transformations are missing, invalid, or of an unknown kind.
    """
    described = [
        each if isinstance(each, Mapping) else {"name": each} for each in axes_of(multiscale)
    ]
    names = axis_names([name_of(each) for each in described], ndim, label)
    if len(described) != ndim:
        described = [{}] * ndim

    inner = read_steps(dataset.get("coordinateTransformations"), ndim, label)
    outer = read_steps(multiscale.get("coordinateTransformations"), ndim, label)
    steps = combine(outer, inner)
    return tuple(
        _make_axis(name, each, scale, translation, label)
        for name, each, scale, translation in zip(names, described, *steps, strict=True)
    )


def axes_of(multiscale: Mapping[str, Any]) -> Sequence[Any]:
    """Return the axes of a multiscale; version 0.6 has them in coordinate systems."""
    axes = multiscale.get("axes")
    if axes is None:
        systems = multiscale.get("coordinateSystems")
        first = systems[0] if isinstance(systems, list) and systems else {}
        axes = first.get("axes") if isinstance(first, Mapping) else None
    return axes if isinstance(axes, list) else []


def name_of(axis: Mapping[str, Any]) -> object:
    """Return the name of an axis, the usual one for time and channels."""
    kind = axis.get("type")
    return _TYPE_NAMES.get(kind, axis.get("name")) if isinstance(kind, str) else axis.get("name")


def _make_axis(
    name: str, described: Mapping[str, Any], scale: float, translation: float, label: str
) -> Axis:
    """Return one axis, uncalibrated if its scale is not valid."""
    subject = f"Axis {name} of {label}"
    word = described.get("unit")
    unit = read_unit(word, subject) if isinstance(word, str) else None
    if word is not None and not isinstance(word, str):
        warn(
            f"{subject} has the unit {word!r:.40}, which is not text: it is opened without a unit."
        )
    if not is_step(abs(scale)) or not math.isfinite(translation):
        warn(
            f"{subject} has the scale {scale:g} and the translation {translation:g}, which are not "
            "valid: the axis is opened uncalibrated, with scale 1 and no unit."
        )
        return Axis(name)
    return Axis(name, scale, unit, translation)


def combine(outer: Steps, inner: Steps) -> Steps:
    """Return the steps of an inner transformation followed by an outer one."""
    scale = [a * b for a, b in zip(outer.scale, inner.scale, strict=True)]
    moved = [a * b for a, b in zip(outer.scale, inner.translation, strict=True)]
    translation = [a + b for a, b in zip(moved, outer.translation, strict=True)]
    return Steps(tuple(scale), tuple(translation))


def read_steps(transformations: object, ndim: int, label: str) -> Steps:
    """Return the steps of a list of transformations, applied one after the other."""
    steps = Steps((1.0,) * ndim, (0.0,) * ndim)
    for each in transformations if isinstance(transformations, list) else []:
        steps = combine(_read_transformation(each, ndim, label), steps)
    return steps


def _read_transformation(transformation: object, ndim: int, label: str) -> Steps:
    """Return the steps of one transformation."""
    described = transformation if isinstance(transformation, Mapping) else {}
    kind = described.get("type")
    scale, translation = (1.0,) * ndim, (0.0,) * ndim
    if kind == "identity":
        return Steps(scale, translation)
    if kind == "sequence":
        return read_steps(described.get("transformations"), ndim, label)

    values = described.get(kind) if kind in ("scale", "translation") else None
    if isinstance(values, list) and len(values) == ndim and all(map(is_finite, values)):
        numbers = tuple(map(float, values))
        return Steps(numbers, translation) if kind == "scale" else Steps(scale, numbers)

    warn(
        f"{label} has a transformation {str(transformation)[:60]}, which is not a scale or a "
        f"translation of {ndim} numbers: it is left out."
    )
    return Steps(scale, translation)
