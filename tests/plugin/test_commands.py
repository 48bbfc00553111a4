"""Use of napari's window: drop, display, save and reopen files."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui import WINDOW, drop
from napari_ferry import Axis, Image, imload, imsave

pytestmark = WINDOW

PLUGIN = "napari-ferry"


@pytest.fixture
def viewer(shared_viewer: Any) -> Any:
    """Visible window with our readers as defaults."""
    from napari.settings import get_settings
    from qtpy.QtWidgets import QApplication

    viewer = shared_viewer
    if sys.platform == "linux":
        assert QApplication.platformName() == "xcb", "other platforms draw wrong pixels"
    suffixes = ("tif", "bin", "json", "gif", "mkv", "mp4")
    get_settings().plugins.extension2reader = {f"*.{suffix}": PLUGIN for suffix in suffixes}
    return viewer


@pytest.fixture
def errors(viewer: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Messages displayed by napari as errors.

    They are caught on their way to the screen, as what prints a traceback or shows it at a click
    keeps its frames, and with them the window.
    """
    from napari.utils.notifications import ErrorNotification, notification_manager

    messages: list[str] = []

    def show(notification: Any) -> None:
        if isinstance(notification, ErrorNotification):
            messages.append(notification.message)

    monkeypatch.setattr(ErrorNotification, "__str__", lambda self: self.message)
    monkeypatch.setattr("napari._qt.qt_main_window.NapariQtNotification.show_notification", show)
    with notification_manager:
        yield messages
    notification_manager.records.clear()
    sys.last_exc = sys.last_value = sys.last_traceback = None


def choose_in_menu(viewer: Any, title: str) -> None:
    """Trigger the entry of the File menu with this beginning."""
    menu = viewer.window.file_menu
    menu.aboutToShow.emit()
    (action,) = [a for a in menu.actions() if a.text().replace("&", "").startswith(title)]
    assert action.isEnabled()
    action.trigger()


def answer_dialog(monkeypatch: pytest.MonkeyPatch, path: Path, format_name: str) -> None:
    """Enter a name into the next Save dialog, and choose a format."""

    def answer(*_: Any, **options: Any) -> tuple[str, str]:
        formats = options["filter"].split(";;")
        return str(path), next(entry for entry in formats if format_name in entry)

    monkeypatch.setattr("napari._qt.qt_viewer.QFileDialog.getSaveFileName", answer)


def movie() -> Image:
    """Return a movie, dark at the top and bright at the bottom."""
    pixels = np.full((5, 40, 60), 20, np.uint16)
    pixels[:, 20:] = 220
    axes = (Axis("t", 0.5, "second"), Axis("y", 0.3, "micrometer"), Axis("x", 0.2, "micrometer"))
    return Image((pixels,), axes, name="cells", display={"contrast_limits": [0.0, 250.0]})


def test_a_dropped_tiff_is_seen_saved_and_opened_again(
    viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    imsave(movie(), tmp_path / "cells.tif")
    drop(viewer.window._qt_viewer, tmp_path / "cells.tif")
    (layer,) = viewer.layers
    assert layer.name == "cells"
    assert layer.axis_labels == ("t", "y", "x")
    assert [str(unit) for unit in layer.units] == ["second", "micrometer", "micrometer"]
    assert tuple(layer.scale) == (0.5, 0.3, 0.2)
    assert viewer.dims.axis_labels == ("t", "y", "x")

    height, width, _ = (picture := viewer.screenshot(flash=False)).shape
    assert abs(int(picture[height // 4, width // 2, 0]) - 20) < 5
    assert abs(int(picture[3 * height // 4, width // 2, 0]) - 224) < 5

    layer.colormap, layer.gamma = "magma", 0.5
    answer_dialog(monkeypatch, tmp_path / "saved.ome.tif", "OME-TIFF")
    choose_in_menu(viewer, "Save Selected Layers")
    assert (tmp_path / "saved.ome.tif").is_file()
    drop(viewer.window._qt_viewer, tmp_path / "saved.ome.tif")
    again = viewer.layers[-1]
    assert len(viewer.layers) == 2
    assert np.array_equal(again.data, movie().array)
    assert (again.colormap.name, again.gamma, again.axis_labels) == ("magma", 0.5, ("t", "y", "x"))


def test_a_name_without_suffix_replaces_nothing(
    viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, errors: list[str]
):
    viewer.add_image(np.zeros((8, 8), np.uint8), name="cells")
    answer_dialog(monkeypatch, tmp_path / "cells", "Raw binary")
    choose_in_menu(viewer, "Save All Layers")
    names = ["cells.bin", "cells.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    viewer.layers[0].data = np.ones((8, 8), np.uint8)
    choose_in_menu(viewer, "Save All Layers")
    assert (tmp_path / "cells.bin").read_bytes() == bytes(64)
    assert len(errors) == 1
    assert "cells.bin, cells.json" in errors[0]


def test_a_raw_file_and_its_sidecar_dropped_together(viewer: Any, tmp_path: Path):
    imsave(movie(), tmp_path / "raw.bin")
    drop(viewer.window._qt_viewer, tmp_path / "raw.bin", tmp_path / "raw.json")
    (layer,) = viewer.layers
    assert np.array_equal(layer.data, movie().array)
    assert layer.name == "cells"


def test_a_damaged_raw_file_is_shown_for_repair_and_the_window_lives(
    viewer: Any, tmp_path: Path, errors: list[str], qtbot: Any
):
    (path, _) = imsave(movie(), tmp_path / "cells.bin")
    os.truncate(path, 5000)
    drop(viewer.window._qt_viewer, path)
    assert errors == []
    (dock,) = viewer.window._wrapped_dock_widgets.values()
    repair = dock.inner_widget()
    qtbot.waitUntil(lambda: "cells.bin holds 5000 bytes" in repair.mismatch.text(), timeout=15_000)
    viewer.window.remove_dock_widget(repair)
    assert len(viewer.layers) == 0

    imsave(movie(), path, overwrite=True)
    drop(viewer.window._qt_viewer, path)
    assert len(viewer.layers) == 1
    assert viewer.screenshot(flash=False)[..., :3].max() > 200


@pytest.mark.parametrize(
    ("name", "format_name"),
    [("a.gif", "Animated GIF"), ("a.mkv", "Lossless"), ("a.mp4", "Video")],
)
def test_a_movie_is_saved_at_the_displayed_position(
    viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, format_name: str
):
    """The frame axis is time, and the slider determines the position in depth."""
    data = np.arange(6 * 4, dtype=np.uint8).reshape(6, 4, 1, 1) * np.ones((32, 48), np.uint8) * 10
    viewer.add_image(
        data,
        name="cells",
        axis_labels=("t", "z", "y", "x"),
        scale=(1, 2.5, 1, 1),
        translate=(0, 10, 0, 0),
        contrast_limits=(0, 255),
    )
    viewer.dims.set_current_step(1, 2)
    answer_dialog(monkeypatch, tmp_path / name, format_name)
    choose_in_menu(viewer, "Save Selected Layers")
    (found,) = imload(tmp_path / name)
    assert found.shape == (6, 32, 48)
    error = np.abs(found.load().astype(int) - data[:, 2].astype(int)).max()
    assert error <= (1 if name.endswith(".mp4") else 0)
    drop(viewer.window._qt_viewer, tmp_path / name)
    assert viewer.layers[-1].data.shape == (6, 32, 48)
