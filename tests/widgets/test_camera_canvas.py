"""Moves of the camera drawn by the viewer's canvas; everything is restored afterwards."""

import itertools
from typing import Any

import numpy as np
import pytest

from gui import WINDOW
from napari_ferry import FerryWarning, InvalidImageError, SaveCancelledError, imload, plan

pytestmark = WINDOW

SIZE = (120, 160)


@pytest.fixture
def viewer(shared_viewer: Any) -> Any:
    """A volume that changes with time, brighter on its left side."""
    viewer = shared_viewer
    volume = np.zeros((4, 20, 24, 32), np.uint8)
    volume[:, 6:14, 6:18, 4:28] = np.linspace(250, 80, 24).astype(np.uint8)
    volume[:, 10:14, 6:12] = 0  # differs in front and behind
    volume[2:] //= 2
    labels = ("t", "z", "y", "x")
    viewer.add_image(volume, name="cells", contrast_limits=(0, 255), axis_labels=labels)
    viewer.add_points(np.array([[0, 10, 12, 16]]), name="spots", size=3, axis_labels=labels)
    viewer.dims.current_step = (1, 10, 0, 0)
    viewer.dims.ndisplay = 3
    viewer.reset_view()
    return viewer


@pytest.fixture
def everything(viewer: Any) -> Any:
    """Return a function for the state of the viewer and its canvas."""
    from napari_ferry.plugin.view_state import capture_view

    canvas = viewer.window._qt_viewer.canvas
    return lambda: (capture_view(viewer), tuple(canvas.size))


def capture(viewer: Any, **options: Any) -> Any:
    from napari_ferry.plugin.camera_moves import KeyFrame
    from napari_ferry.plugin.view_state import capture_view

    return KeyFrame(view=capture_view(viewer), **options)


def two_keys(viewer: Any) -> Any:
    """Return key frames of two views that differ in everything, and show the first again."""
    from napari_ferry.plugin.camera_moves import KeyFrames
    from napari_ferry.plugin.view_state import find_camera, show_view

    camera = find_camera(viewer)
    first = capture(viewer, nframes=4)
    camera.angles, camera.zoom, camera.perspective = (20, 40, 10), camera.zoom * 1.5, 30
    viewer.dims.set_current_step(0, 3)
    image, points = viewer.layers
    image.contrast_limits, image.gamma, image.opacity, points.visible = (0, 200), 0.8, 0.9, False
    last = capture(viewer)
    show_view(viewer, first.view)
    return KeyFrames((first, last))


def test_a_full_turn_ends_where_it_began_and_is_mirrored_in_the_middle(viewer, everything):
    from napari_ferry.plugin.camera_moves import Turn
    from napari_ferry.widgets.canvas import canvas_image

    viewer.layers["spots"].visible = False
    before = everything()
    with canvas_image(viewer, size=SIZE, moves=Turn(nframes=8, frame_rate=25)) as image:
        assert image.shape == (8, *SIZE, 3)
        assert (image.axis_names, image.frame_rate) == (("t", "y", "x", "s"), 25)
        frames = np.asarray(image.array)[..., 0].astype(int)
    with canvas_image(viewer, size=SIZE) as still:
        current = np.asarray(still.array[1])[..., 0].astype(int)

    # the frame after the last one would be the first
    np.testing.assert_array_equal(frames[0], current)
    assert np.abs(frames[4] - frames[0][:, ::-1]).mean() < 1
    assert np.abs(frames[4] - frames[0]).mean() > 5
    assert np.abs(frames[7] - frames[1]).mean() > 1
    assert everything() == before


def test_a_slider_plays_during_a_turn(viewer):
    from napari_ferry.plugin.camera_moves import Turn
    from napari_ferry.widgets.canvas import canvas_image

    viewer.layers["spots"].visible = False
    moves = Turn(nframes=4, slider="t", axis="view")
    with canvas_image(viewer, size=SIZE, moves=moves) as image:
        highest = [np.asarray(image.array[i])[..., 0].max() for i in (3, 0, 2, 1)]
    assert highest[0] == highest[2] < highest[1] == highest[3]
    assert viewer.dims.current_step[0] == 1


def test_key_frames_end_exactly_at_their_views(viewer, everything):
    from napari_ferry.plugin.view_state import show_view
    from napari_ferry.widgets.canvas import canvas_image

    moves = two_keys(viewer)
    before = everything()
    with canvas_image(viewer, moves=moves) as image:
        # in any order
        frames = {i: np.asarray(image.array[i]) for i in (4, 2, 0)}
        again = {i: np.asarray(image.array[i]) for i in (2, 4)}
    assert everything() == before

    np.testing.assert_array_equal(frames[0], viewer.screenshot(flash=False)[..., :3])
    show_view(viewer, moves.keys[1].view)
    np.testing.assert_array_equal(frames[4], viewer.screenshot(flash=False)[..., :3])
    for i, frame in again.items():
        np.testing.assert_array_equal(frame, frames[i])
    assert not np.array_equal(frames[2], frames[0])


def test_two_and_three_dimensions_can_alternate(viewer, everything):
    from napari_ferry.plugin.camera_moves import KeyFrames
    from napari_ferry.widgets.canvas import canvas_image

    first = capture(viewer, nframes=2)
    viewer.dims.ndisplay = 2
    viewer.reset_view()
    moves = KeyFrames((first, capture(viewer)))
    before, flat = everything(), viewer.screenshot(flash=False)[..., :3]
    with canvas_image(viewer, moves=moves) as image:
        frames = np.asarray(image.array)
    assert frames.shape == (3, *flat.shape)
    np.testing.assert_array_equal(frames[2], flat)
    assert everything() == before


@pytest.mark.sample(1)
@pytest.mark.parametrize(("size", "scale"), [((60, 80), 1), ((1500, 2000), 1), ((60, 80), 2)])
def test_a_view_fills_pictures_of_any_size(viewer, everything, size, scale):
    from napari_ferry.plugin.camera_moves import Turn
    from napari_ferry.widgets.canvas import canvas_image

    viewer.dims.ndisplay = 2
    viewer.layers["spots"].visible = False
    before = everything()
    height, width = viewer.screenshot(flash=False).shape[:2]
    extent = bright_size(viewer.screenshot(flash=False))
    for moves in (None, two_keys(viewer)):
        with canvas_image(viewer, size=size, scale=scale, moves=moves) as image:
            frame = np.asarray(image.array[0])
        assert frame.shape[:2] == (size[0] * scale, size[1] * scale)
        factor = scale * min(size[0] / height, size[1] / width)
        np.testing.assert_allclose(
            bright_size(frame), np.multiply(extent, factor), rtol=0.003, atol=2
        )
    assert everything() == before
    with (
        pytest.raises(InvalidImageError, match="in 3-D views only"),
        canvas_image(viewer, moves=Turn(nframes=2)),
    ):
        pass


def bright_size(picture: Any) -> tuple[int, int]:
    y, x = np.nonzero(picture[..., 0] > 20)
    return np.ptp(y), np.ptp(x)


def test_a_part_of_the_moves_is_drawn(viewer):
    from napari_ferry.widgets.canvas import canvas_image

    moves = two_keys(viewer)
    with canvas_image(viewer, size=SIZE, moves=moves) as image:
        whole = np.asarray(image.array)
    with canvas_image(viewer, size=SIZE, moves=moves, start=1, stop=4, step=2) as image:
        assert image.frame_rate == 15
        np.testing.assert_array_equal(np.asarray(image.array), whole[1:4:2])


@pytest.mark.parametrize("error", [RuntimeError("ours"), KeyboardInterrupt()])
def test_everything_is_restored_after_an_error(viewer, everything, error):
    from napari_ferry.widgets.canvas import canvas_image

    moves = two_keys(viewer)
    before = everything()

    def fail() -> None:
        with canvas_image(viewer, size=SIZE, moves=moves) as image:
            image.array[4]
            assert everything() != before
            raise error

    with pytest.raises(type(error)):
        fail()
    assert everything() == before


def test_everything_is_restored_after_a_cancelled_save(viewer, everything, tmp_path):
    from napari_ferry.widgets.canvas import canvas_image, run_in_thread

    moves = two_keys(viewer)
    before = everything()
    asked = itertools.count()
    with pytest.raises(SaveCancelledError), canvas_image(viewer, size=SIZE, moves=moves) as image:
        run_in_thread(plan(image, tmp_path / "a.mkv"), cancel=lambda: next(asked) > 3)
    assert everything() == before
    assert not list(tmp_path.iterdir())


def test_moves_are_saved_at_their_frame_rate(viewer, everything, tmp_path):
    from napari_ferry.widgets.canvas import canvas_image, run_in_thread

    moves = two_keys(viewer)
    before = everything()
    with canvas_image(viewer, size=SIZE, moves=moves) as image:
        (path,) = run_in_thread(plan(image, tmp_path / "a.mkv"))
    (saved,) = imload(path)
    assert (saved.shape[:3], saved.frame_rate) == ((5, *SIZE), 30)
    assert everything() == before


def test_a_layer_removed_during_the_export_is_left_out_and_named(viewer):
    from napari_ferry.widgets.canvas import canvas_image

    moves = two_keys(viewer)
    image_layer = viewer.layers["cells"]

    def remove_and_rename() -> None:
        with canvas_image(viewer, size=SIZE, moves=moves) as image:
            image.array[3]
            viewer.layers.remove("spots")
            image_layer.name = "renamed"
            image.array[4]
            assert image_layer.gamma == 0.8

    with pytest.warns(FerryWarning, match="removed during the export and are left out: spots"):
        remove_and_rename()
    assert image_layer.gamma == 1

    with (
        pytest.warns(FerryWarning, match="removed before the export and are left out: spots"),
        canvas_image(viewer, size=SIZE, moves=moves),
    ):
        pass


def test_other_layers_and_properties_stay_as_the_user_changed_them(viewer):
    from napari_ferry.plugin.camera_moves import Turn
    from napari_ferry.widgets.canvas import canvas_image

    with canvas_image(viewer, size=SIZE, moves=Turn(nframes=3)) as image:
        viewer.layers["spots"].opacity = 0.4
        image.array[2]
    assert viewer.layers["spots"].opacity == 0.4


@pytest.mark.parametrize("options", [{"axis": "t"}, {"speed": 2}, {"area": "data"}])
def test_options_that_moves_do_not_have_are_refused(viewer, options):
    from napari_ferry.plugin.camera_moves import Turn
    from napari_ferry.widgets.canvas import canvas_image

    with (
        pytest.raises(InvalidImageError, match="camera"),
        canvas_image(viewer, moves=Turn(nframes=3), **options),
    ):
        pass


def test_a_window_closed_during_the_export_ends_it(make_napari_viewer, tmp_path, qtbot):
    from qtpy.QtCore import QTimer

    from napari_ferry import FerryError
    from napari_ferry.plugin.camera_moves import Turn
    from napari_ferry.widgets.canvas import canvas_image, run_in_thread

    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.zeros((5, 6, 7)))
    viewer.dims.ndisplay = 3

    def close_meanwhile() -> None:
        with canvas_image(viewer, size=SIZE, moves=Turn(nframes=200)) as image:
            QTimer.singleShot(200, viewer.close)
            run_in_thread(plan(image, tmp_path / "a.mkv"))

    with pytest.raises(FerryError):
        close_meanwhile()
    assert not list(tmp_path.iterdir())
