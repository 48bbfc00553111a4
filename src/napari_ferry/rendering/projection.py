"""Projection of thick slices onto the plane of a picture."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import is_text
from napari_ferry.arrays import Array, BlockReader, Region
from napari_ferry.arrays.regions import region_shape
from napari_ferry.errors import InvalidImageError

Projection = Literal["mean", "max", "min", "sum"]

ALL = "all"
"""Thickness of a whole axis, or of all other axes than the frame axis."""

_NUMBER = r"\d+(?:\.\d*)?(?:e[+-]?\d+)?"
# names may contain spaces, as labels of sliders do
_ENTRY = re.compile(rf"[\s,]*([^=]*?[^=\s,])\s*=\s*({ALL}|{_NUMBER})(?:\+({_NUMBER}))?")


def parse_thickness(
    thickness: str | None, names: Collection[str]
) -> dict[str, tuple[float, float]]:
    """Return the parts of a thick slice before and after its position on each named axis, in steps.

    Parameters
    ----------
    thickness : str, optional
        Option of `render`.
    names : collection of str
        Names of the axes that can be projected.

    Raises
    ------
    InvalidImageError
        The text is not valid, or names another axis.

    Examples
    --------
    >>> parse_thickness("z=4 t=1+2", ["t", "z"])
    {'z': (2.0, 2.0), 't': (1.0, 2.0)}
    """
    text = thickness or ""
    if not is_text(text) or _ENTRY.sub("", text).strip(" ,"):
        raise InvalidImageError(
            f"The thickness is {thickness!r}: give a number of steps for an axis, such as 'z=4', "
            "those before and after the position, such as 'z=1+3', 'z=all', or 'all' for all axes "
            "but the frame axis."
        )

    margins: dict[str, tuple[float, float]] = {}
    for name, before, after in _ENTRY.findall(text):
        if name not in names or name in margins:
            found = "twice" if name in margins else "which is not outside the plane"
            raise InvalidImageError(
                f"The thickness {thickness!r} names the axis {name}, {found}: name each of the "
                f"axes {' '.join(names)} once at most."
            )
        total = math.inf if before == ALL else float(before)
        margins[name] = (total, float(after)) if after else (total / 2, total / 2)
    return margins


def projected_dtype(dtype: np.dtype[Any], mode: Projection | None) -> np.dtype[Any]:
    """Return the data type of a projection, as numpy chooses it; None is not a projection."""
    if mode is None:
        return dtype
    if mode in ("max", "min"):
        return dtype.newbyteorder("=")
    reduce = np.sum if mode == "sum" else np.mean
    return np.asarray(reduce(np.zeros(1, dtype))).dtype


def project(array: Array, region: Region, axes: Sequence[int], mode: Projection) -> NDArray[Any]:
    """Read a region and project it along axes; these remain with a length of 1.

    Blocks are read one after the other, because a thick slice can be larger than the memory.
    """
    shape = [1 if k in axes else n for k, n in enumerate(region_shape(region))]
    reduce = {"max": np.maximum, "min": np.minimum}.get(mode, np.add)
    dtype = projected_dtype(np.dtype(array.dtype), mode)
    # sums of many floats require more precision than the samples have
    wide = dtype if mode in ("max", "min") or dtype.kind in "iu" else np.dtype(np.float64)
    found = np.empty(shape, wide)

    with np.errstate(over="ignore", invalid="ignore"):
        for start, pixels in BlockReader(array, region):
            part = reduce.reduce(pixels, tuple(axes), wide.type, keepdims=True)
            at = tuple(
                slice(0, 1) if k in axes else slice(first, first + n)
                for k, (first, n) in enumerate(zip(start, part.shape, strict=True))
            )
            is_first = all(start[k] == 0 for k in axes)
            found[at] = part if is_first else reduce(found[at], part)
        if mode == "mean":
            found /= math.prod(region_shape(region)[k] for k in axes)
        return found.astype(dtype)
