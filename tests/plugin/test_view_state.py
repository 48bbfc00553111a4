"""Captured views of napari's viewer model, without a window."""

import numpy as np
import pytest

from napari_ferry.plugin.view_state import capture_view, find_camera, show_view


@pytest.fixture
def viewer():
    from napari.components import ViewerModel

    viewer = ViewerModel()
    viewer.add_image(np.zeros((4, 5, 6, 7)), name="cells", scale=(0.5, 1, 1, 1))
    viewer.add_points(np.zeros((1, 4)), name="spots")
    return viewer


def change_everything(viewer):
    viewer.dims.ndisplay = 3
    viewer.dims.order = (1, 0, 2, 3)
    viewer.dims.current_step = (3, 2, 0, 0)
    camera = find_camera(viewer)
    camera.center, camera.zoom, camera.angles, camera.perspective = (1, 2, 3), 7, (10, 20, 30), 45
    for layer in viewer.layers:
        layer.visible = not layer.visible
        layer.opacity = 0.3
    viewer.layers[0].contrast_limits = (0.2, 0.5)
    viewer.layers[0].gamma = 0.7


def test_a_captured_view_is_shown_again_exactly(viewer):
    before = capture_view(viewer)
    change_everything(viewer)
    after = capture_view(viewer)
    assert before != after
    for view in (before, after, before):
        show_view(viewer, view)
        assert capture_view(viewer) == view


def test_only_captured_layers_are_changed(viewer):
    image, points = viewer.layers
    before = capture_view(viewer, [points.unique_id])
    change_everything(viewer)
    show_view(viewer, before)
    assert (points.opacity, image.opacity) == (1, 0.3)


def test_renamed_layers_keep_their_state_and_removed_ones_are_left_out(viewer):
    image, points = viewer.layers
    before = capture_view(viewer)
    change_everything(viewer)
    viewer.layers.remove(points)
    image.name, points.name = "spots", "cells"
    show_view(viewer, before)
    assert (image.opacity, image.gamma, points.opacity) == (1, 1, 0.3)


def test_a_viewer_of_other_dimensions_shows_what_it_has(viewer):
    viewer.dims.current_step = (2, 3, 0, 0)
    view = capture_view(viewer)
    viewer.layers.clear()
    viewer.add_image(np.zeros((5, 6, 7)))
    show_view(viewer, view)
    assert viewer.dims.current_step[0] == 3

    viewer.add_image(np.zeros((2, 4, 5, 6, 7)))
    viewer.dims.current_step = (1, 0, 0, 0, 0)
    show_view(viewer, view)
    assert viewer.dims.current_step[0] == 1
    assert viewer.dims.point[1] == 1.0


def test_a_step_is_a_view(viewer):
    view = capture_view(viewer)
    show_view(viewer, view.at_step(0, 3))
    assert viewer.dims.current_step == (3, *view_steps(view)[1:])


def view_steps(view):
    return [round((slider.point - slider.start) / slider.step) for slider in view.sliders]
