"""Frame axis of a movie, and the position on the other axes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from napari_ferry.arguments import is_text
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image

# names may contain spaces, as labels of sliders do
_INDEX = re.compile(r"[\s,]*([^=]*?[^=\s,])\s*=\s*([+-]?\d+)")


def leading_sizes(image: Image) -> dict[str, int]:
    """Return the name and length of each axis before those of a frame."""
    lead = image.ndim - image.frame_ndim
    return dict(zip(image.axis_names[:lead], image.shape, strict=False))


def choose_frame_axis(
    sizes: Mapping[str, int], axis: str | None, position: str | None
) -> tuple[int | None, tuple[int, ...]]:
    """Choose the frame axis and an index on each other axis.

    Parameters
    ----------
    sizes : mapping of str to int
        Name and length of each axis before those of a frame, in order.
    axis, position : str, optional
        Options of `choose_movie`.

    Returns
    -------
    frame_axis : int or None
        Number of the frame axis; ``None`` for a single frame.
    position : tuple of int
        Index on each of the axes; that on the frame axis has no meaning.

    Raises
    ------
    InvalidImageError
        An axis or an index does not exist, or one has to be chosen by the caller.
    """
    given = _parse_position(position, sizes)
    frame_axis = _find_frame_axis(sizes, axis, given)
    return frame_axis, _complete_position(sizes, frame_axis, given)


def find_other_axes(sizes: Mapping[str, int], axis: str | None, position: str | None) -> list[str]:
    """Return the axes of several positions besides the frame axis that have not been given one.

    Parameters
    ----------
    sizes, axis, position
        As for `choose_frame_axis`.

    Raises
    ------
    InvalidImageError
        An axis or an index does not exist, or the frame axis has to be chosen by the caller.

    Examples
    --------
    >>> find_other_axes({"t": 20, "p": 2, "z": 5}, None, "p=1")
    ['z']
    """
    given = _parse_position(position, sizes)
    frame_axis = _find_frame_axis(sizes, axis, given)
    free = [name for k, name in enumerate(sizes) if k != frame_axis and name not in given]
    return [name for name in free if sizes[name] > 1]


def _parse_position(position: str | None, sizes: Mapping[str, int]) -> dict[str, int]:
    """Parse a position such as ``"z=3 c=0"``."""
    text = position or ""
    if not is_text(text) or _INDEX.sub("", text).strip(" ,"):
        raise InvalidImageError(
            f"The position is {position!r}: give an index for each axis, such as 'z=3 c=0'."
        )

    entries = _INDEX.findall(text)
    for name, index in entries:
        if name not in sizes:
            raise InvalidImageError(
                f"The position names the axis {name}, but {_available(sizes)}: remove it from the "
                "position."
            )
        if not 0 <= int(index) < sizes[name]:
            raise InvalidImageError(
                f"The position is {name}={index}, but {name} has {sizes[name]} indices: give one "
                f"from 0 to {sizes[name] - 1}."
            )

    if len(dict(entries)) < len(entries):
        raise InvalidImageError(
            f"The position {position!r} names an axis twice: name each axis once."
        )
    return {name: int(index) for name, index in entries}


def _find_frame_axis(
    sizes: Mapping[str, int], axis: str | None, given: Mapping[str, int]
) -> int | None:
    """Return the number of the frame axis; ``None`` for a single frame."""
    names = list(sizes)
    if axis is not None:
        return _index_of(axis, names, given)

    # an axis of length 1 is a candidate only if all are
    free = [k for k, name in enumerate(names) if name not in given]
    long = [k for k in free if sizes[names[k]] > 1] or free
    times = [k for k in long if names[k] == "t"]

    if len(long) > 1 and not times and sizes[names[long[0]]] > 1:
        each = ", ".join(f"{names[k]} ({sizes[names[k]]})" for k in long)
        raise InvalidImageError(
            f"Any of the axes {each} could be the frame axis: choose one, such as "
            f"axis={names[long[0]]!r}, and the position on the others, such as "
            f"position={_example(names, long[1:])!r}."
        )
    return next(iter((*times, *long)), None)


def _index_of(axis: str, names: Sequence[str], given: Mapping[str, int]) -> int:
    if axis not in names:
        cure = "choose one of these axes" if names else "do not choose a frame axis"
        raise InvalidImageError(f"The frame axis is {axis!r}, but {_available(names)}: {cure}.")
    if axis in given:
        raise InvalidImageError(
            f"The axis {axis} is the frame axis and also has a position: remove it from the "
            "position, or choose another frame axis."
        )
    return names.index(axis)


def _complete_position(
    sizes: Mapping[str, int], frame_axis: int | None, given: Mapping[str, int]
) -> tuple[int, ...]:
    """Return an index on each axis; axes longer than 1 must have been given one."""
    names = list(sizes)
    missing = [
        k
        for k, name in enumerate(names)
        if k != frame_axis and sizes[name] > 1 and name not in given
    ]
    if missing and frame_axis is not None:
        each = ", ".join(f"{names[k]} ({sizes[names[k]]})" for k in missing)
        raise InvalidImageError(
            f"The frame axis is {names[frame_axis]}, and the position on the axes {each} is not "
            f"given: give one, such as position={_example(names, missing)!r}, or a projection, "
            "such as thickness='all', projection='max'."
        )
    return tuple(given.get(name, 0) for name in names)


def _available(names: Collection[str]) -> str:
    return f"the image has {' '.join(names) or 'only the axes of a frame'}"


def _example(names: Sequence[str], axes: Sequence[int]) -> str:
    return " ".join(f"{names[k]}=0" for k in axes)
