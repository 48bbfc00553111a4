"""Turns and key frames as views of frames, without a window."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_ferry import InvalidImageError
from napari_ferry.plugin.camera_moves import MOST_FRAMES, KeyFrame, KeyFrames, Turn
from napari_ferry.plugin.camera_rotation import camera_directions
from napari_ferry.plugin.view_state import CameraState, LayerState, SliderState, ViewState

ORIENTATION = ("towards", "down", "right")


def make_view(*, zoom=1.0, ndisplay=3, step=0, layers=None):
    camera = CameraState(
        center=(0, 0, 0), zoom=zoom, angles=(10, 20, 30), perspective=0, orientation=ORIENTATION
    )
    return ViewState(
        ndisplay=ndisplay,
        order=(0, 1, 2, 3),
        sliders=tuple(
            SliderState(label=label, point=2.0 + step, start=2.0, step=1.0, nsteps=5)
            for label in "tzyx"
        ),
        camera=camera,
        layers={} if layers is None else layers,
    )


def make_layer(opacity):
    return LayerState(name="cells", visible=True, opacity=opacity)


def directions(view):
    return camera_directions(view.camera.angles, ORIENTATION)


@given(st.integers(1, 500), st.sampled_from(("linear", "smooth")), st.sampled_from((360, -720)))
def test_a_full_turn_can_be_repeated(nframes, easing, degrees):
    start = make_view()
    turn = Turn(nframes=nframes, degrees=degrees, easing=easing)
    assert turn.view(0, start) == start
    assert turn.view(nframes, start) == start


@given(st.integers(2, 500), st.sampled_from(("linear", "smooth")))
def test_half_a_turn_ends_behind(nframes, easing):
    start = make_view()
    last = Turn(nframes=nframes, degrees=180, easing=easing).view(nframes - 1, start)
    flipped = directions(start) * [-1, 1, -1]
    np.testing.assert_allclose(directions(last), flipped, atol=1e-9)


def test_a_turn_has_a_constant_angle_between_frames():
    start = make_view()
    turn = Turn(nframes=12)
    views = [directions(turn.view(i, start)) for i in range(13)]
    for a, b in itertools.pairwise(views):
        assert np.degrees(np.arccos((np.trace(a.T @ b) - 1) / 2)) == pytest.approx(30)


def test_a_slider_plays_once_during_a_turn():
    start = make_view()
    turn = Turn(nframes=10, slider="t")
    turn.check(start)
    points = [turn.view(i, start).sliders[0].point for i in range(10)]
    assert points == [2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    assert {turn.view(i, start).sliders[1:] for i in range(10)} == {start.sliders[1:]}


def test_a_turn_that_the_view_does_not_permit_is_refused():
    with pytest.raises(InvalidImageError, match="in 3-D views only"):
        Turn(nframes=3).check(make_view(ndisplay=2))
    with pytest.raises(InvalidImageError, match="no slider 'z' to play"):
        Turn(nframes=3, slider="z").check(make_view())


def test_key_frames_are_at_their_times():
    keys = tuple(
        KeyFrame(view=make_view(zoom=zoom), nframes=n) for zoom, n in ((1, 4), (4, 6), (2, 9))
    )
    moves = KeyFrames(keys)
    start = make_view(zoom=99)
    assert moves.nframes == 11
    assert [moves.view(i, start) for i in (0, 4, 10)] == [key.view for key in keys]
    zooms = [moves.view(i, start).camera.zoom for i in range(11)]
    assert zooms[2] == 2
    assert zooms == sorted(zooms[:5]) + sorted(zooms[5:], reverse=True)


def test_linear_and_smooth_differ_except_in_the_middle():
    first, last = make_view(step=0), make_view(step=4)
    points = {}
    for easing in ("linear", "smooth"):
        keys = (KeyFrame(view=first, nframes=16, easing=easing), KeyFrame(view=last))
        moves = KeyFrames(keys)
        points[easing] = [moves.view(i, first).sliders[0].point for i in (0, 3, 8, 13, 16)]
    assert points["linear"] == [2, 3, 4, 5, 6]
    assert points["smooth"] == [2, 2, 4, 6, 6]


def test_a_layer_has_the_state_of_its_next_key_frame_before_it_was_added():
    views = [make_view(layers=layers) for layers in ({}, {"a": make_layer(0.5)}, {})]
    moves = KeyFrames(tuple(KeyFrame(view=view, nframes=2) for view in views))
    opacities = [moves.view(i, views[0]).layers["a"].opacity for i in range(moves.nframes)]
    assert opacities == [0.5] * 5
    assert moves.layers == {"a": "cells"}


def test_one_key_frame_is_one_picture():
    view = make_view()
    moves = KeyFrames((KeyFrame(view=view, nframes=50),))
    assert moves.nframes == 1
    assert moves.view(0, replace(view, ndisplay=2)) == view


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Turn(nframes=0), "has 0 frames"),
        (lambda: Turn(nframes=MOST_FRAMES + 1), "between 1 and 100000"),
        (lambda: Turn(nframes=2.5), "has 2.5 frames"),
        (lambda: Turn(nframes=2, degrees=float("inf")), "turn is inf"),
        (lambda: Turn(nframes=2, axis="up"), "axis is 'up': choose one of vertical"),
        (lambda: Turn(nframes=2, easing="fast"), "easing is 'fast': choose one of linear, smooth"),
        (lambda: Turn(nframes=2, frame_rate=0), "frame rate is 0"),
        (lambda: KeyFrame(view=make_view(), nframes=0), "has 0 frames"),
        (lambda: KeyFrames(()), "There are no key frames"),
        (lambda: KeyFrames((KeyFrame(view=make_view()),), frame_rate=-1), "frame rate is -1"),
    ],
)
def test_impossible_moves_are_refused(make, says):
    with pytest.raises(InvalidImageError, match=says):
        make()
