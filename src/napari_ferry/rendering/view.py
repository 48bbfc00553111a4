"""Choose the plane, the frame axis and the position of a movie."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import is_real, is_text
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis
from napari_ferry.movie.frame_axis import choose_frame_axis
from napari_ferry.rendering.projection import parse_thickness
from napari_ferry.rendering.world import World
from napari_ferry.units import SECONDS

_MOST_FRAMES = 10_000_000
"""Maximum number of frames, as 16 bytes are kept for each frame and image."""


@dataclass(frozen=True, kw_only=True)
class View:
    """Planes of the world as the frames of a movie or a single picture.

    Parameters
    ----------
    world : World
        Images in world coordinates.
    plane_axes : tuple of int
        Axes of the world that are displayed, downwards and to the right.
    frame_axis : int, optional
        Frame axis in the world; None for a single picture.
    frame_positions : range
        Positions on the frame axis that become frames; ``range(1)`` for a single picture.
    position : tuple of int
        Step on each axis; ignored for the axes above.
    margins : mapping of int to (float, float)
        Parts of a thick slice before and after its position on an axis, in units of the world.
    """

    world: World
    plane_axes: tuple[int, int]
    frame_axis: int | None
    frame_positions: range
    position: tuple[int, ...]
    margins: Mapping[int, tuple[float, float]] = field(default_factory=dict)

    @property
    def whole_axes(self) -> tuple[int, ...]:
        """Axes of the world with all samples in each frame."""
        return tuple(k for k, margins in self.margins.items() if math.isinf(max(margins)))

    def coordinates(self, axis: int) -> float | NDArray[np.float64]:
        """Return the coordinate on an axis outside the plane; one per frame on the frame axis."""
        if axis == self.frame_axis:
            chosen = self.frame_positions
            steps = np.arange(chosen.start, chosen.stop, chosen.step, dtype=np.float64)
            return self.world.coordinate(axis, steps)
        return self.world.coordinate(axis, self.position[axis])

    def make_frame_axis(self, speed: float | None) -> Axis:
        """Return the frame axis of the movie, at a playback speed; see `make_frame_axis`."""
        assert self.frame_axis is not None
        return make_frame_axis(self.world.axes[self.frame_axis], self.frame_positions, speed)


def make_frame_axis(axis: Axis, positions: range, speed: float | None) -> Axis:
    """Return the axis of selected frames at a playback speed.

    Parameters
    ----------
    axis : Axis
        Frame axis of the image.
    positions : range
        Positions on this axis that become frames.
    speed : float, optional
        Playback speed, as a multiple of real time.

    Raises
    ------
    InvalidImageError
        The speed is not a positive number, or the axis is not calibrated in time.
    """
    begin = axis.translation + positions.start * axis.scale
    distance = axis.scale * positions.step
    if speed is None:
        return Axis(axis.name, distance, axis.unit, begin)

    if not is_real(speed) or not 0 < speed < math.inf:
        raise InvalidImageError(
            f"The playback speed is {speed!r}, expected a positive number: give a multiple of real "
            "time, such as 5."
        )
    if axis.unit not in SECONDS:
        raise InvalidImageError(
            f"The axis {axis.name} is not calibrated in time, so a playback speed of {speed:g} x "
            "real time cannot be computed: give a frame rate, or the time between frames."
        )
    return Axis(axis.name, distance / speed, axis.unit, begin)


def choose_view(
    world: World,
    *,
    plane: str,
    axis: str | None,
    position: str | None,
    start: int,
    stop: int | None,
    step: int,
    thickness: str | None,
) -> View:
    """Choose the planes to draw; the options are those of `render`.

    Raises
    ------
    InvalidImageError
        An axis or a position does not exist.
    """
    plane_axes = find_plane(world, plane)
    outside = [k for k in range(len(world.axes)) if k not in plane_axes]
    margins = parse_thickness(thickness, [world.names[k] for k in outside])
    whole = [name for name, (before, _) in margins.items() if math.isinf(before) and name != axis]
    # an axis that is projected as a whole has no positions
    others = [k for k in outside if world.names[k] not in whole]
    sizes = {world.names[k]: world.sizes[k] for k in others}
    index, indices = choose_frame_axis(sizes, axis, position)
    world_position = [0] * len(world.axes)
    for k, step_index in zip(others, indices, strict=True):
        world_position[k] = step_index

    frame_axis = None if index is None else others[index]
    frame_positions = range(1)
    if frame_axis is None and (start, stop, step) != (0, None, 1):
        raise InvalidImageError(
            f"Frames from {start!r} to {stop!r} in steps of {step!r} require a frame axis: omit "
            "these options, or choose a frame axis."
        )
    if frame_axis is not None:
        name, size = world.names[frame_axis], world.sizes[frame_axis]
        frame_positions = choose_positions(name, size, start, stop, step)

    return View(
        world=world,
        plane_axes=plane_axes,
        frame_axis=frame_axis,
        frame_positions=frame_positions,
        position=tuple(world_position),
        margins={
            k: (before * world.axes[k].scale, after * world.axes[k].scale)
            for k in outside
            if world.names[k] in margins
            for before, after in [margins[world.names[k]]]
        },
    )


def find_plane(world: World, plane: str) -> tuple[int, int]:
    """Return the indices of the two axes of the plane."""
    words = plane.split() if is_text(plane) else []
    # names may contain spaces, as labels of sliders do
    pairs = itertools.permutations(range(len(world.axes)), 2)
    axes = next((p for p in pairs if words == [w for k in p for w in world.names[k].split()]), None)
    if axes is None:
        raise InvalidImageError(
            f"The plane is {plane!r}: name two of the axes {' '.join(world.names)}, the vertical "
            "axis first, such as 'y x'."
        )

    for placed in world.images:
        if world.missing_axes(placed) > min(axes):
            raise InvalidImageError(
                f"{placed.image.name or 'An image'} has no axis {world.names[min(axes)]}, which is "
                "an axis of the plane: leave the image out, or choose another plane."
            )
    return axes


def choose_positions(name: str, size: int, start: int, stop: int | None, step: int) -> range:
    """Return the selected positions on the frame axis.

    Parameters
    ----------
    name : str
        Name of the frame axis.
    size : int
        Number of positions on this axis.
    start, stop, step
        Options of `render`.

    Raises
    ------
    InvalidImageError
        The axis does not have these positions.
    """
    end = size if stop is None else stop
    if not all(isinstance(number, int | np.integer) for number in (start, end, step)) or step < 1:
        raise InvalidImageError(
            f"The frames are from {start!r} to {stop!r} in steps of {step!r}: give integers, and a "
            "step of at least 1."
        )
    if not 0 <= start < end <= size:
        raise InvalidImageError(
            f"The frames are from {start} to before {end}, but {name} has {size}: choose a start "
            f"and a stop between 0 and {size}."
        )

    # the index of each frame in each image is computed beforehand
    positions = range(start, end, step)
    if len(positions) > _MOST_FRAMES:
        raise InvalidImageError(
            f"The movie would have {len(positions)} frames, because the finest scale along {name} "
            "determines their number: choose fewer with start, stop and step, or give the images "
            "similar scales."
        )
    return positions


def missing_frame_axis(request: str) -> InvalidImageError:
    """Return the error for an option without the required frame axis."""
    return InvalidImageError(f"{request} requires a frame axis: omit it, or choose a frame axis.")
