"""The widget *Export layers*: select, type, check and click, as a user does."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui import WINDOW, answer
from napari_ferry import imload
from napari_ferry.arrays import Frames

pytestmark = WINDOW

WAIT = 15_000
MOVIES = (".gif", ".mkv", ".mp4")
MORE = (".ome.tif", ".bin", ".mkv")
THOROUGH = pytest.mark.thorough


@pytest.fixture
def settings_file(tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path_factory.mktemp("settings") / "export.json"
    monkeypatch.setattr("napari_ferry.plugin.settings_file.settings_path", lambda _: path)
    monkeypatch.setattr(
        "napari_ferry.widgets.export.saved_choices.preferences_page", lambda _: None
    )
    return path


@pytest.fixture
def viewer(shared_viewer: Any) -> Any:
    viewer = shared_viewer
    add(viewer, "cells")
    return viewer


@pytest.fixture
def own_viewer(make_napari_viewer: Any) -> Any:
    """One that may be closed."""
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
    _, widget = viewer.window.add_plugin_dock_widget("napari-ferry", "Export")
    type_path(widget, path, qtbot)
    wait_until_ready(widget, qtbot)
    return widget


def type_path(widget: Any, path: Path, qtbot: Any) -> None:
    line = widget.current.fields.target.line
    line.clear()
    qtbot.keyClicks(line, str(path))


def type_into(field: Any, text: str, qtbot: Any) -> None:
    field.native.clear()
    qtbot.keyClicks(field.native, text)


def choose(widget: Any, suffix: str, qtbot: Any) -> None:
    show_tab(widget, suffix, qtbot)
    fields = widget.current.fields
    fields.format.value = next(c for c in fields.format.choices if suffix in c.suffixes)
    wait_until_ready(widget, qtbot)


def show_tab(widget: Any, suffix: str, qtbot: Any) -> None:
    """Show the tab that offers a format, with the target of the other one."""
    target = widget.current.fields.target.line.text()
    if (suffix in MOVIES) != (widget.current is widget.movie):
        widget.show_tab(is_movie=suffix in MOVIES)
        type_path(widget, Path(target).with_suffix(""), qtbot)


def expand_all(widget: Any) -> None:
    for section in widget.current.fields.drawing.sections.values():
        section.expand(False)


def wait_until_ready(widget: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: widget.current.ready is not None, timeout=WAIT)


def wait_for_words(widget: Any, words: str, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: words in widget.current.summary.text(), timeout=WAIT)


def click(widget: Any, qtbot: Any) -> Any:
    """Click *Export*, and return the line of that export."""
    from qtpy.QtCore import Qt

    wait_until_ready(widget, qtbot)
    qtbot.mouseClick(widget.current.button, Qt.MouseButton.LeftButton)
    return rows(widget)[0]


def rows(widget: Any) -> list[Any]:
    from napari_ferry.widgets.export.job_queue import JobRow

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
    from napari_ferry.widgets.plan_summary import formats

    assert tuple(widget.current.fields.format.choices) == formats()


def test_the_summary_follows_the_fields(widget, qtbot):
    wait_for_words(widget, "a.tif, ", qtbot)
    assert "free." in widget.current.summary.text()
    choose(widget, ".gif", qtbot)
    wait_for_words(widget, "0.8 s", qtbot)
    assert "8 frames at 10 per second." in widget.current.summary.text()
    assert widget.current.preview.isVisible()
    widget.current.fields.drawing.fields["step"].value = 2
    wait_for_words(widget, "4 frames at 10 per second.", qtbot)
    type_into(widget.current.fields.playback.frame_rate, "20", qtbot)
    wait_for_words(widget, "4 frames at 20 per second.", qtbot)
    assert ", 0.2 s" in widget.current.summary.text()


def test_the_slider_of_the_preview_draws_without_planning_again(widget, qtbot):
    choose(widget, ".gif", qtbot)

    def shade() -> int:
        picture = widget.current.preview.picture.pixmap().toImage()
        return 0 if picture.isNull() else picture.pixelColor(20, 20).red()

    qtbot.waitUntil(lambda: not widget.current.preview.picture.pixmap().isNull(), timeout=WAIT)
    assert shade() == 30 * widget.viewer.dims.current_step[0]
    planned = widget.current.ready
    widget.current.preview.slider.setValue(5)
    qtbot.waitUntil(lambda: shade() == 150, timeout=WAIT)
    assert widget.current.ready is planned


def test_a_changed_appearance_is_planned_again(widget, viewer, qtbot):
    choose(widget, ".gif", qtbot)
    wait_for_words(widget, "8 frames", qtbot)
    viewer.layers[0].colormap = "magma"
    assert widget.current.ready is None
    wait_for_words(widget, "cells is drawn as napari shows it", qtbot)
    viewer.layers[0].scale = (0.125, 1, 1)
    wait_for_words(widget, "at 8 per second", qtbot)


@pytest.mark.thorough
def test_playing_the_movie_does_not_plan_again(widget, viewer, qtbot):
    choose(widget, ".gif", qtbot)
    planned = widget.current.ready
    viewer.dims.set_current_step(0, 6)
    assert widget.current.ready is planned
    viewer.add_image(np.zeros((3, 8, 32, 48), np.uint8), axis_labels=("z", "t", "y", "x"))
    wait_until_ready(widget, qtbot)
    viewer.dims.set_current_step(0, 2)
    assert widget.current.ready is None
    wait_until_ready(widget, qtbot)


def test_frame_rate_and_speed_follow_each_other(widget, viewer, qtbot):
    choose(widget, ".mp4", qtbot)
    playback = widget.current.fields.playback
    assert playback.frame_rate.native.placeholderText() == "10"
    assert playback.speed.native.placeholderText() == "5"
    wait_for_words(widget, "the movie plays at 10 per second, 5 x real time", qtbot)
    type_into(playback.frame_rate, "20", qtbot)
    assert playback.speed.value == "10"
    assert playback.speed.native.cursorPosition() == 0  # its first digits are visible
    type_into(playback.speed, "4", qtbot)
    assert playback.frame_rate.value == "8"
    wait_for_words(widget, "at 8 per second.", qtbot)
    assert "real time" not in widget.current.summary.text()
    viewer.layers[0].scale = (1, 1, 1)
    wait_for_words(widget, "at 4 per second", qtbot)
    assert (playback.speed.value, playback.frame_rate.value) == ("4", "4")
    playback.speed.native.clear()
    assert playback.frame_rate.value == ""
    type_into(playback.frame_rate, "fast", qtbot)
    wait_for_words(widget, "enter a number", qtbot)
    assert not widget.current.button.isEnabled()
    type_into(playback.frame_rate, "2,5", qtbot)
    wait_for_words(widget, "at 2.5 per second", qtbot)


@pytest.mark.thorough
def test_speed_is_disabled_without_a_time_unit(widget, viewer, qtbot):
    choose(widget, ".mp4", qtbot)
    type_into(widget.current.fields.playback.speed, "4", qtbot)
    viewer.layers[0].units = ("pixel", "um", "um")
    wait_for_words(widget, "at 10 per second, which is assumed", qtbot)
    assert not widget.current.fields.playback.speed.enabled
    assert widget.current.fields.playback.frame_rate.value == ""


def test_replacing_files_is_asked_once(widget, tmp_path, qtbot, monkeypatch):
    asked = answer(monkeypatch, "No")
    path = tmp_path / "a.tif"
    path.write_bytes(b"mine")
    wait_until_ready(widget, qtbot)
    from qtpy.QtCore import Qt

    qtbot.mouseClick(widget.current.button, Qt.MouseButton.LeftButton)
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
    assert widget.current.ready is None
    widget.current.button.setFocus()
    qtbot.keyClick(widget.current.button, Qt.Key.Key_Space)
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


def activity_bars(viewer: Any) -> list[Any]:
    """Return the bars of exports in napari's activity dock."""
    from napari._qt.widgets.qt_progress_bar import QtLabeledProgressBar

    bars = viewer.window._qt_window._activity_dialog.findChildren(QtLabeledProgressBar)
    return [bar for bar in bars if "Export a.tif" in bar.description_label.text()]


def test_the_activity_dock_shows_and_cancels_it_once_the_dock_is_hidden(
    widget, viewer, tmp_path, qtbot
):
    slow_layer(viewer, 0.02, side=5000)
    row = click(widget, qtbot)
    qtbot.waitUntil(lambda: row.bar.value() > 0, timeout=WAIT)
    assert not activity_bars(viewer)  # each of its steps would redraw the window
    widget.parentWidget().hide()
    qtbot.waitUntil(lambda: bool(activity_bars(viewer)), timeout=WAIT)
    *_, bar = activity_bars(viewer)
    qtbot.waitUntil(lambda: bar.qt_progress_bar.value() > 0, timeout=WAIT)
    bar.cancel_button.click()
    wait_for_end(widget, qtbot)
    assert "cancelled" in row.text.text()
    assert not list(tmp_path.iterdir())


def test_an_export_that_ends_while_napari_shows_its_progress_keeps_its_words(
    widget, viewer, qtbot, monkeypatch
):
    from napari_ferry.arrays.progress import Progress
    from napari_ferry.widgets.activity import Activity
    from napari_ferry.widgets.export import job_queue

    may_go_on, export, is_handling = threading.Event(), job_queue.export, []

    def report_and_wait(job, plan, *, progress, cancel):
        progress(Progress(done=1, total=2, rate=1, seconds_left=1))
        assert may_go_on.wait(WAIT / 1000)
        return export(job, plan, progress=progress, cancel=cancel)

    def handle_events(*_):
        if not is_handling:
            is_handling.append(True)
            may_go_on.set()
            wait_for_end(widget, qtbot)

    monkeypatch.setattr(job_queue, "export", report_and_wait)
    monkeypatch.setattr(Activity, "update", handle_events)
    row = click(widget, qtbot)
    qtbot.waitUntil(lambda: bool(is_handling), timeout=WAIT)
    wait_for_end(widget, qtbot)
    assert "saved" in row.text.text()


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
    widget.current.fields.format_options.fields["compression"].value = "zlib"
    row = click(widget, qtbot)
    wait_for_end(widget, qtbot)
    said = row.text.text()
    assert said.startswith("a.tif: The pixels [")
    assert said.endswith(
        "frame 151 is gone and more): check that the source is still there and whole."
    )
    assert widget.current.fields.format_options.fields["compression"].value == "zlib"
    assert widget.current.fields.target.line.text() == str(tmp_path / "a")
    assert not list(tmp_path.iterdir())
    wait_until_ready(widget, qtbot)


def names(widget: Any) -> list[tuple[str, bool]]:
    from qtpy.QtCore import Qt

    layer_list = widget.current.fields.layer_list
    items = [layer_list.item(i) for i in range(layer_list.count())]
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


def test_layers_checked_by_the_user_stay_checked(widget, viewer, qtbot):
    from qtpy.QtCore import Qt

    more = add(viewer, "more")
    layer_list = widget.current.fields.layer_list
    layer_list.setFocus()
    layer_list.setCurrentRow(1)
    qtbot.keyClick(layer_list, Qt.Key.Key_Space)
    assert names(widget) == [("more", True), ("cells", True)]
    viewer.layers.selection = {more}
    add(viewer, "third")
    assert names(widget) == [("third", False), ("more", True), ("cells", True)]
    layer_list.follow()
    assert names(widget) == [("third", True), ("more", False), ("cells", False)]


def test_no_checked_layer_or_none_that_can_be_saved_is_an_error(widget, viewer, qtbot):
    viewer.layers.selection.clear()
    wait_for_words(widget, "No layer is checked", qtbot)
    assert not widget.current.button.isEnabled()
    viewer.layers.clear()
    wait_for_words(widget, "No layer is checked", qtbot)
    viewer.add_points(np.zeros((3, 2)), name="spots")
    wait_for_words(widget, "spots is a points layer", qtbot)
    add(viewer, "cells")
    wait_until_ready(widget, qtbot)


def test_the_preview_is_cleared_with_its_layers(widget, viewer, qtbot):
    choose(widget, ".mp4", qtbot)
    picture = widget.current.preview.picture
    qtbot.waitUntil(lambda: not picture.pixmap().isNull(), timeout=WAIT)
    viewer.layers[0].visible = False
    wait_for_words(widget, "No layer is checked", qtbot)
    assert picture.pixmap().isNull()


def test_choices_are_saved(widget, viewer, tmp_path, settings_file, qtbot):
    choose(widget, ".tif", qtbot)
    widget.current.fields.format_options.fields["compression"].value = "zstd"
    choose(widget, ".gif", qtbot)
    widget.current.fields.format_options.fields["colors"].value = 16
    widget.current.fields.drawing.fields["start"].value = 1
    widget.current.fields.drawing.fields["time_stamp"].value = "top_left"
    type_into(widget.current.fields.playback.speed, "4", qtbot)
    click(widget, qtbot)
    wait_for_end(widget, qtbot)
    stored = json.loads(settings_file.read_text())
    assert (stored["tab"], stored["movie"]["format"]) == ("movie", "Animated GIF")
    _, second = viewer.window.add_plugin_dock_widget("napari-ferry", "Export")
    if second is widget:
        viewer.window.remove_dock_widget(widget)
        _, second = viewer.window.add_plugin_dock_widget("napari-ferry", "Export")
    fields = second.current.fields
    assert fields.selected_format.title == "Animated GIF"
    assert fields.format_options.fields["colors"].value == 16
    assert fields.drawing.fields["time_stamp"].value == "top_left"
    assert fields.drawing.fields["start"].value == 0
    assert Path(fields.target.line.text()) == tmp_path / "cells.gif"
    wait_for_words(second, "at 8 per second", qtbot)
    assert fields.playback.speed.value == "4"
    choose(second, ".tif", qtbot)
    assert second.current.fields.format_options.fields["compression"].value == "zstd"


def test_the_choice_for_one_format_is_not_that_of_another(widget, qtbot):
    choose(widget, ".tif", qtbot)
    widget.current.fields.format_options.fields["compression"].value = "none"
    choose(widget, ".ome.zarr", qtbot)
    assert widget.current.fields.format_options.fields["compression"].value is None


@pytest.mark.thorough
@pytest.mark.parametrize(
    "text", ["[]", "{", '{"format": 3, "folder": null}', '{"Video": {"scale": []}}']
)
def test_damaged_saved_choices_are_ignored(viewer, settings_file, tmp_path, qtbot, text):
    settings_file.write_text(text)
    widget = opened(viewer, tmp_path / "a", qtbot)
    choose(widget, ".mp4", qtbot)
    assert widget.current.fields.drawing.fields["scale"].value == 1


@pytest.mark.thorough
def test_browsing_offers_the_format_and_takes_its_suffix(widget, tmp_path, qtbot, monkeypatch):
    from qtpy.QtWidgets import QFileDialog

    asked: list[Any] = []

    def reply(parent: Any, title: str, start: str, pattern: str, options: Any) -> tuple[str, str]:
        asked.append((start, pattern))
        return str(tmp_path / "browsed"), pattern

    monkeypatch.setattr(QFileDialog, "getSaveFileName", reply)
    choose(widget, ".ome.tif", qtbot)
    widget.current.fields.target.browse.click()
    assert asked == [(str(tmp_path / "a.ome.tif"), "OME-TIFF (*.ome.tif *.ome.tiff)")]
    wait_for_words(widget, "browsed.ome.tif", qtbot)
    click(widget, qtbot)
    wait_for_end(widget, qtbot)
    assert [path.name for path in tmp_path.iterdir()] == ["browsed.ome.tif"]


def test_an_invalid_target_is_reported_before_the_click(widget, tmp_path, qtbot):
    type_path(widget, tmp_path / "nowhere" / "a.tif", qtbot)
    wait_for_words(widget, "does not exist: create it, or choose another one.", qtbot)
    assert not widget.current.button.isEnabled()
    (tmp_path / "folder.tif").mkdir()
    type_path(widget, tmp_path / "folder.tif", qtbot)
    wait_for_words(widget, "is a folder", qtbot)
    widget.current.fields.target.line.clear()
    qtbot.keyClicks(widget.current.fields.target.line, " ")
    wait_for_words(widget, "The file name is empty", qtbot)


@pytest.mark.thorough
def test_an_invalid_range_is_reported(widget, qtbot):
    choose(widget, ".gif", qtbot)
    expand_all(widget)
    stop = widget.current.fields.drawing.fields["stop"]
    type_into(stop, "a<b", qtbot)
    wait_for_words(widget, "'a&lt;b': enter a whole number, or leave the field empty.", qtbot)
    type_into(stop, "9", qtbot)
    wait_for_words(widget, "t has 8", qtbot)
    type_into(stop, "4", qtbot)
    wait_for_words(widget, "4 frames", qtbot)


def test_the_keyboard_reaches_everything(widget, qtbot):
    choose(widget, ".gif", qtbot)
    expand_all(widget)
    tab, fields = widget.current, widget.current.fields
    playback, drawing = fields.playback, fields.drawing
    preview = tab.preview
    wanted = [preview.play_button, preview.slider, preview.crop_button, preview.range]
    wanted += [fields.layer_list, fields.purpose.native, fields.format.native]
    wanted += [fields.target.line, fields.target.browse, *playback.presets, playback.real_time]
    wanted += [playback.frame_rate.native, playback.length.native, playback.speed.native]
    for title, form in drawing.forms.items():
        wanted += [drawing.sections[title].toggleButton()]
        wanted += [field.native for field in form.fields.values()]
    wanted += [drawing.renderer.native]
    wanted += [field.native for field in fields.format_options.fields.values()]
    wanted += [tab.button]
    reached, here = [tab.preview.play_button], tab.preview.play_button.nextInFocusChain()
    while here is not reached[0]:
        reached.append(here)
        here = here.nextInFocusChain()
    places = [reached.index(each) for each in wanted]
    assert places == sorted(places)
    assert all(each.focusPolicy().value & 1 for each in wanted)
    assert all(each.accessibleName() or each.text() for each in wanted)


@pytest.mark.thorough
def test_every_option_has_a_tooltip(widget, qtbot):
    for tab in (widget.data, widget.movie):
        widget.show_tab(is_movie=tab is widget.movie)
        for each in tab.fields.format.choices:
            tab.fields.format.value = each
            fields = {**tab.fields.format_options.fields}
            if tab is widget.movie:
                fields |= tab.fields.drawing.fields
            assert [name for name, field in fields.items() if not field.tooltip] == []


def test_the_canvas_draws_points(widget, viewer, tmp_path, qtbot):
    points = np.array([[0, 16, 24], [7, 16, 24]])
    viewer.add_points(points, size=12, face_color="red", scale=(0.5, 1, 1), units=("s", "um", "um"))
    choose_canvas(widget, ".mkv", qtbot)
    wait_for_words(widget, "The viewer draws each frame", qtbot)
    before = viewer.dims.current_step
    row = click(widget, qtbot)
    # what is typed from now on is for another export
    widget.current.fields.drawing.fields["step"].value = 4
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
    show_tab(widget, suffix, qtbot)
    fields = widget.current.fields
    fields.format.value = next(c for c in fields.format.choices if suffix in c.suffixes)
    fields.drawing.renderer.value = "canvas"
    wait_until_ready(widget, qtbot)


@pytest.mark.thorough
def test_the_frame_rate_of_a_movie_of_the_canvas_is_described(widget, viewer, qtbot):
    choose_canvas(widget, ".gif", qtbot)
    wait_for_words(widget, "10 per second, 5 x real time.", qtbot)
    assert widget.current.fields.playback.speed.native.placeholderText() == "5"
    type_into(widget.current.fields.playback.frame_rate, "4", qtbot)
    qtbot.waitUntil(lambda: "real time" not in widget.current.summary.text(), timeout=WAIT)


@pytest.mark.thorough
def test_the_canvas_needs_no_layer_that_is_saved(widget, viewer, tmp_path, qtbot):
    viewer.layers.clear()
    viewer.add_points(np.array([[0, 5, 5], [3, 9, 9]]), size=4)
    choose_canvas(widget, ".gif", qtbot)
    expand_all(widget)
    type_into(widget.current.fields.drawing.fields["stop"], "x", qtbot)
    wait_for_words(widget, "enter a whole number", qtbot)
    type_into(widget.current.fields.drawing.fields["stop"], "2", qtbot)
    click(widget, qtbot)
    wait_for_end(widget, qtbot)
    assert len(imload(tmp_path / "a.gif")[0].array) == 2


@pytest.mark.parametrize("suffix", [pytest.param(".tif", marks=THOROUGH), ".gif"])
def test_an_export_continues_when_its_dock_is_closed(
    viewer, settings_file, tmp_path, qtbot, suffix
):
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


def test_a_closed_dock_is_deleted(viewer, settings_file, tmp_path, qtbot):
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
    own_viewer, settings_file, tmp_path, qtbot, source
):
    widget = opened(own_viewer, tmp_path / "a", qtbot)
    slow = slow_layer(own_viewer, 0.02).data.read
    choose(widget, ".mkv", qtbot)
    widget.current.fields.drawing.renderer.value = source
    click(widget, qtbot)
    tasks = own_viewer.window._qt_window._window._task_status_manager
    qtbot.waitUntil(tasks.is_busy, timeout=WAIT)
    assert any("the export of a.mkv" in line for line in tasks.get_status())
    own_viewer.close()
    started = time.perf_counter()
    while list(tmp_path.iterdir()) and time.perf_counter() - started < 5:
        qtbot.wait(20)
    assert not list(tmp_path.iterdir())
    reads = slow.reads
    qtbot.wait(200)
    assert slow.reads == reads


@pytest.mark.thorough
def test_the_form_fits_a_small_screen(widget, viewer, qtbot):
    choose(widget, ".gif", qtbot)
    expand_all(widget)
    assert widget.minimumSizeHint().width() <= 340
    assert widget.minimumSizeHint().height() <= 500


def test_a_movie_of_all_visible_layers_takes_one_click(viewer, settings_file, tmp_path, qtbot):
    from napari_ferry.widgets.export.export_widget import show_export

    add(viewer, "axons").blending = "additive"
    add(viewer, "hidden").visible = False
    widget = show_export(viewer, is_movie=True)
    type_path(widget, tmp_path / "a", qtbot)
    wait_until_ready(widget, qtbot)
    checked = widget.current.fields.layer_list.checked_layers
    assert [layer.name for layer in checked()] == ["cells", "axons"]
    click(widget, qtbot)
    wait_for_end(widget, qtbot)
    assert imload(tmp_path / "a.mp4")[0].shape == (8, 32, 48, 3)
    viewer.layers["hidden"].visible = True
    assert len(checked()) == 3


def test_visible_points_are_in_the_movie_which_the_canvas_then_draws(widget, viewer, qtbot):
    choose(widget, ".gif", qtbot)
    points = np.array([[0, 16, 24]])
    viewer.add_points(points, name="spots", scale=(0.5, 1, 1), units=("s", "um", "um"))
    wait_for_words(
        widget, "drawn as on screen, because the viewer shows the Points layer spots", qtbot
    )
    widget.current.fields.drawing.renderer.value = "data"
    wait_for_words(widget, "set Render to Automatic", qtbot)
    assert not widget.current.button.isEnabled()


def test_a_view_that_only_the_canvas_draws_is_reported_at_once(widget, viewer, qtbot):
    choose(widget, ".gif", qtbot)
    wait_until_ready(widget, qtbot)
    viewer.dims.ndisplay = 3
    qtbot.waitUntil(
        lambda: "drawn as on screen, because" in widget.current.summary.text(), timeout=WAIT
    )
    viewer.dims.ndisplay = 2
    wait_until_ready(widget, qtbot)


@pytest.mark.thorough
def test_the_list_can_follow_the_viewer_again(widget, viewer, qtbot):
    from qtpy.QtCore import Qt

    fields = widget.current.fields
    assert not fields.follow_button.isVisible()
    fields.layer_list.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert fields.follow_button.isVisible()
    fields.follow_button.click()
    assert fields.layer_list.checked_layers() == [viewer.layers[0]]
    assert not fields.follow_button.isVisible()


def test_painting_during_an_export_is_a_warning(
    widget: Any, viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    from napari.utils.notifications import notification_manager

    from napari_ferry.widgets.export import job_queue

    labels = viewer.add_labels(np.zeros((8, 32, 48), np.uint8), name="nuclei")
    gate, real = threading.Event(), job_queue.export

    def export(*arguments: Any, **options: Any) -> Any:
        gate.wait(30)
        return real(*arguments, **options)

    monkeypatch.setattr(job_queue, "export", export)
    wait_until_ready(widget, qtbot)
    widget.current.button.click()
    labels.paint((0, 5, 5), 3)
    gate.set()
    qtbot.waitUntil(lambda: widget.jobs.running is None, timeout=WAIT)
    messages = [record.message for record in notification_manager.records]
    assert "nuclei was edited during the export, so export it again." in messages
    assert (tmp_path / "a.tif").exists()


def test_folders_are_looked_for_in_a_thread(
    widget: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
) -> None:
    asked: set[str] = set()
    real = Path.is_dir

    def is_dir(path: Path) -> bool:
        if path.parent == tmp_path:
            asked.add(threading.current_thread().name.partition("_")[0])
        return real(path)

    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(Path, "is_dir", is_dir)
    type_path(widget, tmp_path / "folder", qtbot)
    wait_for_words(widget, "cells.tif", qtbot)
    wait_until_ready(widget, qtbot)
    assert asked == {"ferry-plan"}
    widget.current.button.click()
    qtbot.waitUntil(lambda: widget.jobs.running is None, timeout=WAIT)
    assert (tmp_path / "folder" / "cells.tif").exists()


def test_the_name_is_that_of_the_image_below_its_labels(
    viewer: Any, settings_file: Path, qtbot: Any
) -> None:
    viewer.add_labels(np.zeros((8, 32, 48), np.uint8), name="nuclei")
    viewer.layers.selection = set(viewer.layers)
    _, widget = viewer.window.add_plugin_dock_widget("napari-ferry", "Export")
    for suffix in (".tif", ".mp4"):
        widget.show_tab(is_movie=suffix == ".mp4")
        wait_until_ready(widget, qtbot)
        assert Path(widget.current.fields.target.line.text()).name == f"cells{suffix}"


def test_a_typed_suffix_selects_its_format(widget: Any, tmp_path: Path, qtbot: Any) -> None:
    for suffix in (".ome.tiff", ".tif", ".bin", ".OME.TIF"):
        type_path(widget, tmp_path / f"b{suffix}", qtbot)
        wait_until_ready(widget, qtbot)
        fields = widget.current.fields
        assert suffix.lower() in fields.selected_format.suffixes
        assert fields.target.path() == tmp_path / f"b{suffix}"
    widget.show_tab(is_movie=True)
    type_path(widget, tmp_path / "b.gif", qtbot)
    wait_for_words(widget, "b.gif, ", qtbot)
    type_path(widget, tmp_path / "b.tif", qtbot)
    wait_for_words(widget, "b.tif ends in .tif", qtbot)
