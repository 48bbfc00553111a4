"""Frames drawn by the viewer in its own thread; everything is restored afterwards."""

import threading
import time
from typing import Any

import numpy as np
import pytest

from gui import WINDOW
from napari_ferry import InvalidImageError, SaveCancelledError, UnreadableFileError, imload, plan

pytestmark = WINDOW


@pytest.fixture
def viewer(shared_viewer: Any) -> Any:
    viewer = shared_viewer
    frames = np.zeros((6, 3, 40, 60), np.uint8)
    frames += np.arange(6, dtype=np.uint8)[:, None, None, None] * 40
    viewer.add_image(
        frames,
        contrast_limits=(0, 255),
        scale=(0.5, 1, 1, 1),
        axis_labels=("t", "z", "y", "x"),
        units=("s", "um", "um", "um"),
    )
    viewer.dims.current_step = (4, 1, 0, 0)
    return viewer


def brightness(frames: Any) -> list[int]:
    return [int(np.asarray(frame)[..., 0].max()) for frame in frames]


def test_frames_are_those_of_the_slider(viewer):
    from napari_ferry.widgets.canvas import canvas_image

    with canvas_image(viewer, area="data", start=1, step=2) as image:
        assert image.shape == (3, 40, 60, 3)
        assert (image.axes[0].name, image.axes[0].scale, image.frame_rate) == ("t", 1.0, 1.0)
        assert brightness(image.array) == [40, 120, 200]
    assert viewer.dims.current_step == (4, 1, 0, 0)


def test_points_and_three_dimensions_are_drawn(viewer):
    from napari_ferry.widgets.canvas import canvas_image

    scale, units = (0.5, 1, 1, 1), ("s", "um", "um", "um")
    points = np.array([[0, 1, 20, 30]])
    viewer.add_points(points, size=10, face_color="red", scale=scale, units=units)
    viewer.dims.ndisplay = 3
    before = viewer.screenshot(flash=False)
    with canvas_image(viewer, size=(90, 120)) as image:
        assert image.shape == (6, 90, 120, 3)
        first, second = (np.asarray(image.array[i]).astype(int) for i in (0, 5))
    red = (first[..., 0] - first[..., 1] > 150).sum(), (second[..., 0] - second[..., 1] > 150).sum()
    assert red[0] > 20
    assert red[1] == 0
    np.testing.assert_array_equal(viewer.screenshot(flash=False), before)


def test_a_movie_is_saved_while_the_window_lives(viewer, tmp_path):
    from qtpy.QtCore import QTimer

    from napari_ferry.widgets.canvas import canvas_image, run_in_thread

    ticks = []
    timer = QTimer()
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start(0)  # each time that the window has nothing else to do
    with canvas_image(viewer, area="data") as image:
        (path,) = run_in_thread(plan(image, tmp_path / "a.mkv"))
    timer.stop()
    assert brightness(imload(path)[0].array) == [0, 40, 80, 120, 160, 200]
    assert len(ticks) >= 6  # between any two frames there was time for something else
    assert viewer.dims.current_step == (4, 1, 0, 0)


@pytest.mark.parametrize("error", [RuntimeError("ours"), KeyboardInterrupt()])
def test_everything_is_restored_after_an_error(viewer, error):
    from napari_ferry.widgets.canvas import canvas_image

    def fail() -> None:
        with canvas_image(viewer) as image:
            image.array[0]
            raise error

    with pytest.raises(type(error)):
        fail()
    assert viewer.dims.current_step == (4, 1, 0, 0)


def test_a_cancelled_save_restores_everything_and_leaves_nothing(viewer, tmp_path):
    from napari_ferry.widgets.canvas import canvas_image, run_in_thread

    with pytest.raises(SaveCancelledError), canvas_image(viewer, area="data") as image:
        run_in_thread(plan(image, tmp_path / "a.mkv"), cancel=lambda: True)
    assert viewer.dims.current_step == (4, 1, 0, 0)
    assert not list(tmp_path.iterdir())


def test_a_thread_that_waits_for_a_closed_canvas_gets_an_error(viewer):
    from napari_ferry.widgets.canvas import canvas_image

    errors: list[BaseException] = []

    def read() -> None:
        try:
            image.array[3]
        except UnreadableFileError as error:
            errors.append(error)

    with canvas_image(viewer) as image:
        thread = threading.Thread(target=read)  # its frame waits, as this thread does not run
        thread.start()
    thread.join(5)
    assert "was closed" in str(errors[0])


def test_a_slider_or_step_that_does_not_exist_is_named(viewer):
    from napari_ferry.widgets.canvas import canvas_image

    with pytest.raises(InvalidImageError, match="sliders for t, z"), canvas_image(viewer, axis="c"):
        pass
    with (
        pytest.raises(InvalidImageError, match="has the size of the data"),
        canvas_image(viewer, area="data", size=(4, 4)),
    ):
        pass
    with pytest.raises(InvalidImageError, match="t has 6"), canvas_image(viewer, stop=7):
        pass
    assert viewer.dims.current_step == (4, 1, 0, 0)
