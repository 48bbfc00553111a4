"""Images split over files along some of their axes, and joined again.

Each part is an image without these axes. It carries the description of the whole image, so that the
order of channels, the scale of the axes and all else are restored, whatever the names of the files.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from napari_ferry.arrays.array_layout import Placeholder
from napari_ferry.arrays.axis_view import as_indices, view_axes
from napari_ferry.errors import InvalidImageError
from napari_ferry.files.labels import file_labels, numbers_as_labels
from napari_ferry.image.axes import Axis
from napari_ferry.image.image import Image
from napari_ferry.image.record import Description, describe, parse_description
from napari_ferry.image.selection import labels_of, select

KEY = "ferry_split"
"""Key of `Image.metadata`: the whole image of a part, and the labels along its split axes."""

NUMBERED = ("t", "z", "c")
"""Axes that are numbered from 0 in names of files, whatever their scale."""

_MOST_PARTS = 10_000_000
"""More files than a folder has; a damaged record may have any number."""

Labels = Mapping[str, Sequence[str]]
"""Labels along axes, slowest axis first, as in names of files."""


@dataclass(frozen=True, kw_only=True)
class SplitRecord:
    """Description of the whole image, stored in each part.

    Parameters
    ----------
    whole : Description
        The whole image.
    labels : Labels
        Labels of all indices along each split axis.
    number : int
        Number of the image among those of a save.
    """

    whole: Description
    labels: Labels
    number: int

    @classmethod
    def of(cls, image: Image) -> Self | None:
        """Return the record in a part, or ``None`` for another image or a damaged record."""
        record = image.metadata.get(KEY)
        if not isinstance(record, Mapping):
            return None
        whole, labels = parse_description(record.get("image")), record.get("labels")
        if whole is None or not isinstance(labels, Mapping) or not {*labels} <= {*whole.sizes}:
            return None
        texts = {axis: _stored_labels(own) for axis, own in labels.items()}
        if any(len({*own}) != whole.sizes[axis] for axis, own in texts.items()):
            return None
        number = record.get("number")
        return cls(whole=whole, labels=texts, number=number if isinstance(number, int) else 0)

    def describes(self, labels: Labels) -> bool:
        """Return True if labels are among those along the same axes of the whole image."""
        return labels.keys() == self.labels.keys() and all(
            {*own} <= {*self.labels[axis]} for axis, own in labels.items()
        )


def _stored_labels(stored: object) -> tuple[str, ...]:
    """Return the labels in a record: a list, or the count of labels numbered from 0.

    A list of numbers in each of many files would cost more than their pixels.
    """
    if isinstance(stored, int) and 0 < stored <= _MOST_PARTS:
        return tuple(_numbered(stored))
    return tuple(map(str, stored)) if isinstance(stored, Sequence) else ()


def _numbered(count: int) -> list[str]:
    """Return the numbers from 0 as labels."""
    return numbers_as_labels(list(range(count)))


def split_image(image: Image, axes: Sequence[str], number: int) -> list[tuple[Labels, Image]]:
    """Split an image along axes into parts, lazily.

    Parameters
    ----------
    image : Image
        The whole image.
    axes : sequence of str
        Axes of the image, slowest first.
    number : int
        Number of the image among those of a save.

    Returns
    -------
    list of (Labels, Image)
        Each part with its label along each axis, alone in a tuple.

    Raises
    ------
    InvalidImageError
        The name of an axis is not a word of letters.
    """
    odd = next((axis for axis in axes if not (axis.isascii() and axis.isalpha())), None)
    if odd is not None:
        raise InvalidImageError(
            f"Axis {odd!r} cannot be in the name of a file: rename it to a word of letters."
        )

    own = {key: value for key, value in image.metadata.items() if key != KEY}
    whole = replace(image, metadata=own)
    labels = {axis: _file_labels(image, axis) for axis in axes}
    record = {
        "image": describe(whole),
        "labels": {
            axis: len(each) if [*each] == _numbered(len(each)) else list(each)
            for axis, each in labels.items()
        },
        "number": number,
    }

    parts: list[tuple[Labels, Image]] = []
    for indices in itertools.product(*(range(image.size(axis)) for axis in axes)):
        chosen = dict(zip(axes, indices, strict=True))
        part = select(whole, chosen)
        part = replace(part, metadata={**part.metadata, KEY: record})
        parts.append(({axis: (labels[axis][i],) for axis, i in chosen.items()}, part))
    return parts


def join_parts(parts: Image, labels: Labels, record: SplitRecord) -> Image:
    """Return the whole image, or as much of it as exists.

    Parameters
    ----------
    parts : Image
        The parts in a grid, whose axes precede those of a part.
    labels : Labels
        Labels along the axes of the grid, in its order.
    record : SplitRecord
        Record of one of the parts.

    Returns
    -------
    Image
        The image of the record; `parts` unchanged if they do not fit it.
    """
    whole = record.whole
    indices = {
        axis: as_indices([record.labels[axis].index(label) for label in own])
        for axis, own in labels.items()
    }
    names = [*labels, *(axis.name for axis in whole.axes if axis.name not in labels)]
    expected = tuple(len(indices[name]) if name in indices else whole.sizes[name] for name in names)
    if parts.axis_names != tuple(names) or parts.shape != expected:
        return parts
    order = [names.index(axis.name) for axis in whole.axes]
    placeholder = Placeholder(whole.shape, parts.dtype)
    part = select(whole.to_image(placeholder), {axis: [*own] for axis, own in indices.items()})
    return replace(part, levels=tuple(view_axes(level, order) for level in parts.levels))


def restore_single(image: Image) -> Image:
    """Return the whole image of its only part; any other image unchanged."""
    record = SplitRecord.of(image)
    if record is None or any(len(own) > 1 for own in record.labels.values()):
        return image
    new = [None] * len(record.labels)
    grid = replace(
        image,
        levels=tuple(view_axes(level, [*new, *range(image.ndim)]) for level in image.levels),
        axes=(*map(Axis, record.labels), *image.axes),
        channels=(),
    )
    return join_parts(grid, record.labels, record)


def _file_labels(image: Image, axis: str) -> tuple[str, ...]:
    """Return the labels of an axis in names of files: its own, its positions, or numbers from 0."""
    own = labels_of(image, axis) or _whole_positions(image, axis) or [None] * image.size(axis)
    if all(label is not None and label.isdecimal() and label.isascii() for label in own):
        own = [*numbers_as_labels([int(label or 0) for label in own])]
    return tuple(file_labels(own))


def _whole_positions(image: Image, axis: str) -> list[str | None]:
    """Return the positions along an axis if they are numbers of things, not times or places."""
    found = image.axis(axis)
    if found is None or axis in NUMBERED:
        return []
    positions = [float(found.translation + i * found.scale) for i in range(image.size(axis))]
    is_whole = all(0 <= position < 1e9 and position.is_integer() for position in positions)
    return [str(int(position)) for position in positions] if is_whole else []
