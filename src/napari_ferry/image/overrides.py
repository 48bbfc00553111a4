"""Metadata of images overruled by the user, as arguments of `Image.replace`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from napari_ferry.arguments import fraction_to_float, is_finite, is_real, is_text
from napari_ferry.errors import InvalidImageError, warn
from napari_ferry.image.axes import Axis, Channel, counts_samples, parse_axes
from napari_ferry.image.json_values import json_losses, to_json
from napari_ferry.units import SECONDS, known_unit

if TYPE_CHECKING:
    from napari_ferry.image.image import Image

_T = TypeVar("_T")
_Image = TypeVar("_Image", bound="Image")

OneOrEach: TypeAlias = Mapping[str, _T] | Sequence[_T]
"""Values of some axes by name, or one for each axis."""


def override(
    image: _Image,
    *,
    axes: str | Sequence[str] | None,
    scale: OneOrEach[float] | None,
    unit: OneOrEach[str | None] | str | None,
    translation: OneOrEach[float] | None,
    channels: Sequence[str | Channel | None] | None,
    name: str | None,
    metadata: Mapping[str, Any] | None,
) -> _Image:
    """Return an image with other metadata; parameters and errors are those of `Image.replace`."""
    renamed = image if axes is None else _rename(image, axes)
    names = renamed.axis_names
    scales = {key: _number(key, "scale", value) for key, value in each_axis(names, "scale", scale)}
    shifts = {
        key: _number(key, "translation", value)
        for key, value in each_axis(names, "translation", translation)
    }
    words = dict(each_axis(names, "unit", _spread_unit(names, unit)))
    new_axes = tuple(
        Axis(
            axis.name,
            scales.get(axis.name, axis.scale),
            words.get(axis.name, axis.unit),
            shifts.get(axis.name, axis.translation),
        )
        for axis in renamed.axes
    )

    if name is not None and not is_text(name):
        raise InvalidImageError(f"The name is {name!r}: give a str.")
    if metadata is not None and not isinstance(metadata, Mapping):
        raise InvalidImageError(
            f"The metadata are {metadata!r}: give a mapping of names to values."
        )
    if channels is not None:
        renamed = _with_channels(renamed, channels, name)
    for path, fault in json_losses(metadata or {}).items():
        warn(f"Of the metadata, {path} {fault}.")
    return replace(
        renamed,
        axes=new_axes,
        name=renamed.name if name is None else name,
        metadata={**renamed.metadata, **to_json(metadata or {})},
    )


def _rename(image: _Image, given: str | Sequence[str]) -> _Image:
    """Return an image with other names of its axes; channels stay with their axis."""
    names = parse_axes(given)
    if len(names) != image.ndim:
        raise InvalidImageError(
            f"The image has the shape {image.shape} but the axes {' '.join(names)} were given: "
            "name one axis for each dimension."
        )

    renamed = tuple(replace(axis, name=name) for axis, name in zip(image.axes, names, strict=True))
    has_channels = any(
        axis.name == name == "c" for axis, name in zip(image.axes, names, strict=True)
    )

    key = image.ORIGINAL_AXES
    metadata = {name: value for name, value in image.metadata.items() if name != key}
    if counts_samples(given, image.shape):
        metadata[key] = given
    channels = image.channels if has_channels else ()
    return replace(image, axes=renamed, channels=channels, metadata=metadata)


def each_axis(names: Sequence[str], key: str, values: object) -> list[tuple[str, Any]]:
    """Return the values of axes with their names, in any case.

    Raises
    ------
    InvalidImageError
        An axis does not exist, or the number of values differs from that of the axes.
    """
    if values is None:
        return []
    if isinstance(values, Mapping):
        unknown = [axis for axis in values if str(axis).lower() not in names]
        if unknown:
            raise InvalidImageError(
                f"The {key} is given for axis {unknown[0]!r}, but the image has the axes "
                f"{' '.join(names)}: name one of these."
            )
        return [(str(axis).lower(), value) for axis, value in values.items()]

    is_list = isinstance(values, Sequence | np.ndarray) and not isinstance(values, str | bytes)
    if not is_list or len(values) != len(names):  # type: ignore[arg-type]
        raise InvalidImageError(
            f"The {key} is {values!r}, but the image has the axes {' '.join(names)}: give "
            f"one value for each, or a mapping such as {{{names[-1]!r}: ...}}."
        )
    return list(zip(names, values, strict=True))  # type: ignore[call-overload]


def _spread_unit(names: Sequence[str], unit: object) -> object:
    """Return a single unit by axes: a time for t, any other unit for z, y and x."""
    if not isinstance(unit, str):
        return unit
    own = "t" if known_unit(unit) in SECONDS else "zyx"
    return {name: unit for name in names if name in own}


def _number(axis: str, key: str, value: object) -> float:
    """Return the scale or translation of an axis.

    Raises
    ------
    InvalidImageError
        It is not a finite number, or a scale of 0.
    """
    number = value.item() if isinstance(value, np.generic) else fraction_to_float(value)
    if is_real(number) and is_finite(number) and (key != "scale" or number != 0):
        return float(number)
    other = " other than 0" if key == "scale" else ""
    raise InvalidImageError(f"The {key} of axis {axis} is {value!r}: give a finite number{other}.")


def _with_channels(image: _Image, channels: object, name: str | None) -> _Image:
    """Return an image with other channels; without ``c``, its one channel becomes its display.

    A name of the image is that of the image with its channel.
    """
    new = _channels(image, channels)
    if "c" in image.axis_names:
        return replace(image, channels=new)
    metadata = {key: value for key, value in image.metadata.items() if key != Channel.NAME_KEY}
    return replace(
        image,
        name=image.name if name is None else name,
        channels=new,
        display={**image.display, **new[0].to_display()},
        metadata=metadata,
    )


def _channels(image: Image, channels: object) -> tuple[Channel, ...]:
    """Return channels with other names, or other channels.

    Raises
    ------
    InvalidImageError
        They are not names or channels, or their number is not the length of ``c``.
    """
    count = image.size("c")
    is_list = isinstance(channels, Sequence | np.ndarray) and not isinstance(channels, str | bytes)
    listed: list[Any] = list(channels) if is_list else [channels]  # type: ignore[call-overload]
    wrong = [x for x in listed if not (x is None or isinstance(x, str | Channel))]
    if wrong:
        raise InvalidImageError(f"{wrong[0]!r} is not a channel: give its name, or a Channel.")
    if len(listed) != count:
        raise InvalidImageError(
            f"{len(listed)} channels are given, but the image has {count}: give one for each."
        )
    own = image.channels or (Channel(),) * count
    return tuple(
        new if isinstance(new, Channel) else replace(old, name=new and str(new))
        for old, new in zip(own, listed, strict=True)
    )
