"""The frame in the viewer on the clipboard, in a real window."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils.notifications import notification_manager

from gui import WINDOW, menu_entry
from napari_ferry import imload
from napari_ferry.widgets.frame_copy import copy_frame

pytestmark = WINDOW


@pytest.fixture
def viewer(make_napari_viewer: Any) -> Any:
    viewer = make_napari_viewer(show=True)
    movie = np.zeros((3, 20, 30), np.uint8)
    movie[1], movie[2] = 100, 200
    viewer.add_image(movie, colormap="red", contrast_limits=(0, 200))
    return viewer


def copied(qtbot: Any, viewer: Any, folder: Path) -> np.ndarray:
    """Copy the frame; return the picture on the clipboard, axes y x s."""
    from qtpy.QtGui import QGuiApplication

    clipboard = QGuiApplication.clipboard()
    clipboard.clear()
    copy_frame(viewer)
    qtbot.waitUntil(lambda: not clipboard.image().isNull())
    assert clipboard.image().save(str(folder / "copied.png"))
    (image,) = imload(folder / "copied.png")
    return np.asarray(image.array)[..., :3]


def test_the_current_frame_is_copied_at_the_resolution_of_the_data(
    viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    for step, level in ((1, 128), (2, 255)):
        viewer.dims.set_current_step(0, step)
        picture = copied(qtbot, viewer, tmp_path)
        assert picture.shape == (20, 30, 3)
        assert np.abs(picture[..., 0].astype(int) - level).max() <= 1
        assert picture[..., 1:].max() == 0
    assert "30 x 20 pixels" in notification_manager.records[-1].message


def test_what_only_the_canvas_draws_is_copied_as_on_screen(
    viewer: Any, qtbot: Any, tmp_path: Path
) -> None:
    viewer.add_points(np.array([[0, 10, 15]]), size=5, face_color="white")
    viewer.dims.set_current_step(0, 0)
    picture = copied(qtbot, viewer, tmp_path)
    assert picture.shape[:2] == viewer.screenshot(flash=False).shape[:2]
    assert picture.max() == 255
    assert "as on screen" in notification_manager.records[-1].message


def test_nothing_visible_is_said(viewer: Any) -> None:
    viewer.layers[0].visible = False
    copy_frame(viewer)
    assert "make a layer visible" in notification_manager.records[-1].message


def test_the_menus_have_the_command(viewer: Any) -> None:
    assert menu_entry(viewer, viewer.window.layers_menu, "Copy frame to clipboard") is not None
