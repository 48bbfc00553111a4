"""Rotations of napari's camera: turns about the axes of the screen, and ways between two views."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_ferry.plugin.camera_rotation import (
    camera_directions,
    interpolate_angles,
    turn_angles,
)

UPRIGHT = ("towards", "down", "right")
ORIENTATIONS = list(itertools.product(("towards", "away"), ("down", "up"), ("right", "left")))
AXES = ("vertical", "horizontal", "view")

degrees = st.floats(-360, 360).map(lambda angle: round(angle, 3))
angles = st.tuples(degrees, degrees, degrees)
orientations = st.sampled_from(ORIENTATIONS)
axes = st.sampled_from(AXES)
COLUMN = {"view": 0, "vertical": 1, "horizontal": 2}


def angle_between(first, last, orientation):
    """Return the angle of the rotation from one view to another, in degrees."""
    a, b = (camera_directions(each, orientation) for each in (first, last))
    return np.degrees(np.arccos(np.clip((np.trace(a.T @ b) - 1) / 2, -1, 1)))


@given(angles, orientations, axes, degrees)
def test_a_turn_keeps_its_axis_and_has_its_angle(start, orientation, axis, turn):
    turned = turn_angles(start, orientation, axis, turn)
    before, after = (camera_directions(each, orientation) for each in (start, turned))
    k = COLUMN[axis]
    np.testing.assert_allclose(after[:, k], before[:, k], atol=1e-6)
    expected = abs((turn + 180) % 360 - 180)
    assert angle_between(start, turned, orientation) == pytest.approx(expected, abs=1e-3)


@given(angles, orientations, axes, st.integers(-3, 3))
def test_full_turns_return_the_same_angles(start, orientation, axis, count):
    assert turn_angles(start, orientation, axis, 360.0 * count) == start


@given(angles, orientations, axes, degrees, degrees)
def test_two_turns_about_an_axis_are_one(start, orientation, axis, first, second):
    once = turn_angles(start, orientation, axis, first + second)
    twice = turn_angles(turn_angles(start, orientation, axis, first), orientation, axis, second)
    np.testing.assert_allclose(
        camera_directions(once, orientation), camera_directions(twice, orientation), atol=1e-6
    )


def test_positive_turns_bring_the_right_and_lower_sides_to_the_front():
    for axis, view in (("vertical", (0, 0, -1)), ("horizontal", (0, -1, 0))):
        turned = turn_angles((0.0, 0.0, 0.0), UPRIGHT, axis, 90)
        np.testing.assert_allclose(camera_directions(turned, UPRIGHT)[:, 0], view, atol=1e-9)
    turned = turn_angles((0.0, 0.0, 0.0), UPRIGHT, "view", 90)
    np.testing.assert_allclose(camera_directions(turned, UPRIGHT)[:, 1], (0, 0, 1), atol=1e-9)


@given(angles, angles, orientations, st.floats(0, 1))
def test_a_way_has_a_constant_speed_and_ends_exactly(first, last, orientation, fraction):
    between = interpolate_angles(first, last, orientation, fraction)
    whole = angle_between(first, last, orientation)
    assert angle_between(first, between, orientation) == pytest.approx(fraction * whole, abs=1e-3)
    assert interpolate_angles(first, last, orientation, 0) == first
    assert interpolate_angles(first, last, orientation, 1) == last
