"""Parts of images, as given on the command line: ranges along axes, and channels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from napari_ferry.cli.axis_values import parse_quantity, refuse_unknown, split_axes
from napari_ferry.errors import InvalidImageError, warn
from napari_ferry.image import Axis, Image
from napari_ferry.image.positions import convert_position, indices_between
from napari_ferry.image.selection import labels_of, select

_FLAG = "--crop"
_EXAMPLE = "t=:100,y=10:200,x=-50:"
_INDEX = re.compile(r"[-+]?\d+")
_POSITION = re.compile(r"[-+.\d].*[^\W\d_]")

Choice = slice | int | str
"""Part of an axis, as in `napari_ferry.imload`."""


def crop_images(
    images: Sequence[Image], crop: Sequence[str], channels: Sequence[str]
) -> list[Image]:
    """Return parts of images, lazily; scale and translation follow.

    Parameters
    ----------
    images : sequence of Image
        Whole images. An axis that an image lacks leaves it unchanged.
    crop : sequence of str
        Ranges of axes by name, such as ``t=:100,y=10um:20um``.
    channels : sequence of str
        Names or indices of channels, separated by commas.

    Raises
    ------
    InvalidImageError
        An axis, an index or a channel does not exist, or nothing is left.

    Warns
    -----
    FerryWarning
        A range exceeds its axis.
    """
    ranges = split_axes(_FLAG, crop, _EXAMPLE) if crop else {}
    if channels and "c" in ranges:
        raise InvalidImageError(f"{_FLAG} c=... and --channel choose channels: give one of them.")
    names = [image.axis_names for image in images]
    refuse_unknown(_FLAG, ranges, names)
    if channels:
        refuse_unknown("--channel", {"c": channels}, names)
    return [_crop(image, ranges, channels) for image in images]


def _crop(image: Image, ranges: Mapping[str, str], channels: Sequence[str]) -> Image:
    """Return a part of one image."""
    partition: dict[str, Choice | list[int | str]] = {
        name: _parse_range(image, name, text)
        for name, text in ranges.items()
        if name in image.axis_names
    }
    if channels and "c" in image.axis_names:
        partition["c"] = _choose_channels(image, channels)
    return select(image, partition) if partition else image


def _choose_channels(image: Image, texts: Sequence[str]) -> int | str | list[int | str]:
    """Return channels by their names and indices; a single one leaves the axis out."""
    known = labels_of(image, "c")
    whole = [[text] if text in known else text.split(",") for text in texts]
    chosen = [_index_or_name(word.strip(), known) for words in whole for word in words]
    return chosen[0] if len(chosen) == 1 else chosen


def _index_or_name(word: str, known: Sequence[str | None]) -> int | str:
    """Return a name along an axis, or else an index; names may be numbers, too."""
    return int(word) if word not in known and _INDEX.fullmatch(word) else word


def _parse_range(image: Image, name: str, text: str) -> Choice:
    """Return a part of an axis: a range of indices or of positions, an index, or a name.

    Raises
    ------
    InvalidImageError
        The text is something else, or the range is empty.
    """
    bounds = text.split(":")
    if len(bounds) == 1:
        known = labels_of(image, name)
        single = _index_or_name(text, known)
        if not any(known) and _POSITION.fullmatch(text):
            raise InvalidImageError(
                f"{_FLAG} {name}={text} is a single position: give a range of positions, such as "
                f"{name}={text}:, or an index."
            )
        if name not in ("y", "x") or isinstance(single, str):
            return single
        bounds = [text, str(single + 1 or "")]  # an image needs y and x

    has_unit = any(each.strip()[-1:].isalpha() for each in bounds)
    axis, size = image.axes[image.axis_names.index(name)], image.size(name)
    part = _slice_positions(axis, size, bounds) if has_unit else _slice_indices(text, bounds)
    if not len(range(size)[part]):
        last = axis.translation + axis.scale * (size - 1)
        places = f", at {axis.translation:g} to {last:g} {axis.unit}" if axis.unit else ""
        raise InvalidImageError(
            f"{_FLAG} {name}={text} is empty: axis {name} has indices 0 to {size - 1}{places}."
        )
    if not has_unit and part.stop is not None and part.stop > size:
        message = f"{_FLAG} {name}={text} ends at {size}, which is the length of axis {name}."
        warn(message)
    return part


def _slice_indices(text: str, bounds: Sequence[str]) -> slice:
    """Return the slice of a range of indices, such as ``10:200`` or ``::2``."""
    values = [each.strip() for each in bounds]
    if len(values) > 3 or not all(_INDEX.fullmatch(value) for value in values if value):
        raise InvalidImageError(
            f"{_FLAG} has the range {text!r}: give indices START:STOP or START:STOP:STEP, or "
            "positions with a unit, such as 10um:20um."
        )
    part = slice(*(int(value) if value else None for value in values))
    if part.step == 0:
        raise InvalidImageError(f"{_FLAG} has the range {text!r}: give a step other than 0.")
    return part


def _slice_positions(axis: Axis, size: int, bounds: Sequence[str]) -> slice:
    """Return the slice of a range of positions, such as ``10um:20um`` or ``10:20um``."""
    start, stop, *step = bounds
    if step:
        raise InvalidImageError(
            f"{_FLAG} {axis.name}={':'.join(bounds)} has positions and a step: give a range of "
            "indices for a step."
        )
    flag = f"{_FLAG} {axis.name}"
    given = [parse_quantity(flag, text) if text.strip() else None for text in (start, stop)]
    units = [quantity[1] for quantity in given if quantity and quantity[1]]
    low, high = (
        None if quantity is None else convert_position(axis, quantity[0], quantity[1] or units[0])
        for quantity in given
    )
    return indices_between(axis, size, low, high)
