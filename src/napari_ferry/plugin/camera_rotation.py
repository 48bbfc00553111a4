"""Rotations of the camera of a 3-D view.

Angles are Euler angles in degrees, whose convention differs between releases of napari. They are
therefore converted by napari's own camera model, through its directions of view and up.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np

TurnAxis = Literal["vertical", "horizontal", "view"]
"""Axis of a turn: up or to the right on the screen, or into it."""

Angles = tuple[float, float, float]

_COLUMNS = {"view": 0, "vertical": 1, "horizontal": 2}
"""Columns of the matrix of a rotation: the directions of view, up, and to the side."""


def turn_angles(angles: Angles, orientation: Any, axis: TurnAxis, degrees: float) -> Angles:
    """Return the angles of a camera after a turn about an axis of the screen.

    Parameters
    ----------
    angles : tuple of float
        Angles before the turn, in degrees.
    orientation : tuple
        Orientation of the axes, as of napari's camera.
    axis : {"vertical", "horizontal", "view"}
        Axis of the turn, as seen before it.
    degrees : float
        Angle of the turn. A multiple of 360 returns the same angles.
    """
    from scipy.spatial.transform import Rotation

    if degrees % 360 == 0:
        return angles
    before = _to_rotation(angles, orientation)
    direction = before.as_matrix()[:, _COLUMNS[axis]]
    return _to_angles(Rotation.from_rotvec(degrees * direction, degrees=True) * before, orientation)


def interpolate_angles(first: Angles, last: Angles, orientation: Any, fraction: float) -> Angles:
    """Return angles on the shortest way between two others (spherical linear interpolation).

    Parameters
    ----------
    first, last : tuple of float
        Angles in degrees.
    orientation : tuple
        Orientation of the axes, as of napari's camera.
    fraction : float
        Part of the way, from 0 to 1; both ends return the given angles.
    """
    from scipy.spatial.transform import Rotation, Slerp

    if first == last or fraction <= 0:
        return first
    if fraction >= 1:
        return last
    ends = [_to_rotation(angles, orientation) for angles in (first, last)]
    return _to_angles(Slerp([0, 1], Rotation.concatenate(ends))(fraction), orientation)


def camera_directions(angles: Angles, orientation: Any) -> Any:
    """Return the directions of view, up, and to the side as the columns of a matrix, axes z y x."""
    from napari.components import Camera

    camera = Camera(angles=angles, orientation=orientation)
    view, up = np.array(camera.view_direction), np.array(camera.up_direction)
    return np.stack([view, up, np.cross(view, up)], axis=1)


def _to_rotation(angles: Angles, orientation: Any) -> Any:
    from scipy.spatial.transform import Rotation

    return Rotation.from_matrix(camera_directions(angles, orientation))


def _to_angles(rotation: Any, orientation: Any) -> Angles:
    from napari.components import Camera

    view, up, _ = rotation.as_matrix().T
    camera = Camera(orientation=orientation)
    with _ignore_gimbal_lock():
        camera.set_view_direction(tuple(view), tuple(up))
    first, second, third = (float(angle) for angle in camera.angles)
    return first, second, third


@contextmanager
def _ignore_gimbal_lock() -> Iterator[None]:
    """Ignore scipy's warning about several angles for one rotation: any of them will do."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Gimbal lock", UserWarning)
        yield
