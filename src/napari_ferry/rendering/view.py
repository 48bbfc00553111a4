"""What of a world a movie shows: which axes are seen, which one runs, where the others stand."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import is_real, is_text
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis
from napari_ferry.movie.frame_axis import choose_frame_axis
from napari_ferry.rendering.world import World
from napari_ferry.units import SECONDS

Fit = Literal["1080p", "4K"]

FITS: dict[Fit, tuple[int, int]] = {"1080p": (1080, 1920), "4K": (2160, 3840)}
"""Height and width that a picture is fitted into."""

_LARGEST_SIDE = 1 << 16

_ALMOST = 1e-6

_MOST_FRAMES = 10_000_000
"""Which index of each image a frame shows is known beforehand, in 8 bytes."""


@dataclass(frozen=True)
class View:
    """A picture of the world, or one after the other.

    Parameters
    ----------
    world : World
        What is looked at.
    seen : tuple of int
        The axes of the world that are seen, downwards and to the right.
    running : int, optional
        The axis that runs; ``None`` for a single picture.
    steps : range
        Its steps that become frames; of a single picture one that says nothing.
    places : tuple of int
        The step at which each axis stands; those of the axes above say nothing.
    """

    world: World
    seen: tuple[int, int]
    running: int | None
    steps: range
    places: tuple[int, ...]

    def points(self, axis: int) -> float | NDArray[np.float64]:
        """Return where an axis that is not seen stands, at each frame for the one that runs."""
        if axis == self.running:
            steps = self.steps
            counted = np.arange(steps.start, steps.stop, steps.step, dtype=np.float64)
            return self.world.point(axis, counted)
        return self.world.point(axis, self.places[axis])

    def make_frame_axis(self, speed: float | None) -> Axis:
        """Return the axis of the frames: their distance in time is that of the movie.

        Parameters
        ----------
        speed : float, optional
            How many times faster than it happened the movie runs.

        Raises
        ------
        InvalidImageError
            A speed that is no positive number, or for an axis that is not calibrated in time.
        """
        assert self.running is not None
        return make_frame_axis(self.world.axes[self.running], self.steps, speed)


def make_frame_axis(axis: Axis, steps: range, speed: float | None) -> Axis:
    """Return the axis of frames that are some steps of an axis.

    Parameters
    ----------
    axis : Axis
        The axis that runs.
    steps : range
        Which of its steps are frames.
    speed : float, optional
        How many times faster than it happened the movie runs.

    Raises
    ------
    InvalidImageError
        A speed that is no positive number, or for an axis that is not calibrated in time.
    """
    begin = axis.translation + steps.start * axis.scale
    distance = axis.scale * steps.step
    if speed is None:
        return Axis(axis.name, distance, axis.unit, begin)
    if not is_real(speed) or not 0 < speed < math.inf:
        raise InvalidImageError(
            f"The speed is {speed!r}: say how many times faster than it happened the movie is to "
            "run, such as 5."
        )
    if axis.unit not in SECONDS:
        raise InvalidImageError(
            f"The axis {axis.name} is not calibrated in time, so a speed of {speed:g} x real time "
            "cannot be reckoned: give a frame rate, or the time between frames."
        )
    return Axis(axis.name, distance / speed, axis.unit, begin)


@dataclass(frozen=True)
class Grid:
    """The pixels of a picture, in the world.

    Parameters
    ----------
    first : tuple of float
        Place of the center of the first pixel, on the axis that is seen downwards and the other.
    step : float
        Distance of pixels.
    shape : tuple of int
        Height and width.
    reduced : int
        How many of these pixels, along each axis, become one of the picture.
    """

    first: tuple[float, float]
    step: float
    shape: tuple[int, int]
    reduced: int = 1

    def places(self, side: int) -> NDArray[np.float64]:
        """Return the centers of pixels along an axis: 0 downwards, 1 to the right."""
        counted = np.arange(self.shape[side], dtype=np.float64)
        return self.first[side] + counted * self.step

    def axis(self, side: int, name: str, unit: str | None) -> Axis:
        """Return the axis of the picture."""
        begin = self.first[side] + (self.reduced - 1) / 2 * self.step
        return Axis(name, self.step * self.reduced, unit, begin)


def choose_view(
    world: World,
    *,
    plane: str,
    axis: str | None,
    position: str | None,
    start: int,
    stop: int | None,
    step: int,
) -> View:
    """Decide what is shown; the options are those of `render`.

    Raises
    ------
    InvalidImageError
        An axis, a position or a step that does not exist.
    """
    seen = _seen_axes(world, plane)
    others = [k for k in range(len(world.axes)) if k not in seen]
    sizes = {world.names[k]: world.sizes[k] for k in others}
    which, found = choose_frame_axis(sizes, axis, position)
    places = [0] * len(world.axes)
    for k, place in zip(others, found, strict=True):
        places[k] = place
    running = None if which is None else others[which]
    steps = range(1)
    if running is None and (start, stop, step) != (0, None, 1):
        raise InvalidImageError(
            f"Frames were asked for from {start!r} to {stop!r} in steps of {step!r}, and no axis "
            "runs: leave these out, or choose the axis."
        )
    if running is not None:
        steps = choose_positions(world.names[running], world.sizes[running], start, stop, step)
    return View(world, seen, running, steps, tuple(places))


def _seen_axes(world: World, plane: str) -> tuple[int, int]:
    """Return the numbers of the two axes that are seen."""
    words = plane.split() if is_text(plane) else []
    # names may have spaces, as labels of sliders do
    pairs = itertools.permutations(range(len(world.axes)), 2)
    seen = next((p for p in pairs if words == [w for k in p for w in world.names[k].split()]), None)
    if seen is None:
        raise InvalidImageError(
            f"The plane is {plane!r}: name two of the axes {' '.join(world.names)}, that which is "
            "seen downwards first, such as 'y x'."
        )
    for one in world.placed:
        if world.missing(one) > min(seen):
            raise InvalidImageError(
                f"{one.image.name or 'An image'} has no axis {world.names[min(seen)]}, which is "
                "to be seen: leave it out."
            )
    return seen


def choose_positions(name: str, size: int, start: int, stop: int | None, step: int) -> range:
    """Return which steps of the axis that runs become frames; the options are those of `render`.

    Raises
    ------
    InvalidImageError
        Steps that the axis does not have.
    """
    end = size if stop is None else stop
    if not all(isinstance(number, int | np.integer) for number in (start, end, step)) or step < 1:
        raise InvalidImageError(
            f"Frames were asked for from {start!r} to {stop!r} in steps of {step!r}: give whole "
            "numbers, and a step of at least 1."
        )
    if not 0 <= start < end <= size:
        raise InvalidImageError(
            f"Frames were asked for from {start} to before {end}, and {name} has {size}: choose "
            f"them between 0 and {size}."
        )
    steps = range(start, end, step)
    if len(steps) > _MOST_FRAMES:
        raise InvalidImageError(
            f"The movie would have {len(steps)} frames, as the finest step along {name} counts: "
            "choose fewer with start, stop and step, or give the images scales that are alike."
        )
    return steps


def make_grid(view: View, scale: float, fit: Fit | None) -> Grid:
    """Lay pixels over all that is seen, as the viewer does it when it exports a figure.

    Parameters
    ----------
    view : View
        What is seen.
    scale, fit
        As for `render`.

    Raises
    ------
    InvalidImageError
        A scale that is no positive number, one besides `fit`, or one that gives no picture.
    """
    if not is_real(scale) or not 0 < scale < math.inf or (fit and scale != 1):
        raise InvalidImageError(
            f"The scale is {scale!r}{' beside a fit' if fit else ''}: give one positive number, or "
            "a fit alone."
        )
    edges = [view.world.edges(axis) for axis in view.seen]
    finest = min(view.world.axes[axis].scale for axis in view.seen)
    extents = [high - low for low, high in edges]
    # a size that is whole but for the rounding of floats is that number
    full = [math.ceil(extent / finest - 1e-9) for extent in extents]
    scale, reduced = (scale, 1) if fit is None else _fitted(full, fit)
    levels = _common_reduction(view, finest, reduced)
    scale, reduced = scale / levels, math.ceil(reduced / levels)
    shape = [int(size * scale) for size in full]
    if min(shape) < 1 or max(shape) // reduced > _LARGEST_SIDE:
        raise InvalidImageError(
            f"The picture would have {shape[1]} x {shape[0]} pixels: choose another scale than "
            f"{scale:g}."
        )
    step = 1 / min(size / extent for size, extent in zip(shape, extents, strict=True))
    centers = [(low + high) / 2 for low, high in edges]
    first = [c - (size - 1) / 2 * step for c, size in zip(centers, shape, strict=True)]
    if reduced > 1:  # whole blocks only; what is left over lies at the end
        shape = [max(1, size // reduced) * min(reduced, size) for size in shape]
    return Grid((first[0], first[1]), step, (shape[0], shape[1]), reduced)


def _common_reduction(view: View, finest: float, most: int) -> int:
    """Return how many of the finest samples one of the smaller levels of all images has, a side."""
    found = [1.0 * most]
    for one in view.world.placed:
        seen = [axis - view.world.missing(one) for axis in view.seen]
        steps = [one.steps(level) for level in one.image.levels]
        widest = [max(each[k] for k in seen) / finest for each in steps]
        found.append(max((width for width in widest if width <= most), default=1.0))
    return max(1, int(min(found) + _ALMOST))


def _fitted(full: Sequence[int], fit: Fit) -> tuple[float, int]:
    """Return how many times larger or smaller a picture fits, by whole numbers."""
    if not is_text(fit) or fit not in FITS:
        raise InvalidImageError(f"The fit is {fit!r}: choose one of {', '.join(FITS)}.")
    height, width = FITS[fit]
    larger = min(height // full[0], width // full[1])
    if larger:
        return float(larger), 1
    return 1.0, max(math.ceil(full[0] / height), math.ceil(full[1] / width))
