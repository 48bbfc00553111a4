"""Place images in napari's world coordinates.

As in napari, axes are aligned at their end: the last two axes of each image are the displayed ones
by default. A point in the world belongs to the sample with the nearest center, and an image is
visible at the points inside it. If the units of all images measure the same quantities, each
quantity uses its smallest unit; otherwise units are ignored and numbers are used unchanged.
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
class PlacedImage:
    """Image in world coordinates.

    Parameters
    ----------
    image : Image
        Image without channels.
    scale, start : numpy.ndarray
        Distance between samples and coordinate of index 0, in units of the world; one value for
        each axis except color samples.
    """

    image: Image
    scale: NDArray[np.float64]
    start: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis except color samples."""
        return self.image.shape[: len(self.scale)]

    @property
    def ends(self) -> NDArray[np.float64]:
        """Lowest and highest coordinate of a sample center on each axis, shape (2, axes)."""
        last = self.start + (np.array(self.shape) - 1) * self.scale
        return np.stack([np.minimum(self.start, last), np.maximum(self.start, last)])

    def steps(self, level: Array) -> list[float]:
        """Return the distance between samples on each axis of a level, in units of the world."""
        sizes = zip(self.scale, self.shape, level.shape, strict=False)
        return [abs(float(scale)) * full / size for scale, full, size in sizes]


@dataclass(frozen=True)
class World:
    """All images in common coordinates.

    Parameters
    ----------
    images : tuple of PlacedImage
        Images from bottom to top.
    axes : tuple of Axis
        Axes with name, distance between steps, unit and coordinate of the first step.
    sizes : tuple of int
        Number of steps on each axis.
    """

    images: tuple[PlacedImage, ...]
    axes: tuple[Axis, ...]
    sizes: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the axes."""
        return tuple(axis.name for axis in self.axes)

    def coordinate(self, axis: int, step: _Step) -> _Step:
        """Return the world coordinate of one or several steps on an axis."""
        return self.axes[axis].translation + step * self.axes[axis].scale

    def missing_axes(self, placed: PlacedImage) -> int:
        """Return the number of leading axes missing from an image."""
        return len(self.axes) - len(placed.scale)

    def edges(self, axis: int) -> tuple[float, float]:
        """Return the outer edges of the outermost samples on an axis."""
        extents = [
            (placed.ends[:, k], abs(placed.scale[k]) / 2)
            for placed in self.images
            if (k := axis - self.missing_axes(placed)) >= 0
        ]
        return (
            float(min(ends[0] - half for ends, half in extents)),
            float(max(ends[1] + half for ends, half in extents)),
        )


def make_world(images: Sequence[Image]) -> World:
    """Place images in common coordinates.

    Parameters
    ----------
    images : sequence of Image
        At least one image, without channels.

    Raises
    ------
    InvalidImageError
        An image has a scale of 0, does not end with the axes y x, has no samples, or has samples of
        a type that cannot be drawn.
    """
    for image in images:
        _check(image)
    units = _common_units([_world_axes_of(image) for image in images])
    placed = tuple(_to_world(image, units) for image in images)
    return World(placed, *_combine_axes(placed, units))


def _to_world(image: Image, units: Mapping[str, str | None]) -> PlacedImage:
    """Convert the calibration of an image to common units."""
    axes = _world_axes_of(image)
    factors = np.array(
        [_unit_size(a.unit) / _unit_size(units.get(_quantity(a.unit), a.unit)) for a in axes]
    )
    scale = np.array([axis.scale for axis in axes])
    start = np.array([axis.translation for axis in axes])
    return PlacedImage(image, scale * factors, start * factors)


def _world_axes_of(image: Image) -> tuple[Axis, ...]:
    """Return the axes of an image except color samples."""
    return image.axes[:-1] if image.is_rgb else image.axes


def _check(image: Image) -> None:
    """Refuse images without valid coordinates, or without samples."""
    name = image.name or "An image"
    check_frame_axes(image, "to be drawn", only_last="s")

    # a scale of 0 or NaN has no extent, and an infinite translation no position
    if any(axis.scale == 0 or not np.isfinite(axis.scale) for axis in image.axes):
        raise InvalidImageError(
            f"{name} has an axis with a scale of 0 or a scale that is not finite: give each "
            "axis a finite scale other than 0."
        )
    if not all(np.isfinite(axis.translation) for axis in image.axes):
        raise InvalidImageError(
            f"{name} has an axis with a translation that is not finite: give each axis a finite "
            "translation, such as 0."
        )
    if 0 in image.shape:
        raise InvalidImageError(
            f"{name} has the shape {image.shape} and therefore no samples: leave it out."
        )
    _check_dtype(image.kind, image.dtype, name)


def _check_dtype(kind: Kind, dtype: np.dtype[Any], name: str) -> None:
    """Refuse samples other than real numbers, and labels other than integers."""
    check_not_complex(dtype, name, "in a drawing")
    if dtype.kind not in ("biu" if kind == "labels" else "biuf"):
        raise InvalidImageError(
            f"{name} has {'labels' if kind == 'labels' else 'samples'} of {dtype}, expected "
            f"{'integers' if kind == 'labels' else 'real numbers'}: convert the array first."
        )


def _common_units(axes: Sequence[Sequence[Axis]]) -> dict[str, str | None]:
    """Return the smallest unit of each quantity, none if images disagree about quantities."""
    quantities = [[_quantity(axis.unit) for axis in each] for each in axes]
    longest = max(quantities, key=len)
    if any(each != longest[-len(each) :] for each in quantities):
        return {}

    # the last and smallest unit of a quantity remains
    units = sorted((axis.unit for each in axes for axis in each), key=_unit_size, reverse=True)
    return {_quantity(unit): unit for unit in units}


def _quantity(unit: str | None) -> str:
    """Return the quantity measured by a unit, such as length."""
    return "length" if unit in METERS else "time" if unit in SECONDS else unit or "pixel"


def _unit_size(unit: str | None) -> float:
    """Return the size of a unit in meters or seconds, 1 for other units."""
    return METERS.get(unit or "") or SECONDS.get(unit or "") or 1.0


def _combine_axes(
    images: Sequence[PlacedImage], units: Mapping[str, str | None]
) -> tuple[tuple[Axis, ...], tuple[int, ...]]:
    """Return the axes of the world and their numbers of steps."""
    ndim = max(len(placed.scale) for placed in images)
    # axes are named as in the first image with all of them
    named = next(_world_axes_of(placed.image) for placed in images if len(placed.scale) == ndim)

    axes, sizes = [], []
    for k in range(-ndim, 0):
        present = [placed for placed in images if -k <= len(placed.scale)]
        low = min(float(placed.ends[0, k]) for placed in present)
        high = max(float(placed.ends[1, k]) for placed in present)
        step = min(abs(float(placed.scale[k])) for placed in present)
        unit = units.get(_quantity(named[k].unit), named[k].unit)
        axes.append(Axis(named[k].name, step, unit, low))
        sizes.append(round((high - low) / step) + 1)
    return tuple(axes), tuple(sizes)
