"""Frames that the viewer's canvas cannot draw: readers get an error, and nothing hangs."""

import threading
from typing import Any

import numpy as np
import pytest

import napari_ferry
from gui import WINDOW
from napari_ferry import InvalidImageError, SaveError

pytestmark = WINDOW


@pytest.fixture
def viewer(shared_viewer: Any) -> Any:
    viewer = shared_viewer
    viewer.add_image(np.zeros((3, 20, 30), np.uint8))
    return viewer


@pytest.mark.parametrize("workers", [1, 2])
def test_a_window_that_waits_for_its_own_frames_is_an_error(viewer, tmp_path, monkeypatch, workers):
    from napari_ferry.widgets import canvas
    from napari_ferry.widgets.canvas import canvas_reader

    monkeypatch.setattr(canvas_reader, "_START_TIMEOUT", 0.5)
    with (
        canvas.canvas_image(viewer) as image,
        pytest.raises(SaveError, match="waiting for this frame: save with run_in_thread"),
    ):
        napari_ferry.run(napari_ferry.plan(image, tmp_path / "a.mkv"), workers=workers)
    assert not list(tmp_path.iterdir())


def test_the_sliders_are_restored_in_the_thread_of_the_window(viewer, qtbot):
    from napari_ferry.widgets.canvas import canvas_image

    moved_in: list[threading.Thread] = []
    viewer.dims.current_step = (1, 0, 0)

    def note() -> None:
        moved_in.append(threading.current_thread())

    viewer.dims.events.current_step.connect(note)

    def take() -> None:
        with canvas_image(viewer) as image:
            np.asarray(image.array[2])

    thread = threading.Thread(target=take)
    thread.start()
    qtbot.waitUntil(lambda: not thread.is_alive() and viewer.dims.current_step[0] == 1)
    viewer.dims.events.current_step.disconnect(note)
    assert set(moved_in) == {threading.main_thread()}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"area": "all"}, "The area is 'all': choose one of view, data"),
        ({"size": (0, 10)}, r"The size is \(0, 10\): give height and width"),
        ({"size": 10}, "The size is 10: give height and width"),
        ({"scale": 0}, "The scale is 0: give a positive number"),
        ({"scale": float("nan")}, "The scale is nan"),
        ({"area": "data", "scale": 1e6}, "more than the limit of 16384 per side"),
        ({"size": (20_000, 10)}, "more than the limit of 16384 per side"),
    ],
    ids=["area", "no height", "one side", "no scale", "nan", "too large", "too high"],
)
def test_an_impossible_picture_is_refused(viewer, options, says):
    from napari_ferry.widgets.canvas import canvas_image

    with pytest.raises(InvalidImageError, match=says), canvas_image(viewer, **options):
        pass
