"""The widget *Export layers*: choose, type, tick and click, as a hand does."""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui import answer
from napari_ferry import imload
from napari_ferry.arrays import Frames

pytestmark = [
    pytest.mark.window,
    pytest.mark.skipif(
        sys.platform == "linux" and not os.environ.get("DISPLAY"),
        reason="no display: run under xvfb-run",
    ),
]

WAIT = 15_000
MOVIES = (".gif", ".mkv", ".mp4")
MORE = (".ome.tif", ".bin", ".mkv")
THOROUGH = pytest.mark.thorough


@pytest.fixture
def settings_file(tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path_factory.mktemp("settings") / "export.json"
    monkeypatch.setattr("napari_ferry.widgets.export.saved_choices._path", lambda: path)
    monkeypatch.setattr("napari_ferry.widgets.export.preferences._page", lambda: None)
    return path


@pytest.fixture
def viewer(make_napari_viewer: Any) -> Any:
    viewer = make_napari_viewer(show=True)
    add(viewer, "cells")
    return viewer


@pytest.fixture
def widget(viewer: Any, settings_file: Path, tmp_path: Path, qtbot: Any) -> Any:
    return opened(viewer, tmp_path / "a", qtbot)


def add(viewer: Any, name: str, data: Any = None) -> Any:
    if data is None:
        data = np.arange(8, dtype=np.uint8)[:, None, None] * 30 + np.zeros((32, 48), np.uint8)
    return viewer.add_image(
        data,
        name=name,
        axis_labels=("t", "y", "x"),
        scale=(0.5, 1, 1),
        units=("s", "um", "um"),
        contrast_limits=(0, 255),
    )


def opened(viewer: Any, path: Path, qtbot: Any) -> Any:
    """Open the widget from the plugins' menu, and name the file."""
    _, widget = viewer.window.add_plugin_dock_widget("napari-ferry", "Export layers")
    type_path(widget, path, qtbot)
    wait_for_offer(widget, qtbot)
    return widget


def type_path(widget: Any, path: Path, qtbot: Any) -> None:
    line = widget.fields.where.path
    line.clear()
    qtbot.keyClicks(line, str(path))


def type_into(field: Any, text: str, qtbot: Any) -> None:
    field.native.clear()
    qtbot.keyClicks(field.native, text)


def choose(widget: Any, suffix: str, qtbot: Any) -> None:
    fields = widget.fields
    fields.format.value = next(c for c in fields.format.choices if suffix in c.suffixes)
    wait_for_offer(widget, qtbot)


def wait_for_offer(widget: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: widget.offer is not None, timeout=WAIT)


def wait_for_words(widget: Any, words: str, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: words in widget.summary.text(), timeout=WAIT)


def click(widget: Any, qtbot: Any) -> Any:
    """Click *Export*, and return the line of that export."""
    from qtpy.QtCore import Qt

    wait_for_offer(widget, qtbot)
    qtbot.mouseClick(widget.button, Qt.MouseButton.LeftButton)
    return rows(widget)[0]


def rows(widget: Any) -> list[Any]:
    from napari_ferry.widgets.export.jobs import JobRow

    layout = widget.jobs.layout()
    found = [layout.itemAt(i).widget() for i in range(layout.count())]
    return [row for row in found if isinstance(row, JobRow)]


def wait_for_end(widget: Any, qtbot: Any) -> None:
    jobs = widget.jobs
    qtbot.waitUntil(lambda: jobs.running is None and not jobs.waiting, timeout=WAIT)


class Slow:
    """A source that takes its time, and can be told to stop or to fail."""

    def __init__(self, seconds: float, side: int, fails: bool) -> None:
        self.side = side
        self.seconds = seconds
        self.fails = fails
        self.reads = 0

    def __call__(self, i: int) -> Any:
        self.reads += 1
        if self.seconds and threading.current_thread() is not threading.main_thread():
            time.sleep(self.seconds)
        if self.fails and i > 150:
            raise ValueError(f"frame {i} is gone\nand more")
        return np.full((self.side, 48), i, np.uint8)


def slow_layer(viewer: Any, seconds: float, side: int = 32, fails: bool = False) -> Any:
    read = Slow(seconds, side, fails)
    return add(viewer, "slow", Frames(read, (200, side, 48), np.uint8, 1))


@pytest.mark.parametrize(
    "suffix",
    [
        ".tif",
        ".gif",
        ".mp4",
        *(pytest.param(s, marks=THOROUGH) for s in (".ome.tif", ".bin", ".mkv")),
    ],
)
def test_every_format_is_exported_and_opened_again(widget, viewer, tmp_path, qtbot, suffix):
    choose(widget, suffix, qtbot)
    row = click(widget, qtbot)
    wait_for_end(widget, qtbot)
    assert "saved" in row.text.text()
    (found,) = imload(tmp_path / f"a{suffix}")
    assert np.abs(found.load().astype(int) - viewer.layers[0].data).max() <= 1
    row._open_in_napari(tmp_path / f"a{suffix}")
    assert viewer.layers[-1].data.shape[0] == 8


@pytest.mark.thorough
def test_every_format_is_offered(widget):
    from napari_ferry.widgets.summary import formats

    assert tuple(widget.fields.format.choices) == formats()


def test_what_it_will_be_is_said_and_follows_what_is_chosen(widget, qtbot):
    wait_for_words(widget, "a.tif, ", qtbot)
    assert "free there" in widget.summary.text()
    choose(widget, ".gif", qtbot)
    wait_for_words(widget, "8 frames at 10 per second: 0.8 s.", qtbot)
    assert widget.preview.isVisible()
    widget.fields.drawing.fields["step"].value = 2
    wait_for_words(widget, "4 frames at 10 per second: 0.4 s.", qtbot)
    type_into(widget.fields.play.frame_rate, "20", qtbot)
    wait_for_words(widget, "4 frames at 20 per second: 0.2 s.", qtbot)


def test_a_preview_is_shown_and_its_slider_draws_without_planning_anew(widget, qtbot):
    choose(widget, ".gif", qtbot)

    def shade() -> int:
        picture = widget.preview.picture.pixmap().toImage()
        return 0 if picture.isNull() else picture.pixelColor(20, 20).red()

    qtbot.waitUntil(lambda: not widget.preview.picture.pixmap().isNull(), timeout=WAIT)
    assert shade() == 0
    offer = widget.offer
    widget.preview.slider.setValue(5)
    qtbot.waitUntil(lambda: shade() == 150, timeout=WAIT)
    assert widget.offer is offer


def test_what_a_layer_looks_like_is_planned_anew(widget, viewer, qtbot):
    choose(widget, ".gif", qtbot)
    wait_for_words(widget, "8 frames", qtbot)
    viewer.layers[0].colormap = "magma"
    assert widget.offer is None
    wait_for_words(widget, "cells is drawn as napari shows it", qtbot)
    viewer.layers[0].scale = (0.125, 1, 1)
    wait_for_words(widget, "at 8 per second", qtbot)


@pytest.mark.thorough
def test_playing_the_movie_plans_nothing_anew(widget, viewer, qtbot):
    choose(widget, ".gif", qtbot)
    offer = widget.offer
    viewer.dims.set_current_step(0, 6)
    assert widget.offer is offer
    viewer.add_image(np.zeros((3, 8, 32, 48), np.uint8), axis_labels=("z", "t", "y", "x"))
    wait_for_offer(widget, qtbot)
    viewer.dims.set_current_step(0, 2)
    assert widget.offer is None
    wait_for_offer(widget, qtbot)


def test_frame_rate_and_speed_follow_each_other(widget, viewer, qtbot):
    choose(widget, ".mp4", qtbot)
    play = widget.fields.play
    assert play.frame_rate.native.placeholderText() == "10 per second"
    assert play.speed.native.placeholderText() == "5"
    wait_for_words(widget, "the movie plays at 10 per second, 5 x real time", qtbot)
    type_into(play.frame_rate, "20", qtbot)
    assert play.speed.value == "10"
    type_into(play.speed, "4", qtbot)
    assert play.frame_rate.value == "8"
    wait_for_words(widget, "at 8 per second: 1 s.", qtbot)
    assert "real time" not in widget.summary.text()
    viewer.layers[0].scale = (1, 1, 1)
    wait_for_words(widget, "at 4 per second", qtbot)
    assert (play.speed.value, play.frame_rate.value) == ("4", "4")
    play.speed.native.clear()
    assert play.frame_rate.value == ""
    type_into(play.frame_rate, "fast", qtbot)
    wait_for_words(widget, "enter a number", qtbot)
    assert not widget.button.isEnabled()
    type_into(play.frame_rate, "2,5", qtbot)
    wait_for_words(widget, "at 2.5 per second", qtbot)


@pytest.mark.thorough
def test_speed_means_nothing_without_a_clock(widget, viewer, qtbot):
    choose(widget, ".mp4", qtbot)
    type_into(widget.fields.play.speed, "4", qtbot)
    viewer.layers[0].units = ("pixel", "um", "um")
    wait_for_words(widget, "at 10 per second, which is assumed", qtbot)
    assert not widget.fields.play.speed.enabled
    assert widget.fields.play.frame_rate.value == ""


def test_files_that_stand_there_are_asked_about_once(widget, tmp_path, qtbot, monkeypatch):
    asked = answer(monkeypatch, "No")
    path = tmp_path / "a.tif"
    path.write_bytes(b"mine")
    wait_for_offer(widget, qtbot)
    from qtpy.QtCore import Qt

    qtbot.mouseClick(widget.button, Qt.MouseButton.LeftButton)
    assert len(asked) == 1
    assert "a.tif already exists" in asked[0]
    assert (path.read_bytes(), rows(widget)) == (b"mine", [])
    asked = answer(monkeypatch, "Yes")
    click(widget, qtbot)
    wait_for_end(widget, qtbot)
    assert len(asked) == 1
    assert imload(path)[0].shape == (8, 32, 48)


@pytest.mark.thorough
def test_a_click_while_it_is_planned_exports_what_was_typed_last(widget, tmp_path, qtbot):
    from qtpy.QtCore import Qt

    type_path(widget, tmp_path / "b", qtbot)
    assert widget.offer is None
    widget.button.setFocus()
    qtbot.keyClick(widget.button, Qt.Key.Key_Space)
    qtbot.waitUntil((tmp_path / "b.tif").exists, timeout=WAIT)
    wait_for_end(widget, qtbot)
    assert not (tmp_path / "a.tif").exists()
    assert len(rows(widget)) == 1


@pytest.mark.parametrize("suffix", [".tif", pytest.param(".gif", marks=THOROUGH), ".mp4"])
def test_cancel_acts_at_once_and_leaves_nothing(widget, viewer, tmp_path, qtbot, suffix):
    slow_layer(viewer, 0.02, side=5000)
    choose(widget, suffix, qtbot)
    (tmp_path / "mine.txt").write_text("mine")
    row = click(widget, qtbot)
    qtbot.waitUntil(lambda: row.bar.value() > 20, timeout=WAIT)
    assert "left" in row.text.text()
    started = time.perf_counter()
    row.button.click()
    wait_for_end(widget, qtbot)
    assert time.perf_counter() - started < 1
    assert row.text.text() == f"a{suffix}: cancelled; nothing was left behind"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_activity_dock_shows_and_cancels_it(widget, viewer, tmp_path, qtbot):
    from napari._qt.widgets.qt_progress_bar import QtLabeledProgressBar

    slow_layer(viewer, 0.02, side=5000)
    row = click(widget, qtbot)
    qtbot.waitUntil(lambda: row.bar.value() > 0, timeout=WAIT)
    bars = viewer.window._qt_window._activity_dialog.findChildren(QtLabeledProgressBar)
    (bar,) = [bar for bar in bars if "Export a.tif" in bar.description_label.text()]
    bar.cancel_button.click()
    wait_for_end(widget, qtbot)
    assert "cancelled" in row.text.text()
    assert not list(tmp_path.iterdir())


def test_two_exports_queue(widget, viewer, tmp_path, qtbot):
    slow_layer(viewer, 0.002)
    first = click(widget, qtbot)
    choose(widget, ".gif", qtbot)
    second = click(widget, qtbot)
    assert second.text.text() == "a.gif: waiting"
    type_path(widget, tmp_path / "never", qtbot)
    third = click(widget, qtbot)
    third.button.click()
    assert third.text.text() == "never.gif: cancelled"
    wait_for_end(widget, qtbot)
    assert all("saved" in row.text.text() for row in (first, second))
    assert {path.name for path in tmp_path.iterdir()} == {"a.tif", "a.gif"}


def test_a_source_that_fails_is_one_sentence_and_the_form_stays(widget, viewer, tmp_path, qtbot):
    slow_layer(viewer, 0, fails=True)
    choose(widget, ".tif", qtbot)
    widget.fields.form.fields["compression"].value = "zlib"
    row = click(widget, qtbot)
    wait_for_end(widget, qtbot)
    said = row.text.text()
    assert said.startswith("a.tif: The pixels [")
    assert said.endswith("frame 151 is gone and more): check that it is still there and whole.")
    assert widget.fields.form.fields["compression"].value == "zlib"
    assert widget.fields.where.path.text() == str(tmp_path / "a")
    assert not list(tmp_path.iterdir())
    wait_for_offer(widget, qtbot)


def names(widget: Any) -> list[tuple[str, bool]]:
    from qtpy.QtCore import Qt

    ticks = widget.fields.ticks
    items = [ticks.item(i) for i in range(ticks.count())]
    return [(item.text(), item.checkState() == Qt.CheckState.Checked) for item in items]


def test_the_list_follows_the_viewer(widget, viewer):
    assert names(widget) == [("cells", True)]
    more = add(viewer, "more")
    assert names(widget) == [("more", True), ("cells", False)]
    viewer.layers.selection = set(viewer.layers)
    assert names(widget) == [("more", True), ("cells", True)]
    more.name = "less"
    viewer.layers.reverse()
    assert names(widget) == [("cells", True), ("less", True)]
    viewer.layers.remove(more)
    assert names(widget) == [("cells", True)]
    more.name = "gone"
    assert names(widget) == [("cells", True)]


def test_ticks_that_were_made_by_hand_stay(widget, viewer, qtbot):
    from qtpy.QtCore import Qt

    more = add(viewer, "more")
    ticks = widget.fields.ticks
    ticks.setFocus()
    ticks.setCurrentRow(1)
    qtbot.keyClick(ticks, Qt.Key.Key_Space)
    assert names(widget) == [("more", True), ("cells", True)]
    viewer.layers.selection = {more}
    add(viewer, "third")
    assert names(widget) == [("third", False), ("more", True), ("cells", True)]
    ticks.follow()
    assert names(widget) == [("third", True), ("more", False), ("cells", False)]


def test_nothing_ticked_or_nothing_that_is_saved_is_said(widget, viewer, qtbot):
    viewer.layers.selection.clear()
    wait_for_words(widget, "No layer is ticked", qtbot)
    assert not widget.button.isEnabled()
    viewer.layers.clear()
    wait_for_words(widget, "No layer is ticked", qtbot)
    viewer.add_points(np.zeros((3, 2)), name="spots")
    wait_for_words(widget, "spots is a points layer", qtbot)
    add(viewer, "cells")
    wait_for_offer(widget, qtbot)


def test_a_picture_goes_with_the_layers_it_was_of(widget, viewer, qtbot):
    choose(widget, ".mp4", qtbot)
    picture = widget.preview.picture
    qtbot.waitUntil(lambda: not picture.pixmap().isNull(), timeout=WAIT)
    viewer.layers.selection.clear()
    wait_for_words(widget, "No layer is ticked", qtbot)
    assert picture.pixmap().isNull()


def test_what_was_chosen_is_remembered(widget, viewer, tmp_path, settings_file, qtbot):
    choose(widget, ".tif", qtbot)
    widget.fields.form.fields["compression"].value = "zstd"
    choose(widget, ".gif", qtbot)
    widget.fields.form.fields["colors"].value = 16
    widget.fields.drawing.fields["start"].value = 1
    widget.fields.drawing.fields["time_stamp"].value = "top_left"
    type_into(widget.fields.play.speed, "4", qtbot)
    click(widget, qtbot)
    wait_for_end(widget, qtbot)
    assert json.loads(settings_file.read_text())["format"] == "Animated GIF"
    _, second = viewer.window.add_plugin_dock_widget("napari-ferry", "Export layers")
    if second is widget:
        viewer.window.remove_dock_widget(widget)
        _, second = viewer.window.add_plugin_dock_widget("napari-ferry", "Export layers")
    fields = second.fields
    assert fields.chosen.title == "Animated GIF"
    assert fields.form.fields["colors"].value == 16
    assert fields.drawing.fields["time_stamp"].value == "top_left"
    assert fields.drawing.fields["start"].value == 0
    assert Path(fields.where.path.text()) == tmp_path / "cells.gif"
    wait_for_words(second, "at 8 per second", qtbot)
    assert fields.play.speed.value == "4"
    choose(second, ".tif", qtbot)
    assert fields.form.fields["compression"].value == "zstd"


@pytest.mark.thorough
@pytest.mark.parametrize(
    "text", ["[]", "{", '{"format": 3, "folder": null}', '{"Video": {"scale": []}}']
)
def test_what_was_remembered_badly_is_passed_over(viewer, settings_file, tmp_path, qtbot, text):
    settings_file.write_text(text)
    widget = opened(viewer, tmp_path / "a", qtbot)
    choose(widget, ".mp4", qtbot)
    assert widget.fields.drawing.fields["scale"].value == 1


@pytest.mark.thorough
def test_browsing_offers_the_format_and_takes_its_suffix(widget, tmp_path, qtbot, monkeypatch):
    from qtpy.QtWidgets import QFileDialog

    asked: list[Any] = []

    def reply(parent: Any, title: str, start: str, pattern: str, options: Any) -> tuple[str, str]:
        asked.append((start, pattern))
        return str(tmp_path / "browsed"), pattern

    monkeypatch.setattr(QFileDialog, "getSaveFileName", reply)
    choose(widget, ".ome.tif", qtbot)
    widget.fields.where.browse.click()
    assert asked == [(str(tmp_path / "a.ome.tif"), "OME-TIFF (*.ome.tif *.ome.tiff)")]
    wait_for_words(widget, "browsed.ome.tif", qtbot)
    click(widget, qtbot)
    wait_for_end(widget, qtbot)
    assert [path.name for path in tmp_path.iterdir()] == ["browsed.ome.tif"]


def test_a_place_that_cannot_be_is_said_before_the_click(widget, tmp_path, qtbot):
    type_path(widget, tmp_path / "nowhere" / "a.tif", qtbot)
    wait_for_words(widget, "is not there: make it, or choose another one.", qtbot)
    assert not widget.button.isEnabled()
    (tmp_path / "folder.tif").mkdir()
    type_path(widget, tmp_path / "folder.tif", qtbot)
    wait_for_words(widget, "is a folder", qtbot)
    widget.fields.where.path.clear()
    qtbot.keyClicks(widget.fields.where.path, " ")
    wait_for_words(widget, "There is no name yet", qtbot)


@pytest.mark.thorough
def test_a_range_that_is_typed_wrong_is_said(widget, qtbot):
    choose(widget, ".gif", qtbot)
    widget.fields.more.expand(False)
    stop = widget.fields.drawing.fields["stop"]
    type_into(stop, "a<b", qtbot)
    wait_for_words(
        widget, "The stop is 'a&lt;b': enter a whole number, or leave the field empty.", qtbot
    )
    type_into(stop, "9", qtbot)
    wait_for_words(widget, "t has 8", qtbot)
    type_into(stop, "4", qtbot)
    wait_for_words(widget, "4 frames", qtbot)


def test_the_keyboard_reaches_everything(widget, qtbot):
    choose(widget, ".gif", qtbot)
    widget.fields.more.expand(False)
    fields = widget.fields
    wanted = [fields.ticks, fields.format.native, fields.where.path, fields.where.browse]
    wanted += [field.native for field in fields.form.fields.values()]
    wanted += [fields.play.axis.native, fields.play.frame_rate.native, fields.play.speed.native]
    wanted += [fields.source.native]
    wanted += [field.native for field in fields.drawing.fields.values()]
    wanted += [widget.preview.slider, widget.button]
    reached, here = [], widget.fields.ticks
    for _ in range(200):
        reached.append(here)
        here = here.nextInFocusChain()
    places = [reached.index(each) for each in wanted]
    assert places == sorted(places)
    assert all(each.focusPolicy().value & 1 for each in wanted)
    assert all(each.accessibleName() or each.text() for each in wanted)


@pytest.mark.thorough
def test_every_option_has_a_tooltip(widget, qtbot):
    for each in widget.fields.format.choices:
        choose(widget, each.suffixes[0], qtbot)
        for form in (widget.fields.form, widget.fields.drawing):
            without = [name for name, field in form.fields.items() if not field.tooltip]
            assert without == []


def test_the_canvas_draws_points(widget, viewer, tmp_path, qtbot):
    points = np.array([[0, 16, 24], [7, 16, 24]])
    viewer.add_points(points, size=12, face_color="red", scale=(0.5, 1, 1), units=("s", "um", "um"))
    choose_canvas(widget, ".mkv", qtbot)
    wait_for_words(widget, "the viewer draws each frame", qtbot)
    before = viewer.dims.current_step
    row = click(widget, qtbot)
    # what is typed from now on is for another export
    widget.fields.drawing.fields["step"].value = 4
    wait_for_end(widget, qtbot)
    assert "saved" in row.text.text()
    (found,) = imload(tmp_path / "a.mkv")
    frames = found.load().astype(int)
    red = [(frame[..., 0] - frame[..., 1] > 100).sum() for frame in frames]
    assert len(red) == 8
    assert red[0] > 20
    assert red[4] == 0
    assert viewer.dims.current_step == before


def choose_canvas(widget: Any, suffix: str, qtbot: Any) -> None:
    fields = widget.fields
    fields.format.value = next(c for c in fields.format.choices if suffix in c.suffixes)
    fields.source.value = "canvas"
    wait_for_offer(widget, qtbot)


@pytest.mark.thorough
def test_the_pace_of_a_movie_of_the_canvas_is_said(widget, viewer, qtbot):
    choose_canvas(widget, ".gif", qtbot)
    wait_for_words(widget, "The movie plays at 10 per second, 5 x real time.", qtbot)
    assert widget.fields.play.speed.native.placeholderText() == "5"
    type_into(widget.fields.play.frame_rate, "4", qtbot)
    qtbot.waitUntil(lambda: "plays" not in widget.summary.text(), timeout=WAIT)


@pytest.mark.thorough
def test_the_canvas_needs_no_layer_that_is_saved(widget, viewer, tmp_path, qtbot):
    viewer.layers.clear()
    viewer.add_points(np.array([[0, 5, 5], [3, 9, 9]]), size=4)
    choose_canvas(widget, ".gif", qtbot)
    widget.fields.more.expand(False)
    type_into(widget.fields.drawing.fields["stop"], "x", qtbot)
    wait_for_words(widget, "enter a whole number", qtbot)
    type_into(widget.fields.drawing.fields["stop"], "2", qtbot)
    click(widget, qtbot)
    wait_for_end(widget, qtbot)
    assert len(imload(tmp_path / "a.gif")[0].array) == 2


@pytest.mark.parametrize("suffix", [pytest.param(".tif", marks=THOROUGH), ".gif"])
def test_an_export_goes_on_when_its_dock_is_closed(viewer, settings_file, tmp_path, qtbot, suffix):
    from qtpy.compat import isalive

    widget = opened(viewer, tmp_path / "a", qtbot)
    slow_layer(viewer, 0.002)
    choose(widget, suffix, qtbot)
    click(widget, qtbot)
    viewer.window.remove_dock_widget(widget)
    assert not (tmp_path / f"a{suffix}").exists()
    viewer.layers[0].name = "another"  # nobody listens
    viewer.layers.selection.clear()
    qtbot.waitUntil((tmp_path / f"a{suffix}").exists, timeout=WAIT)
    qtbot.waitUntil(lambda: not isalive(widget), timeout=WAIT)


def test_a_dock_that_is_closed_is_gone(viewer, settings_file, tmp_path, qtbot):
    from qtpy.compat import isalive

    widget = opened(viewer, tmp_path / "a", qtbot)
    choose(widget, ".gif", qtbot)
    viewer.layers[0].gamma = 0.5  # planning is under way
    viewer.window.remove_dock_widget(widget)
    qtbot.waitUntil(lambda: not isalive(widget), timeout=WAIT)
    viewer.layers[0].gamma = 1
    viewer.dims.set_current_step(0, 2)


@pytest.mark.parametrize("source", ["data", "canvas"])
def test_napari_asks_before_it_is_closed_and_closing_stops_the_export(
    viewer, settings_file, tmp_path, qtbot, source
):
    widget = opened(viewer, tmp_path / "a", qtbot)
    slow = slow_layer(viewer, 0.02).data.read
    choose(widget, ".mkv", qtbot)
    widget.fields.source.value = source
    click(widget, qtbot)
    tasks = viewer.window._qt_window._window._task_status_manager
    qtbot.waitUntil(tasks.is_busy, timeout=WAIT)
    assert any("the export of a.mkv" in line for line in tasks.get_status())
    viewer.close()
    started = time.perf_counter()
    while list(tmp_path.iterdir()) and time.perf_counter() - started < 5:
        qtbot.wait(20)
    assert not list(tmp_path.iterdir())
    reads = slow.reads
    qtbot.wait(200)
    assert slow.reads == reads


@pytest.mark.thorough
def test_a_small_screen_holds_it(widget, viewer, qtbot):
    choose(widget, ".gif", qtbot)
    widget.fields.more.expand(False)
    assert widget.minimumSizeHint().width() <= 340
    assert widget.minimumSizeHint().height() <= 500


def test_a_movie_of_all_that_is_seen_takes_one_click(viewer, settings_file, tmp_path, qtbot):
    add(viewer, "axons").blending = "additive"
    add(viewer, "hidden").visible = False
    viewer.add_points(np.zeros((1, 3)))
    _, widget = viewer.window.add_plugin_dock_widget("napari-ferry", "Export movie")
    type_path(widget, tmp_path / "a", qtbot)
    wait_for_offer(widget, qtbot)
    assert [layer.name for layer in widget.fields.ticks.chosen()] == ["cells", "axons"]
    click(widget, qtbot)
    wait_for_end(widget, qtbot)
    assert imload(tmp_path / "a.mp4")[0].shape == (8, 32, 48, 3)
    viewer.layers["hidden"].visible = True
    assert len(widget.fields.ticks.chosen()) == 3


def test_who_draws_points_is_said(widget, viewer, qtbot):
    choose(widget, ".gif", qtbot)
    viewer.add_points(np.zeros((1, 3)), name="spots")
    qtbot.waitUntil(lambda: "drawn by the canvas under Picture" in widget.summary.text())


@pytest.mark.thorough
def test_ticks_made_by_hand_can_be_forgotten(widget, viewer, qtbot):
    from qtpy.QtCore import Qt

    fields = widget.fields
    assert not fields.again.isVisible()
    fields.ticks.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert fields.again.isVisible()
    fields.again.click()
    assert fields.ticks.chosen() == [viewer.layers[0]]
    assert not fields.again.isVisible()
