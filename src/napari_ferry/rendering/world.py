"""Where images lie in the world that napari shows, and what of it one picture is.

Axes are aligned at their end, as napari does it: the last two of every image are what is seen
first. A point of the world lies in the sample whose center is nearest; an image is seen where the
point lies within it. Images whose units are of one kind share the smallest of them; where kinds do
not go together, numbers are taken as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis, Image
from napari_ferry.image.checks import check_frame_axes, check_not_complex
from napari_ferry.image.image import Kind
from napari_ferry.units import METERS, SECONDS

_Step = TypeVar("_Step", float, NDArray[np.float64])


@dataclass(frozen=True)
class Placed:
    """An image in the world.

    Parameters
    ----------
    image : Image
        Without channels.
    scale, start : numpy.ndarray
        Distance of neighbors and place of index 0, in units of the world; one value for each axis
        but the samples of a color.
    """

    image: Image
    scale: NDArray[np.float64]
    start: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis but the samples of a color."""
        return self.image.shape[: len(self.scale)]

    @property
    def ends(self) -> NDArray[np.float64]:
        """The lowest and the highest place of a center on each axis, shape (2, axes)."""
        last = self.start + (np.array(self.shape) - 1) * self.scale
        return np.stack([np.minimum(self.start, last), np.maximum(self.start, last)])

    def steps(self, level: Array) -> list[float]:
        """Return the distance of neighbors on each axis of a level, in units of the world."""
        sizes = zip(self.scale, self.shape, level.shape, strict=False)
        return [abs(float(scale)) * full / size for scale, full, size in sizes]


@dataclass(frozen=True)
class World:
    """All images together.

    Parameters
    ----------
    placed : tuple of Placed
        The images, from the bottom to the top.
    axes : tuple of Axis
        Name, distance of steps, unit and first step of each axis.
    sizes : tuple of int
        Number of steps on each axis.
    """

    placed: tuple[Placed, ...]
    axes: tuple[Axis, ...]
    sizes: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the axes."""
        return tuple(axis.name for axis in self.axes)

    def point(self, axis: int, step: _Step) -> _Step:
        """Return the place of a step, or of each of several."""
        return self.axes[axis].translation + step * self.axes[axis].scale

    def missing(self, one: Placed) -> int:
        """Return how many of the first axes an image does not have."""
        return len(self.axes) - len(one.scale)

    def edges(self, axis: int) -> tuple[float, float]:
        """Return where the outermost samples begin and end on an axis."""
        found = [
            (one.ends[:, k], abs(one.scale[k]) / 2)
            for one in self.placed
            if (k := axis - self.missing(one)) >= 0
        ]
        return (
            float(min(ends[0] - half for ends, half in found)),
            float(max(ends[1] + half for ends, half in found)),
        )


def make_world(images: Sequence[Image]) -> World:
    """Lay images into one world.

    Parameters
    ----------
    images : sequence of Image
        At least one, without channels.

    Raises
    ------
    InvalidImageError
        An image with a scale of 0, whose last axes are not y x, without samples, or whose samples
        are no numbers that can be drawn.
    """
    for image in images:
        _check(image)
    units = _common_units([_space(image) for image in images])
    placed = tuple(_place(image, units) for image in images)
    return World(placed, *_put_together(placed, units))


def _place(image: Image, units: Mapping[str, str | None]) -> Placed:
    axes = _space(image)
    factors = np.array([_size(a.unit) / _size(units.get(_kind(a.unit), a.unit)) for a in axes])
    scale = np.array([axis.scale for axis in axes])
    return Placed(image, scale * factors, np.array([axis.translation for axis in axes]) * factors)


def _space(image: Image) -> tuple[Axis, ...]:
    """Return the axes but the samples of a color."""
    return image.axes[:-1] if image.is_rgb else image.axes


def _check(image: Image) -> None:
    named = image.name or "An image"
    check_frame_axes(image, "to be drawn", only_last="s")
    if any(axis.scale == 0 or not np.isfinite(axis.scale) for axis in image.axes):
        raise InvalidImageError(
            f"{named} has an axis whose scale is 0 or no number, so it covers nothing: give each "
            "axis a scale."
        )
    if not all(np.isfinite(axis.translation) for axis in image.axes):
        raise InvalidImageError(
            f"{named} has an axis whose translation is no finite number, so it lies nowhere: give "
            "each axis one, such as 0."
        )
    if 0 in image.shape:
        raise InvalidImageError(
            f"{named} has the shape {image.shape}, so it has no samples: leave it out."
        )
    _check_dtype(image.kind, image.dtype, named)


def _check_dtype(kind: Kind, dtype: np.dtype[Any], named: str) -> None:
    check_not_complex(dtype, named, "in a drawing")
    if dtype.kind not in ("biu" if kind == "labels" else "biuf"):
        raise InvalidImageError(
            f"{named} has {'labels' if kind == 'labels' else 'samples'} of {dtype}, expected "
            f"{'whole' if kind == 'labels' else 'real'} numbers: convert the array first."
        )


def _common_units(axes: Sequence[Sequence[Axis]]) -> dict[str, str | None]:
    """Return the smallest unit of each kind; none where the kinds do not go together."""
    kinds = [[_kind(axis.unit) for axis in each] for each in axes]
    longest = max(kinds, key=len)
    if any(kind != longest[-len(kind) :] for kind in kinds):
        return {}
    found = sorted((axis.unit for each in axes for axis in each), key=_size, reverse=True)
    return {_kind(unit): unit for unit in found}


def _kind(unit: str | None) -> str:
    """Return what a unit measures."""
    return "length" if unit in METERS else "time" if unit in SECONDS else unit or "pixel"


def _size(unit: str | None) -> float:
    """Return a unit in metres or seconds, 1 for any other."""
    return METERS.get(unit or "") or SECONDS.get(unit or "") or 1.0


def _put_together(
    placed: Sequence[Placed], units: Mapping[str, str | None]
) -> tuple[tuple[Axis, ...], tuple[int, ...]]:
    """Return the axes of a world, and how many steps each has."""
    ndim = max(len(one.scale) for one in placed)
    named = next(_space(one.image) for one in placed if len(one.scale) == ndim)
    axes, sizes = [], []
    for k in range(-ndim, 0):
        here = [one for one in placed if -k <= len(one.scale)]
        low = min(float(one.ends[0, k]) for one in here)
        high = max(float(one.ends[1, k]) for one in here)
        step = min(abs(float(one.scale[k])) for one in here)
        unit = units.get(_kind(named[k].unit), named[k].unit)
        axes.append(Axis(named[k].name, step, unit, low))
        sizes.append(round((high - low) / step) + 1)
    return tuple(axes), tuple(sizes)
