"""Parts of images by the indices and names along their axes, and other orders of axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_ferry.arguments import is_whole
from napari_ferry.arrays import Array
from napari_ferry.arrays.axis_view import Indices, as_indices, view_axes
from napari_ferry.errors import InvalidImageError, warn
from napari_ferry.image.axes import LABELS, Axis, Channel, parse_axes
from napari_ferry.image.channel_displays import channel_displays
from napari_ferry.image.image import Image
from napari_ferry.image.plane_entries import order_planes, part_of_planes
from napari_ferry.image.record import CHANNEL_AXIS, CHANNEL_DISPLAYS


@dataclass(frozen=True)
class _Choice:
    """Indices to keep along an axis; the axis is left out if `is_single`."""

    indices: Indices
    is_single: bool = False


def select_all(images: Sequence[Image], partition: Mapping[str, object]) -> list[Image]:
    """Return a part of each image, lazily.

    An image that lacks an axis of the partition is left unchanged along it.

    Parameters and errors are those of `select`; an axis is in one of the images at least.
    """
    _check_partition(partition, list(dict.fromkeys(n for each in images for n in each.axis_names)))
    return [
        select(
            image,
            {key: own for key, own in partition.items() if str(key).lower() in image.axis_names},
        )
        for image in images
    ]


def select(image: Image, partition: Mapping[str, object]) -> Image:
    """Return a part of an image, lazily; scale and translation follow.

    Parameters
    ----------
    image : Image
        The whole image. Of a pyramid, only levels with the full length of the selected axes are
        kept.
    partition : mapping
        For axes, in any case: a slice, or a sequence of indices or of names; an index or a name
        alone leaves the axis out. Names are those of channels and other labels.

    Raises
    ------
    InvalidImageError
        An axis, an index or a name does not exist, or nothing is left.

    Warns
    -----
    FerryWarning
        Indices of a calibrated axis are not evenly spaced.
    """
    names = image.axis_names
    _check_partition(partition, names)
    choices: dict[int, _Choice] = {}
    for key, chosen in partition.items():
        name = str(key).lower()
        choices[names.index(name)] = _choose(image, name, chosen)

    indices = {axis: choice.indices for axis, choice in choices.items()}
    order = [k for k in range(image.ndim) if k not in choices or not choices[k].is_single]
    axes = [_part_of_axis(axis, indices.get(k)) for k, axis in enumerate(image.axes)]
    channels, display = _part_of_channels(image, choices)
    return replace(
        image,
        levels=tuple(view_axes(level, order, indices) for level in _levels(image, indices)),
        axes=tuple(axes[k] for k in order),
        channels=channels,
        display=display,
        metadata={**_part_of_labels(image, choices), **part_of_planes(image, indices)},
    )


def _check_partition(partition: object, names: Sequence[str]) -> None:
    """Refuse something other than a mapping from some of the axes.

    Raises
    ------
    InvalidImageError
        It is not a mapping, or names another axis.
    """
    if not isinstance(partition, Mapping):
        raise InvalidImageError(
            f"The partition is {partition!r}: give a mapping, such as {{'t': slice(0, 10)}}."
        )
    unknown = [key for key in partition if str(key).lower() not in names]
    if unknown:
        raise InvalidImageError(
            f"The partition names axis {unknown[0]!r}, but the image has the axes "
            f"{' '.join(names)}: name some of these."
        )


def order_axes(image: Image, order: str | Sequence[str]) -> Image:
    """Return an image with its axes in another order, lazily; missing axes get length 1.

    Parameters
    ----------
    image : Image
        The image.
    order : str or sequence of str
        Names of axes, in any case. Those of length 1 that it does not name are left out; the
        samples of a color remain last.

    Raises
    ------
    InvalidImageError
        The order lacks an axis that is longer than 1, or repeats one.
    """
    wanted = parse_axes(order)
    own = image.axis_names
    wanted = (*wanted, "s") if "s" in own and "s" not in wanted else wanted
    lacking = [name for name in own if name not in wanted and (image.size(name) > 1)]
    lacking += [name for name in ("y", "x") if name not in wanted]
    if lacking or len(set(wanted)) < len(wanted):
        fault = f"lacks axis {lacking[0]}" if lacking else "repeats an axis"
        raise InvalidImageError(
            f"The order {' '.join(wanted)} {fault}, but the image has the axes {' '.join(own)}: "
            "name each of them once."
        )

    known = dict(zip(own, image.axes, strict=True))
    places = [own.index(name) if name in own else None for name in wanted]
    has_c = "c" in wanted or "c" not in own
    return replace(
        image,
        levels=tuple(view_axes(level, places) for level in image.levels),
        axes=tuple(known.get(name, Axis(name)) for name in wanted),
        channels=image.channels if has_c else image.channels[:1],
        metadata={**image.metadata, **order_planes(image, wanted)},
    )


def _choose(image: Image, name: str, chosen: object) -> _Choice:
    """Return the indices of an axis chosen by the user.

    Raises
    ------
    InvalidImageError
        The axis may not be left out, an index or a name does not exist, or nothing is left.
    """
    n = image.size(name)
    if isinstance(chosen, slice):
        parts = (chosen.start, chosen.stop, chosen.step)
        if not all(part is None or is_whole(part) for part in parts) or chosen.step == 0:
            raise InvalidImageError(
                f"The partition of axis {name} is {chosen}: give whole numbers to slice, and a "
                "step other than 0."
            )
        indices: Indices = range(n)[chosen]
    elif isinstance(chosen, Sequence | np.ndarray) and not isinstance(chosen, str | bytes):
        indices = as_indices([_find_index(image, name, item) for item in chosen])
    elif name in ("y", "x"):
        raise InvalidImageError(
            f"The partition of axis {name} is {chosen!r}, but an image needs y and x: give a slice."
        )
    else:
        index = _find_index(image, name, chosen)
        return _Choice(range(index, index + 1), is_single=True)

    if not len(indices):
        raise InvalidImageError(
            f"The partition {chosen} selects nothing of axis {name}, whose length is {n}: give "
            f"indices from 0 to {n - 1}."
        )
    return _Choice(indices)


def _find_index(image: Image, name: str, item: object) -> int:
    """Return the index of a name along an axis, or of an index, possibly counted from the end.

    Raises
    ------
    InvalidImageError
        It does not exist.
    """
    n = image.size(name)
    if is_whole(item) and -n <= item < n:
        return int(item) % n
    if is_whole(item):
        raise InvalidImageError(
            f"Index {item} of axis {name} does not exist: give a number from 0 to {n - 1}."
        )

    known = labels_of(image, name)
    if item not in known:
        names = f"the names {', '.join(map(str, known))}" if any(known) else "no names"
        raise InvalidImageError(
            f"{item!r} is not a name along axis {name}, which has {names}: give one of its names, "
            f"or an index from 0 to {n - 1}."
        )
    return known.index(str(item))


def labels_of(image: Image, name: str) -> list[str | None]:
    """Return the names of channels or other labels along an axis; empty if there are none."""
    if name == "c":
        return [channel.name for channel in image.channels]
    labels = image.metadata.get(LABELS)
    own = labels.get(name) if isinstance(labels, Mapping) else None
    is_complete = isinstance(own, list | tuple) and len(own) == image.size(name)
    return [str(label) for label in own] if is_complete else []  # type: ignore[union-attr]


def _part_of_axis(axis: Axis, indices: Indices | None) -> Axis:
    """Return an axis at some of its indices.

    Warns
    -----
    FerryWarning
        Its indices are not evenly spaced, and it is calibrated.
    """
    if indices is None or axis == Axis("c"):  # channels have no positions
        return axis
    start = axis.translation + axis.scale * indices[0]
    if isinstance(indices, range):
        step = indices.step if len(indices) > 1 else 1
        # adding 0 to a translation would change -0.0
        return replace(axis, scale=axis.scale * step, translation=start)

    is_calibrated = axis != Axis(axis.name)
    if is_calibrated and axis.name != "c":
        warn(
            f"The indices of axis {axis.name}, in a partition or a list of files, are not evenly "
            "spaced: its scale and unit are left out; sorted files keep them."
        )
    return axis if axis.name == "c" else Axis(axis.name)


def _levels(image: Image, indices: Mapping[int, Indices]) -> Sequence[Array]:
    """Return the levels at full length along each selected axis."""
    return [
        level
        for level in image.levels
        if all(level.shape[axis] == image.shape[axis] for axis in indices)
    ]


def _part_of_channels(
    image: Image, choices: Mapping[int, _Choice]
) -> tuple[tuple[Channel, ...], Mapping[str, Any]]:
    """Return the channels in a part of an image, and its display."""
    choice = choices.get(image.axis_names.index("c")) if "c" in image.axis_names else None
    if choice is None:
        return image.channels, image.display
    channels = tuple(image.channels[i] for i in choice.indices) if image.channels else ()
    if CHANNEL_DISPLAYS not in image.display and not choice.is_single:
        return channels, image.display

    displays = channel_displays(image.display, image.size("c"))
    kept = [displays[i] for i in choice.indices]
    if not choice.is_single:
        return channels, {**image.display, CHANNEL_DISPLAYS: kept}
    shared = {
        key: value
        for key, value in image.display.items()
        if key not in (CHANNEL_DISPLAYS, CHANNEL_AXIS)
    }
    own = {key: value for key, value in kept[0].items() if key != "metadata"}
    return channels, {**shared, **own}


def _part_of_labels(image: Image, choices: Mapping[int, _Choice]) -> Mapping[str, Any]:
    """Return the metadata of a part of an image, with the labels of the chosen indices."""
    labels = image.metadata.get(LABELS)
    if not isinstance(labels, Mapping):
        return image.metadata
    kept = dict(labels)
    for axis, choice in choices.items():
        name = image.axis_names[axis]
        own = labels_of(image, name) if name in kept and name != "c" else []
        if own:
            kept[name] = [own[i] for i in choice.indices]
    return {**image.metadata, LABELS: kept}
