"""The tab *Movie* of the dock *Export*: speed, range, overlays, purposes, camera and results."""

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui import WINDOW
from napari_ferry import imload
from napari_ferry.plugin.samples import moving_cells
from napari_ferry.widgets.export.export_widget import show_export

pytestmark = WINDOW

WAIT = 20_000


@pytest.fixture
def viewer(shared_viewer: Any, tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    path = tmp_path_factory.mktemp("settings") / "export.json"
    monkeypatch.setattr("napari_ferry.plugin.settings_file.settings_path", lambda _: path)
    monkeypatch.setattr(
        "napari_ferry.widgets.export.saved_choices.preferences_page", lambda _: None
    )
    add(shared_viewer, "cells", seconds=0.5)
    return shared_viewer


@pytest.fixture
def export(viewer: Any, tmp_path: Path, qtbot: Any) -> Any:
    export = show_export(viewer, is_movie=True)
    line = export.movie.fields.target.line
    line.clear()
    qtbot.keyClicks(line, str(tmp_path / "a"))
    wait_until_ready(export.movie, qtbot)
    return export


@pytest.fixture
def movie(export: Any) -> Any:
    return export.movie


def add(viewer: Any, name: str, *, seconds: float, count: int = 8) -> Any:
    ramp = np.arange(count, dtype=np.uint8)[:, None, None] * 30
    return viewer.add_image(
        ramp + np.zeros((32, 48), np.uint8),
        name=name,
        axis_labels=("t", "y", "x"),
        scale=(seconds, 1, 1),
        units=("s", "um", "um"),
        contrast_limits=(0, 255),
    )


def wait_until_ready(tab: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: tab.ready is not None, timeout=WAIT)


def wait_for(tab: Any, words: str, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: words in tab.summary.text(), timeout=WAIT)


def wait_for_end(export: Any, qtbot: Any) -> None:
    jobs = export.jobs
    qtbot.waitUntil(lambda: jobs.running is None and not jobs.waiting, timeout=WAIT)


def press(widget: Any, qtbot: Any) -> None:
    from qtpy.QtCore import Qt

    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


# --- speed -------------------------------------------------------------------------------------


def test_a_preset_sets_the_speed(movie, qtbot):
    playback = movie.fields.playback
    press(playback.presets[2], qtbot)
    wait_for(movie, "8 frames at 25 per second.", qtbot)
    assert playback.presets[2].isChecked()
    assert (playback.frame_rate.value, playback.length.value) == ("25", "0.32")
    press(playback.real_time, qtbot)
    wait_for(movie, "8 frames at 2 per second.", qtbot)
    assert playback.real_time.isChecked()
    assert not playback.presets[2].isChecked()


def test_a_typed_length_sets_the_speed(movie, qtbot):
    playback = movie.fields.playback
    qtbot.keyClicks(playback.length.native, "4")
    wait_for(movie, "8 frames at 2 per second.", qtbot)
    assert (playback.frame_rate.value, playback.speed.value) == ("2", "1")
    movie.fields.drawing.fields["step"].value = 2
    wait_for(movie, "4 frames at 1 per second.", qtbot)
    playback.length.native.clear()
    qtbot.keyClicks(playback.length.native, "0")
    wait_for(movie, "enter a positive number", qtbot)


def test_a_time_lapse_of_half_a_minute_a_frame_plays_at_ten_per_second(movie, viewer, qtbot):
    viewer.layers[0].scale = (30, 1, 1)
    speed = movie.fields.playback.speed.native
    qtbot.waitUntil(lambda: speed.placeholderText() == "300", timeout=WAIT)
    wait_for(movie, "8 frames at 10 per second.", qtbot)


def test_a_rate_typed_for_one_recording_is_not_that_of_another(movie, viewer, qtbot):
    playback = movie.fields.playback
    qtbot.keyClicks(playback.frame_rate.native, "3")
    wait_for(movie, "at 3 per second", qtbot)
    viewer.layers.clear()
    add(viewer, "another", seconds=0.05)
    wait_for(movie, "8 frames at 20 per second.", qtbot)
    assert playback.frame_rate.value == ""


def test_more_than_60_frames_per_second_offer_to_leave_some_out(movie, qtbot):
    playback = movie.fields.playback
    qtbot.keyClicks(playback.frame_rate.native, "150")
    qtbot.waitUntil(lambda: "every 3rd frame" in playback.note.text(), timeout=WAIT)
    playback.note.linkActivated.emit("3")
    wait_for(movie, "3 frames at 50 per second.", qtbot)
    assert movie.fields.drawing.fields["step"].value == 3


# --- preview -----------------------------------------------------------------------------------


def test_the_preview_starts_at_the_frame_of_the_viewer(movie, viewer):
    assert movie.preview.position == viewer.dims.current_step[0] != 0
    assert movie.preview.count.text() == f"{movie.preview.position + 1} / 8, 1.5 s"


def test_the_ends_of_the_range_are_the_first_and_last_frame(movie, qtbot):
    movie.preview.range.setValue((2, 5))
    wait_for(movie, "4 frames at 10 per second.", qtbot)
    fields = movie.fields.drawing.fields
    assert (fields["start"].value, fields["stop"].value) == (2, "6")
    movie.preview.range.setValue((2, 7))
    wait_for(movie, "6 frames at 10 per second.", qtbot)
    assert fields["stop"].value == ""
    fields["start"].value = 4
    qtbot.waitUntil(lambda: tuple(movie.preview.range.value()) == (4, 7), timeout=WAIT)


def test_the_preview_plays_and_stops(movie, qtbot):
    preview = movie.preview
    first = preview.position
    press(preview.play_button, qtbot)
    qtbot.waitUntil(lambda: preview.position != first, timeout=WAIT)
    shown = {preview.position}
    qtbot.waitUntil(lambda: shown.add(preview.position) or len(shown) > 2, timeout=WAIT)
    press(preview.play_button, qtbot)
    assert not preview.timer.isActive()
    wait_until_ready(movie, qtbot)


def test_an_overlay_is_dragged_to_another_corner(movie, qtbot):
    from qtpy.QtCore import QPoint, Qt

    fields = movie.fields.drawing.fields
    fields["time_stamp"].value = "top_left"
    wait_until_ready(movie, qtbot)
    picture = movie.preview.picture
    end = QPoint(picture.width() - 9, picture.height() - 9)
    qtbot.mousePress(picture, Qt.MouseButton.LeftButton, pos=QPoint(9, 9))
    qtbot.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=end)
    assert fields["time_stamp"].value == "bottom_right"
    qtbot.mousePress(picture, Qt.MouseButton.LeftButton, pos=QPoint(9, 9))
    qtbot.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=end)
    assert fields["time_stamp"].value == "bottom_right"


def test_a_rectangle_drawn_on_the_preview_crops_the_movie(export, movie, tmp_path, qtbot):
    from qtpy.QtCore import QPoint, Qt

    qtbot.waitUntil(lambda: not movie.preview.picture.pixmap().isNull(), timeout=WAIT)
    picture = movie.preview.picture
    size = picture.pixmap().size()
    left, top = (picture.width() - size.width()) // 2, (picture.height() - size.height()) // 2
    press(movie.preview.crop_button, qtbot)
    middle = QPoint(left + size.width() // 2, top + size.height() // 2)
    qtbot.mousePress(picture, Qt.MouseButton.LeftButton, pos=QPoint(left, top))
    qtbot.mouseMove(picture, middle)
    qtbot.mouseRelease(picture, Qt.MouseButton.LeftButton, pos=middle)
    crop = movie.fields.drawing.fields["crop"]
    qtbot.waitUntil(lambda: crop.value == "0:16 0:24", timeout=WAIT)
    assert not movie.preview.crop_button.isChecked()
    wait_until_ready(movie, qtbot)
    press(movie.button, qtbot)
    wait_for_end(export, qtbot)
    assert imload(tmp_path / "a.mp4")[0].shape[1:3] == (16, 24)


# --- large fonts -------------------------------------------------------------------------------


@pytest.fixture
def large_font(shared_viewer: Any) -> None:
    """The font of napari at size 15; the fixture of the viewer resets it."""
    from napari.settings import get_settings

    get_settings().appearance.font_size = 15


def test_with_a_large_font_the_form_is_no_wider_and_nothing_covers_a_field(
    large_font, movie, qtbot
):
    from qtpy.QtWidgets import QLabel

    drawing = movie.fields.drawing
    drawing.sections["Frames"].expand(False)
    qtbot.waitUntil(drawing.forms["Frames"].isVisible)
    assert movie.minimumSizeHint().width() <= 320
    parts = [field.native for field in drawing.forms["Frames"].fields.values()]
    parts += drawing.forms["Frames"].findChildren(QLabel)
    qtbot.waitUntil(lambda: not _overlaps(parts))


def _overlaps(parts: list[Any]) -> bool:
    """Return True if a widget is lower than its text, or covers another one."""
    squeezed = any(part.height() < part.fontMetrics().height() for part in parts)
    pairs = itertools.combinations([part.geometry() for part in parts], 2)
    return squeezed or any(a.intersects(b) for a, b in pairs)


# --- purposes and size -------------------------------------------------------------------------


def test_a_purpose_sets_format_quality_and_size_until_one_is_changed(movie, qtbot):
    fields = movie.fields
    fields.purpose.value = "analysis"
    assert ".mkv" in fields.selected_format.suffixes
    fields.purpose.value = "talk"
    wait_until_ready(movie, qtbot)
    assert ".mp4" in fields.selected_format.suffixes
    assert fields.format_options.fields["quality"].value == "high"
    assert fields.drawing.fields["fit"].value == "1080p"
    assert fields.purpose.value == "talk"
    fields.drawing.fields["fit"].value = None
    assert fields.purpose.value is None


def test_the_estimated_size_replaces_the_largest_one(movie, tmp_path, qtbot):
    wait_for(movie, "a.mp4, about ", qtbot)


def test_a_gif_too_large_for_mail_offers_half_the_size(movie, monkeypatch, qtbot):
    monkeypatch.setattr("napari_ferry.widgets.export.movie_tab._MAIL_BYTES", 100)
    fields = movie.fields
    fields.format.value = next(form for form in fields.offered if ".gif" in form.suffixes)
    suggestion = movie.summary.suggestion
    qtbot.waitUntil(lambda: "halve the size" in suggestion.text(), timeout=WAIT)
    suggestion.linkActivated.emit("accept")
    assert fields.drawing.fields["scale"].value == 0.5
    wait_until_ready(movie, qtbot)
    assert movie.source.drawn.shape[1:3] == (16, 24)


def test_a_folder_stands_for_the_suggested_name_in_it(movie, tmp_path, qtbot):
    line = movie.fields.target.line
    line.clear()
    qtbot.keyClicks(line, f"{tmp_path}{os.sep}")
    wait_for(movie, "cells.mp4", qtbot)
    assert movie.ready.path == tmp_path / "cells.mp4"


# --- what is shown -----------------------------------------------------------------------------


def test_other_axes_are_named_and_can_be_projected(movie, viewer, tmp_path, qtbot):
    viewer.layers.clear()
    stack = np.zeros((4, 6, 8, 8), np.uint8)
    stack[:, 5] = 200
    viewer.add_image(
        stack, name="stack", axis_labels=("t", "z", "y", "x"), contrast_limits=(0, 255)
    )
    viewer.dims.set_current_step(1, 2)
    wait_until_ready(movie, qtbot)
    other = movie.fields.other_axes
    assert other.native.currentText() == "z = 2 of 6"
    other.value = "max"
    wait_until_ready(movie, qtbot)
    press(movie.button, qtbot)
    qtbot.waitUntil((tmp_path / "a.mp4").exists, timeout=WAIT)
    assert abs(int(imload(tmp_path / "a.mp4")[0].array[0].max()) - 200) < 6


def test_the_camera_turns_in_the_movie(export, movie, viewer, tmp_path, qtbot):
    viewer.layers.clear()
    volume = np.zeros((16, 16, 16), np.uint8)
    volume[4:12, 4:12, 2:6] = 255
    viewer.add_image(volume, name="volume")
    viewer.dims.ndisplay = 3
    angles = tuple(viewer.scene.camera.angles)
    camera = movie.fields.camera
    camera.kind.value = "turn"
    camera.turn.fill({"length": "6", "unit": "frames"})
    wait_for(movie, "drawn as on screen, because the camera moves", qtbot)
    playback = movie.fields.playback
    assert not playback.length.enabled
    assert not playback.speed.enabled
    wait_until_ready(movie, qtbot)
    press(movie.button, qtbot)
    qtbot.waitUntil((tmp_path / "a.mp4").exists, timeout=WAIT)
    wait_for_end(export, qtbot)
    (found,) = imload(tmp_path / "a.mp4")
    assert found.name == "a"
    assert found.axis("t").scale == pytest.approx(1 / 30)
    assert tuple(viewer.scene.camera.angles) == pytest.approx(angles)


def test_a_layer_that_is_not_checked_is_hidden_while_the_canvas_draws(
    export, movie, viewer, tmp_path, qtbot
):
    from qtpy.QtCore import Qt

    add(viewer, "white", seconds=0.5).data = np.full((8, 32, 48), 255, np.uint8)
    viewer.add_points(np.zeros((1, 3)), name="spots", size=1)
    movie.fields.layer_list.item(1).setCheckState(Qt.CheckState.Unchecked)
    wait_for(movie, "drawn as on screen", qtbot)
    press(movie.button, qtbot)
    wait_for_end(export, qtbot)
    (found,) = imload(tmp_path / "a.mp4")
    assert found.array[0].mean() < 100
    assert viewer.layers["white"].visible


def test_an_unchecked_layer_is_hidden_in_key_frames(export, movie, viewer, tmp_path, qtbot):
    from qtpy.QtCore import Qt

    add(viewer, "white", seconds=0.5).data = np.full((8, 32, 48), 255, np.uint8)
    camera = movie.fields.camera
    camera.kind.value = "key frames"
    camera.key_frames.length.fill("3", "frames")
    for _ in range(2):
        camera.key_frames.add()
    movie.fields.layer_list.item(0).setCheckState(Qt.CheckState.Unchecked)
    wait_for(movie, "because the camera moves", qtbot)
    wait_until_ready(movie, qtbot)
    press(movie.button, qtbot)
    wait_for_end(export, qtbot)
    (found,) = imload(tmp_path / "a.mp4")
    assert found.array[0].max() < 100
    assert viewer.layers["white"].visible


def test_a_color_bar_is_shown_in_the_preview_at_once(movie, viewer, qtbot):
    wait_until_ready(movie, qtbot)
    viewer.layers["cells"].colorbar.visible = True
    assert movie.ready is None
    wait_for(movie, "color bar", qtbot)


def test_labels_under_a_projection_are_those_at_the_sliders(movie, viewer, tmp_path, qtbot):
    viewer.layers.clear()
    stack = np.zeros((4, 6, 8, 8), np.uint8)
    labels = np.zeros((4, 6, 8, 8), np.uint8)
    labels[:, 2, :4] = 1
    axis_labels = ("t", "z", "y", "x")
    viewer.add_image(stack, name="stack", axis_labels=axis_labels, contrast_limits=(0, 255))
    viewer.add_labels(labels, name="cells", axis_labels=axis_labels, opacity=1)
    viewer.dims.set_current_step(1, 2)
    wait_until_ready(movie, qtbot)
    movie.fields.other_axes.value = "max"
    wait_for(movie, "cells: labels are shown at z = 2 of 6, not projected", qtbot)
    wait_until_ready(movie, qtbot)
    picture = movie.source.draw(0)
    assert picture[:4].max() > 0
    assert picture[4:].max() == 0


def test_a_hidden_layer_that_is_checked_is_in_the_movie(movie, viewer, qtbot):
    from qtpy.QtCore import Qt

    viewer.layers[0].visible = False
    wait_for(movie, "No layer is checked", qtbot)
    movie.fields.layer_list.item(0).setCheckState(Qt.CheckState.Checked)
    wait_until_ready(movie, qtbot)
    assert movie.source.draw(7).max() == 210


def test_a_frame_that_cannot_be_shown_does_not_stop_the_export(movie, viewer, qtbot):
    from napari_ferry.arrays import Frames

    def read(i: int) -> Any:
        if i == 5:
            raise ValueError("gone")
        return np.full((32, 48), i, np.uint8)

    viewer.layers[0].data = Frames(read, (8, 32, 48), np.uint8, 1)
    movie.preview.range.setValue((0, 3))
    wait_for(movie, "4 frames", qtbot)
    movie.preview.slider.setValue(5)
    qtbot.waitUntil(lambda: "gone" in movie.preview.picture.text(), timeout=WAIT)
    assert movie.button.isEnabled()


def test_a_typed_rate_stays_when_layers_are_hidden(movie, viewer, qtbot):
    add(viewer, "more", seconds=0.5)
    wait_until_ready(movie, qtbot)
    rate = movie.fields.playback.frame_rate
    qtbot.keyClicks(rate.native, "3")
    viewer.layers[0].visible = False
    wait_for(movie, "at 3 per second", qtbot)
    assert rate.value == "3"


def test_another_format_keeps_the_picture(movie, qtbot):
    fields = movie.fields
    fields.drawing.fields["scale_bar"].value = "top_left"
    qtbot.keyClicks(fields.playback.frame_rate.native, "3")
    for suffix in (".gif", ".mp4"):
        fields.format.value = next(form for form in fields.offered if suffix in form.suffixes)
        assert fields.drawing.fields["scale_bar"].value == "top_left"
        assert fields.playback.frame_rate.value == "3"


@pytest.mark.sample(1)
@pytest.mark.parametrize("text", ["~nobody-of-that-name/a", "x" * 300, "a\0b"])
def test_an_impossible_path_is_one_sentence(movie, qtbot, text):
    line = movie.fields.target.line
    line.setText(text)
    line.textEdited.emit(text)
    qtbot.waitUntil(lambda: not movie.button.isEnabled(), timeout=WAIT)
    assert movie.summary.headline.text()


def test_the_overlays_that_the_canvas_lacks_are_said(movie, viewer, qtbot):
    movie.fields.drawing.fields["time_stamp"].value = "top_left"
    viewer.add_points(np.zeros((1, 3)), name="spots", size=1)
    wait_for(movie, "Time stamp (set above): the viewer draws only its own overlays", qtbot)
    assert "H.264" in movie.summary.text()


# --- results -----------------------------------------------------------------------------------


def test_a_finished_movie_is_played_shown_copied_and_dragged(
    export, movie, tmp_path, qtbot, monkeypatch
):
    from qtpy.QtGui import QDesktopServices, QGuiApplication
    from qtpy.QtWidgets import QPushButton

    opened: list[Path] = []

    def open_url(url: Any) -> bool:
        opened.append(Path(url.toLocalFile()))
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    qtbot.waitUntil(lambda: not movie.preview.picture.pixmap().isNull(), timeout=WAIT)
    press(movie.button, qtbot)
    row = export.jobs.running
    wait_for_end(export, qtbot)
    buttons = {button.text(): button for button in row.findChildren(QPushButton)}
    press(buttons["Play"], qtbot)
    assert opened == [tmp_path / "a.mp4"]
    press(buttons["Copy"], qtbot)
    copied = QGuiApplication.clipboard().mimeData().urls()
    assert [Path(url.toLocalFile()) for url in copied] == [tmp_path / "a.mp4"]
    assert row.handle.paths == [tmp_path / "a.mp4"]
    assert not row.handle.pixmap().isNull()


def test_five_clicks_lead_from_an_empty_window_to_a_playing_movie(
    viewer, tmp_path, qtbot, monkeypatch
):
    """A drop of two files, a menu with its entry, *Export*, *Play*."""
    from napari._app_model import get_app_model
    from napari.settings import get_settings
    from qtpy.QtGui import QDesktopServices
    from qtpy.QtWidgets import QPushButton

    from gui import drop
    from napari_ferry import imsave

    viewer.layers.clear()
    image, labels = moving_cells(frames=40)
    paths = [tmp_path / "cells.tif", tmp_path / "numbers.tif"]
    for path, each in zip(paths, (image, labels), strict=True):
        imsave(each, path)
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    opened: list[Path] = []
    monkeypatch.setattr(
        QDesktopServices, "openUrl", lambda url: opened.append(Path(url.toLocalFile()))
    )
    clicks = 1
    get_settings().plugins.extension2reader = {"*.tif": "napari-ferry"}
    drop(viewer.window._qt_viewer, *paths)
    clicks += 2  # the menu, and its entry
    get_app_model().commands.execute_command("napari-ferry.export_movie").result()
    export = viewer.window.dock_widgets["Export (napari-ferry)"]
    wait_until_ready(export.movie, qtbot)
    assert len(export.movie.fields.checked_layers()) == 2

    clicks += 1
    press(export.movie.button, qtbot)
    row = export.jobs.running
    wait_for_end(export, qtbot)
    clicks += 1
    (play,) = [b for b in row.findChildren(QPushButton) if b.text() == "Play"]
    press(play, qtbot)
    assert clicks == 5
    assert opened
    assert opened[0].suffix == ".mp4"
    assert imload(opened[0])[0].shape[-1] == 3


# --- pictures ----------------------------------------------------------------------------------


def test_pictures_are_drawn_as_seen(movie, viewer, qtbot, tmp_path):
    viewer.layers[0].colormap = "red"
    fields = movie.fields
    fields.format.value = next(each for each in fields.format.choices if ".png" in each.suffixes)
    wait_for(movie, "8 files", qtbot)
    request = fields.movie()
    assert request.as_seen
    drawn = request.plan()
    assert any("drawn as napari shows it" in loss for loss in drawn.losses)
    assert [path.suffix for path in drawn.paths] == [".png"] * 8
    fields.format.value = next(each for each in fields.format.choices if ".mkv" in each.suffixes)
    assert fields.movie().as_seen is None
