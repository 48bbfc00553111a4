"""Which axis of an image runs, and where the others stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from napari_ferry.arguments import is_text
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image

# names may have spaces, as labels of sliders do
_PLACE = re.compile(r"[\s,]*([^=]*?[^=\s,])\s*=\s*([+-]?\d+)")


def leading_sizes(image: Image) -> dict[str, int]:
    """Return name and length of each axis that the frames of an image do not have."""
    lead = image.ndim - image.frame_ndim
    return dict(zip(image.axis_names[:lead], image.shape, strict=False))


def choose_frame_axis(
    sizes: Mapping[str, int], axis: str | None, position: str | None
) -> tuple[int | None, tuple[int, ...]]:
    """Return the number of the axis that runs, and an index on each axis that frames do not have.

    Parameters
    ----------
    sizes : mapping of str to int
        Name and length of each of these axes, in order.
    axis, position : str, optional
        What was asked for, as in `choose_movie`.

    Raises
    ------
    InvalidImageError
        An axis or a place that does not exist, or one that is not said.
    """
    given = _parse_position(position, sizes)
    running = _running_axis(sizes, axis, given)
    return running, _places(sizes, running, given)


def _parse_position(position: str | None, sizes: Mapping[str, int]) -> dict[str, int]:
    """Read ``"z=3 c=0"``."""
    text = position or ""
    if not is_text(text) or _PLACE.sub("", text).strip(" ,"):
        raise InvalidImageError(
            f"The position is {position!r}: name axes and indices, such as 'z=3 c=0'."
        )
    found = _PLACE.findall(text)
    for name, index in found:
        if name not in sizes:
            raise InvalidImageError(
                f"The position names the axis {name}, and the image has "
                f"{' '.join(sizes) or 'no axis besides y and x'}: leave it out."
            )
        if not 0 <= int(index) < sizes[name]:
            raise InvalidImageError(
                f"The position is {name}={index}, and {name} has {sizes[name]} indices: give one "
                f"from 0 to {sizes[name] - 1}."
            )
    if len(dict(found)) < len(found):
        raise InvalidImageError(f"The position {position!r} names an axis twice: name it once.")
    return {name: int(index) for name, index in found}


def _running_axis(
    sizes: Mapping[str, int], axis: str | None, given: Mapping[str, int]
) -> int | None:
    """Return the number of the axis that runs; ``None`` where there is nothing but one frame."""
    names = list(sizes)
    if axis is not None and axis in names:
        if axis in given:
            raise InvalidImageError(
                f"The axis {axis} runs and has a position, too: leave out one of them."
            )
        return names.index(axis)
    if axis is not None:
        raise InvalidImageError(
            f"The axis {axis!r} is to run, and the image has "
            f"{' '.join(names) or 'none besides y and x'}: choose one of them."
        )
    free = [k for k, name in enumerate(names) if name not in given]
    long = [k for k in free if sizes[names[k]] > 1] or free
    times = [k for k in long if names[k] == "t"]
    if len(long) > 1 and not times and sizes[names[long[0]]] > 1:
        each = ", ".join(f"{names[k]} ({sizes[names[k]]})" for k in long)
        raise InvalidImageError(
            f"Any of the axes {each} could run: choose it with axis={names[long[0]]!r}, and where "
            f"the others stand with position={_example(names, long[1:])!r}."
        )
    return next(iter((*times, *long)), None)


def _places(
    sizes: Mapping[str, int], running: int | None, given: Mapping[str, int]
) -> tuple[int, ...]:
    """Return an index on each leading axis, refusing to choose one where there are several."""
    names = list(sizes)
    missing = [
        k for k, name in enumerate(names) if k != running and sizes[name] > 1 and name not in given
    ]
    if missing and running is not None:
        each = ", ".join(f"{names[k]} ({sizes[names[k]]})" for k in missing)
        raise InvalidImageError(
            f"The movie runs along {names[running]}, and it is not said where the axes {each} "
            f"stand: give position={_example(names, missing)!r}, or any other index."
        )
    return tuple(given.get(name, 0) for name in names)


def _example(names: Sequence[str], axes: Sequence[int]) -> str:
    return " ".join(f"{names[k]}=0" for k in axes)
