"""The dock *Convert folder*: drop, type, check, click, stop and go on, as a user does."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gui import WINDOW, drop
from napari_ferry import Image, imsave
from napari_ferry.batch.output_names import RECORD_NAME
from napari_ferry.cli import main
from napari_ferry.widgets.convert import convert_words

pytestmark = WINDOW

WAIT = 15_000


@pytest.fixture
def settings_file(tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    path: Path = tmp_path_factory.mktemp("settings") / "convert.json"
    monkeypatch.setattr("napari_ferry.plugin.settings_file.settings_path", lambda _: path)
    monkeypatch.setattr(
        "napari_ferry.widgets.export.saved_choices.preferences_page", lambda _: None
    )
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    for k in range(1, 4):
        imsave(np.full((4, 16, 16), 50 * k, np.uint8), folder / f"cells {k}.tif")
    (folder / "damaged.tif").write_bytes(b"II*\0garbage")
    (folder / "notes.txt").write_text("Monday")
    imsave(np.zeros((4, 16, 16), np.uint8), folder / "day 2" / "cells 4.tif")
    return folder


@pytest.fixture
def dock(shared_viewer: Any, settings_file: Path, qtbot: Any) -> Any:
    return opened(shared_viewer, qtbot)


def opened(viewer: Any, qtbot: Any) -> Any:
    _, dock = viewer.window.add_plugin_dock_widget("napari-ferry", "Convert folder")
    qtbot.waitUntil(lambda: dock.is_complete, timeout=WAIT)
    choose(dock.panel, ".ome.tif")
    return dock


def choose(panel: Any, suffix: str) -> None:
    field = panel.formats.format
    field.value = next(each for each in field.choices if suffix in each.suffixes)


def wait_until_listed(panel: Any, qtbot: Any) -> None:
    qtbot.waitUntil(
        lambda: (
            panel.search is None
            and panel.request is not None
            and not panel.settle.isActive()
            and all(row.is_inspected for row in panel.rows.rows)
            and not (panel.is_changed or panel.is_describing)
        ),
        timeout=WAIT,
    )


def convert(panel: Any, qtbot: Any) -> None:
    from qtpy.QtCore import Qt

    qtbot.waitUntil(panel.button.isEnabled, timeout=WAIT)
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.is_running, timeout=WAIT)


def states(panel: Any) -> dict[str, str]:
    return {row.name: row.state for row in panel.rows.rows}


def test_a_dropped_folder_is_converted_file_by_file(dock, folder, qtbot):
    drop(dock, folder)
    panel = dock.panel
    wait_until_listed(panel, qtbot)
    assert states(panel) == {
        "cells 1.tif": "new",
        "cells 2.tif": "new",
        "cells 3.tif": "new",
        "damaged.tif": "failed",
    }
    assert panel.rows.caption.text() == "4 files, 2 not listed"
    assert convert_words.SUBFOLDERS.label in panel.rows.caption.toolTip()
    assert panel.targets.folder.text == f"{folder}-ome-tif"
    assert panel.targets.example.text() == "cells 1.tif → cells 1.ome.tif"
    assert panel.button.text() == "Convert 4 files"

    panel.rows.rows[1].is_checked = False
    convert(panel, qtbot)
    made = sorted(path.name for path in Path(f"{folder}-ome-tif").iterdir())
    assert made == ["cells 1.ome.tif", "cells 3.ome.tif", RECORD_NAME]
    assert "2 converted, 1 failed" in panel.summary.text()
    panel.rows.select(3)
    assert "damaged.tif" in panel.detail.text.text()
    assert not panel.detail.open.isVisible()


def test_a_typed_folder_is_searched_with_its_subfolders(dock, folder, qtbot):
    from qtpy.QtCore import Qt

    panel = dock.panel
    panel.subfolders.click()
    qtbot.keyClicks(panel.source.line, str(folder))
    qtbot.keyClick(panel.source.line, Qt.Key.Key_Return)
    wait_until_listed(panel, qtbot)
    assert "day 2/cells 4.tif" in states(panel)


def test_outputs_in_another_folder_are_counted_and_not_listed(dock, folder, qtbot):
    main(["convert", str(folder / "cells 1.tif"), str(folder / "gifs" / "{name}.gif"), "--quiet"])
    panel = dock.panel
    panel.subfolders.click()
    drop(dock, folder)
    wait_until_listed(panel, qtbot)
    assert panel.rows.caption.text() == "5 files, 1 made earlier, 1 not listed"
    assert "cells 1.gif: made by an earlier conversion" in panel.rows.caption.toolTip()


def test_a_check_box_is_clicked_and_all_and_none(dock, folder, qtbot):
    from qtpy.QtCore import QPoint, Qt

    drop(dock, folder)
    panel = dock.panel
    wait_until_listed(panel, qtbot)
    rect = panel.rows.list.visualRect(panel.rows.model.index(0))
    click = rect.topLeft() + QPoint(11, rect.height() // 2)
    qtbot.mouseClick(panel.rows.list.viewport(), Qt.MouseButton.LeftButton, pos=click)
    assert [row.is_checked for row in panel.rows.rows] == [False, True, True, True]
    panel.rows.buttons["None"].click()
    qtbot.waitUntil(lambda: not panel.button.isEnabled())
    panel.rows.buttons["All"].click()
    qtbot.waitUntil(lambda: panel.button.text() == "Convert 4 files")


def test_the_options_are_those_of_the_format(dock, folder, qtbot):
    panel = dock.panel
    assert "compression" in panel.formats.options.fields
    assert not panel.formats.drawing.isVisibleTo(panel)
    choose(panel, ".mp4")
    assert {"quality", "frame_rate"} <= set(panel.formats.options.fields)
    assert panel.formats.drawing.isVisibleTo(panel)
    assert all(field.tooltip for field in panel.formats.options.fields.values())


def test_files_that_exist_are_kept_unless_the_user_agrees(dock, folder, qtbot):
    out = folder.with_name("recordings-ome-tif")
    out.mkdir()
    (out / "cells 1.ome.tif").write_bytes(b"of somebody else")
    drop(dock, folder)
    panel = dock.panel
    wait_until_listed(panel, qtbot)
    assert states(panel)["cells 1.tif"] == "exists"
    assert panel.replace.isVisible()
    assert not panel.replace.isChecked()
    convert(panel, qtbot)
    assert (out / "cells 1.ome.tif").read_bytes() == b"of somebody else"
    panel.replace.click()
    convert(panel, qtbot)
    assert (out / "cells 1.ome.tif").read_bytes() != b"of somebody else"


def test_a_batch_that_was_stopped_goes_on_in_the_next_session(
    dock, folder, shared_viewer, settings_file, qtbot, monkeypatch
):
    from napari_ferry.widgets.convert import batch_run

    drop(dock, folder)
    panel = dock.panel
    wait_until_listed(panel, qtbot)
    begun, may_go_on, run = threading.Event(), threading.Event(), batch_run.run

    def wait_and_run(plan, **options):
        if plan.paths[0].name.startswith("cells 2"):
            begun.set()
            assert may_go_on.wait(WAIT)
        return run(plan, **options)

    monkeypatch.setattr(batch_run, "run", wait_and_run)
    panel.button.click()
    qtbot.waitUntil(begun.is_set, timeout=WAIT)
    assert panel.button.text() == convert_words.STOP
    panel.button.click()
    assert panel.button.text() == convert_words.STOPPING
    may_go_on.set()
    qtbot.waitUntil(lambda: not panel.is_running, timeout=WAIT)
    assert "1 converted, 3 not converted yet" in panel.summary.text()
    assert panel.button.text() == "Go on with 3 files"
    shared_viewer.window.remove_dock_widget("all")

    panel = opened(shared_viewer, qtbot).panel
    assert "1 of 4 files of recordings are converted." in panel.unfinished.text()
    panel.unfinished.linkActivated.emit("go-on")
    wait_until_listed(panel, qtbot)
    assert states(panel)["cells 1.tif"] == "current"
    assert panel.button.text() == "Convert 3 files"
    convert(panel, qtbot)
    assert "2 converted, 1 skipped, 1 failed" in panel.summary.text()
    shared_viewer.window.remove_dock_widget("all")
    assert not opened(shared_viewer, qtbot).panel.unfinished.isVisible()


def test_a_batch_ends_with_the_window_without_its_event_loop(dock, folder, qtbot, monkeypatch):
    from napari_ferry.errors import SaveCancelledError
    from napari_ferry.widgets.convert import batch_run

    begun, ended = threading.Event(), threading.Event()

    def wait_for_the_end(plan, *, cancel, **options):
        begun.set()
        while not cancel():
            ended.wait(0.01)
        ended.set()
        raise SaveCancelledError("The save was cancelled.")

    monkeypatch.setattr(batch_run, "run", wait_for_the_end)
    drop(dock, folder)
    panel = dock.panel
    wait_until_listed(panel, qtbot)
    panel.button.click()
    assert begun.wait(WAIT / 1000)
    panel.entry._worker.quit()  # as napari does when its user closes the window nevertheless
    assert ended.wait(WAIT / 1000)
    qtbot.waitUntil(lambda: not panel.is_running, timeout=WAIT)
    assert panel.report.remaining == 4


def test_a_closed_form_is_deleted_while_napari_shows_the_progress(
    dock, folder, shared_viewer, qtbot, monkeypatch
):
    from qtpy.compat import isalive

    from napari_ferry.widgets.activity import Activity
    from napari_ferry.widgets.convert import batch_run

    may_go_on, run, is_handling = threading.Event(), batch_run.run, []

    def wait_and_run(plan, **options):
        assert may_go_on.wait(WAIT / 1000)
        return run(plan, **options)

    def handle_events(*_):
        if not is_handling:
            is_handling.append(True)
            may_go_on.set()
            qtbot.waitUntil(lambda: not isalive(panel), timeout=WAIT)

    monkeypatch.setattr(batch_run, "run", wait_and_run)
    drop(dock, folder)
    panel = dock.panel
    wait_until_listed(panel, qtbot)
    panel.button.click()
    panel.tick.stop()
    qtbot.waitUntil(lambda: panel.batch.progress is not None, timeout=WAIT)
    shared_viewer.window.remove_dock_widget("all")
    monkeypatch.setattr(Activity, "open", lambda _: False)
    monkeypatch.setattr(Activity, "update", handle_events)
    panel._on_tick()
    assert is_handling


def test_a_running_batch_is_shown_again_when_the_dock_is_opened_again(
    dock, folder, shared_viewer, qtbot, monkeypatch
):
    from napari_ferry.widgets.convert import batch_run

    may_go_on, run = threading.Event(), batch_run.run

    def wait_and_run(plan, **options):
        assert may_go_on.wait(WAIT / 1000)
        return run(plan, **options)

    monkeypatch.setattr(batch_run, "run", wait_and_run)
    drop(dock, folder)
    panel = dock.panel
    wait_until_listed(panel, qtbot)
    panel.button.click()
    shared_viewer.window.remove_dock_widget("all")
    assert panel.is_running

    _, again = shared_viewer.window.add_plugin_dock_widget("napari-ferry", "Convert folder")
    assert again is not dock
    assert again.panel is panel
    qtbot.waitUntil(panel.isVisible, timeout=WAIT)
    assert panel.button.text() == convert_words.STOP
    panel.button.click()
    may_go_on.set()
    qtbot.waitUntil(lambda: not panel.is_running, timeout=WAIT)
    assert "0 converted, 4 not converted yet" in panel.summary.text()
    panel.targets.pattern.setText("{name} again")
    panel.targets.changed.emit()
    wait_until_listed(panel, qtbot)
    convert(panel, qtbot)
    assert "3 converted, 1 failed" in panel.summary.text()


def test_the_end_of_a_batch_without_its_dock_is_a_notification(
    dock, folder, shared_viewer, qtbot, monkeypatch
):
    from napari_ferry.widgets.convert import batch_panel

    said = []
    monkeypatch.setattr(batch_panel, "notify", lambda *arguments: said.append(arguments))
    drop(dock, folder)
    panel = dock.panel
    wait_until_listed(panel, qtbot)
    panel.button.click()
    shared_viewer.window.remove_dock_widget("all")
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT)
    ((text, severity),) = said
    assert text.startswith("Convert folder: 3 converted, 1 failed, ")
    assert severity == "warning"


def test_what_the_command_line_converted_is_up_to_date(dock, folder, qtbot):
    (folder / "damaged.tif").unlink()
    out = folder.with_name("recordings-ome-tif")
    main(["convert", str(folder), str(out), "--format", ".ome.tif", "--quiet"])
    drop(dock, folder)
    wait_until_listed(dock.panel, qtbot)
    assert set(states(dock.panel).values()) == {"current"}
    assert not dock.panel.button.isEnabled()


def test_a_result_is_opened_in_napari(dock, folder, shared_viewer, qtbot):
    drop(dock, folder / "cells 1.tif", folder / "cells 2.tif")
    panel = dock.panel
    wait_until_listed(panel, qtbot)
    convert(panel, qtbot)
    panel.rows.select(1)
    panel.detail.open.click()
    assert np.all(shared_viewer.layers[0].data[0] == 100)


@pytest.mark.sample(1)
@pytest.mark.parametrize("text", ["{nam}", "../{name}", "{name}.gif"])
def test_a_wrong_pattern_is_one_sentence_and_nothing_starts(text, dock, folder, qtbot):
    drop(dock, folder)
    panel = dock.panel
    wait_until_listed(panel, qtbot)
    panel.targets.pattern.clear()
    qtbot.keyClicks(panel.targets.pattern, text)
    qtbot.waitUntil(lambda: not panel.settle.isActive())
    assert text in panel.targets.example.text()
    assert not panel.button.isEnabled()


def test_a_folder_without_images_and_a_missing_one_are_sentences(dock, folder, tmp_path, qtbot):
    panel = dock.panel
    (tmp_path / "empty").mkdir()
    panel.set_sources([tmp_path / "empty"])
    qtbot.waitUntil(lambda: panel.status.text() == convert_words.NOTHING, timeout=WAIT)
    assert panel.summary.headline.text() == convert_words.IDLE
    (tmp_path / "empty" / "day 1").mkdir()
    panel.start_search()
    hint = f"{convert_words.NOTHING} {convert_words.SEARCH_FOLDERS}"
    qtbot.waitUntil(lambda: panel.status.text() == hint, timeout=WAIT)
    panel.set_sources([tmp_path / "missing.tif"])
    wait_until_listed(panel, qtbot)
    assert "missing.tif" in panel.rows.rows[0].problem


def test_how_a_batch_ended_is_shown_until_the_user_changes_something(
    dock, folder, qtbot, monkeypatch
):
    is_done = threading.Event()
    trial = "napari_ferry.widgets.convert.survey_panel.find_rates"
    monkeypatch.setattr(trial, lambda *_: is_done.wait(WAIT / 1000) and None)
    drop(dock, folder)
    panel = dock.panel
    wait_until_listed(panel, qtbot)
    qtbot.waitUntil(lambda: panel.is_trying, timeout=WAIT)
    convert(panel, qtbot)
    is_done.set()
    qtbot.waitUntil(lambda: not panel.is_trying, timeout=WAIT)
    panel._on_tick()
    qtbot.waitUntil(lambda: not panel.is_describing, timeout=WAIT)
    assert "3 converted, 1 failed" in panel.summary.headline.text()

    panel.rows.buttons[convert_words.NONE.label].click()
    qtbot.waitUntil(lambda: panel.summary.headline.text().startswith("0 files"), timeout=WAIT)


def test_files_with_one_name_are_marked_and_nothing_starts(dock, folder, qtbot):
    panel = dock.panel
    drop(dock, folder)
    wait_until_listed(panel, qtbot)
    panel.targets.pattern.clear()
    qtbot.keyClicks(panel.targets.pattern, "all")
    wait_until_listed(panel, qtbot)
    assert set(states(panel).values()) == {"shared"}
    assert "would both be saved as" in panel.summary.headline.text()
    assert not panel.button.isEnabled()
    panel.targets.pattern.clear()
    qtbot.keyClicks(panel.targets.pattern, "{index}")
    wait_until_listed(panel, qtbot)
    assert {*states(panel).values()} == {"new", "failed"}
    assert panel.button.isEnabled()


def test_the_numbers_of_names_follow_the_checked_files(dock, folder, qtbot, monkeypatch):
    from napari_ferry.widgets.convert import survey_panel

    (folder / "damaged.tif").unlink()
    out = folder.with_name("recordings-ome-tif")
    main(["convert", str(folder), str(out / "{index}.ome.tif"), "--quiet"])
    panel = dock.panel
    panel.targets.restore("", "{index}")
    drop(dock, folder)
    wait_until_listed(panel, qtbot)
    assert set(states(panel).values()) == {"current"}
    monkeypatch.setattr(survey_panel, "inspect", None)  # no file is opened again
    panel.rows.rows[0].is_checked = False
    panel.rows.model.checked.emit()
    wait_until_listed(panel, qtbot)
    assert [*states(panel).values()][1:] == ["exists", "exists"]


def test_the_example_has_the_number_that_the_first_checked_file_gets(dock, folder, qtbot):
    from qtpy.QtCore import Qt

    for k in range(4, 12):
        imsave(np.zeros((2, 16, 16), np.uint8), folder / f"cells {k}.tif")
    panel = dock.panel
    panel.targets.restore("", "{index}")
    drop(dock, folder)
    wait_until_listed(panel, qtbot)
    assert panel.targets.example.text() == "cells 1.tif → 01.ome.tif"
    for row in panel.rows.rows[4:]:
        row.is_checked = False
    model = panel.rows.model
    model.setData(model.index(0), Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    assert panel.targets.example.text() == "cells 2.tif → 1.ome.tif"


def test_thousands_of_files_are_listed_in_pieces_and_drawn_where_they_are_seen(
    dock, folder, qtbot, monkeypatch
):
    import shutil

    many = folder.with_name("many")
    many.mkdir()
    for k in range(1200):
        shutil.copy(folder / "cells 1.tif", many / f"{k}.tif")
    pieces = []
    model = dock.panel.rows.model
    model.rowsInserted.connect(lambda _, first, last: pieces.append(last - first + 1))
    drop(dock, many)
    panel = dock.panel
    qtbot.waitUntil(lambda: len(panel.rows.rows) == 1200, timeout=WAIT)
    assert max(pieces) <= 300
    visible = panel.rows.visible_range()
    qtbot.waitUntil(lambda: all(panel.rows.rows[k].is_drawn for k in visible), timeout=WAIT)
    assert sum(row.is_drawn for row in panel.rows.rows) < 50


def test_without_dask_distributed_a_line_says_how_to_get_it(
    shared_viewer, settings_file, qtbot, monkeypatch
):
    monkeypatch.setattr("napari_ferry.widgets.convert.place_fields.find_spec", lambda _: None)
    place = opened(shared_viewer, qtbot).panel.place
    assert "pip install 'napari-ferry[cluster]'" in place.status.text()
    assert not place.place.isVisibleTo(place)


def test_a_cluster_is_tested_and_its_error_is_one_sentence(dock, folder, qtbot, monkeypatch):
    from contextlib import contextmanager

    from napari_ferry.errors import ClusterError
    from napari_ferry.saving.execution.cluster import connection

    class Client:
        def nthreads(self) -> dict[str, int]:
            return {"a": 4, "b": 8}

    @contextmanager
    def connecting(address):
        if address != "tcp://good:1":
            raise ClusterError(f"The scheduler {address} does not answer: check its address.")
        yield Client()

    monkeypatch.setattr(connection, "connecting", connecting)
    place = dock.panel.place
    place.expand(animate=False)
    place.place.setCurrentIndex(1)
    for text, expected in (("tcp://bad:1", "does not answer"), ("tcp://good:1", "2 workers with")):
        place.address.clear()
        qtbot.keyClicks(place.address, text)
        place.test.click()
        qtbot.waitUntil(lambda wanted=expected: wanted in place.status.text(), timeout=WAIT)
    assert place.scheduler == "tcp://good:1"
    place.address.clear()
    dock.panel.set_sources([folder])
    wait_until_listed(dock.panel, qtbot)
    dock.panel.button.click()
    assert dock.panel.status.text() == convert_words.NO_ADDRESS
    assert not dock.panel.is_running


def test_a_dock_that_is_closed_while_it_works_leaves_nothing_behind(
    dock, folder, shared_viewer, qtbot
):
    drop(dock, folder)
    shared_viewer.window.remove_dock_widget("all")  # the fixture looks for what is left


def test_consent_to_replace_files_is_for_one_folder(dock, folder, qtbot):
    out, other = folder.with_name("recordings-ome-tif"), folder.with_name("other")
    for made in (out / "cells 1.ome.tif", other / "cells 2.ome.tif"):
        made.parent.mkdir()
        made.write_bytes(b"of somebody else")
    drop(dock, folder)
    panel = dock.panel
    wait_until_listed(panel, qtbot)
    panel.replace.click()
    panel.targets.folder.line.setText(str(other))
    panel.targets.folder.edited.emit()
    panel.button.click()  # before the files of the other folder are counted
    qtbot.waitUntil(lambda: not panel.is_running, timeout=WAIT)
    assert "2 converted, 1 skipped, 1 failed" in panel.summary.text()
    assert (other / "cells 2.ome.tif").read_bytes() == b"of somebody else"


def test_files_found_just_before_the_end_of_a_search_are_listed(dock, folder, qtbot, monkeypatch):
    from napari_ferry.widgets.convert.input_search import InputSearch

    run, take = InputSearch.run, InputSearch.take
    may_run, is_done = threading.Event(), threading.Event()

    def run_late(search):
        may_run.wait()
        run(search)
        is_done.set()

    def take_before(search, most):
        finds = take(search, most)
        may_run.set()
        assert is_done.wait(WAIT / 1000)
        return finds

    monkeypatch.setattr(InputSearch, "run", run_late)
    monkeypatch.setattr(InputSearch, "take", take_before)
    drop(dock, folder)
    wait_until_listed(dock.panel, qtbot)
    assert len(dock.panel.rows.rows) == 4


def test_files_found_before_a_search_fails_are_listed(dock, folder, qtbot, monkeypatch):
    from napari_ferry.errors import UnreadableFileError
    from napari_ferry.widgets.convert import input_search

    search = input_search.search_inputs

    def fail_at_the_end(*sources, **options):
        yield from search(*sources, **options)
        raise UnreadableFileError("day 3 cannot be read: check its permissions.")

    monkeypatch.setattr(input_search, "search_inputs", fail_at_the_end)
    drop(dock, folder)
    panel = dock.panel
    wait_until_listed(panel, qtbot)
    assert len(panel.rows.rows) == 4
    assert panel.status.text() == "day 3 cannot be read: check its permissions."


def test_a_batch_may_end_while_files_are_looked_into(dock, folder, qtbot, monkeypatch):
    from napari_ferry.widgets.convert import survey_panel

    inspect = survey_panel.inspect
    begun, may_go_on = threading.Event(), threading.Event()

    def inspect_slowly(*arguments, **options):
        begun.set()
        may_go_on.wait(WAIT / 1000)
        return inspect(*arguments, **options)

    monkeypatch.setattr(survey_panel, "inspect", inspect_slowly)
    drop(dock, folder)
    panel = dock.panel
    qtbot.waitUntil(begun.is_set, timeout=WAIT)
    panel._end()
    may_go_on.set()
    wait_until_listed(panel, qtbot)
    assert not panel.status.isVisible()


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    """A folder with a stack over time, and a recording without z."""
    folder = tmp_path / "stacks"
    pixels = np.arange(3 * 4 * 16 * 16, dtype=np.uint16).reshape(3, 4, 16, 16)
    imsave(Image.from_array(pixels, "tzyx"), folder / "stack.ome.tif")
    imsave(Image.from_array(pixels[:, 0], "tyx"), folder / "plain.ome.tif")
    return folder


def test_a_position_or_a_projection_of_stacks_is_chosen(dock, stacks, qtbot):
    panel = dock.panel
    axes = panel.formats.axes
    choose(panel, ".mp4")
    drop(dock, stacks)
    wait_until_listed(panel, qtbot)
    assert states(panel) == {"plain.ome.tif": "new", "stack.ome.tif": "failed"}
    assert "under 'Position', such as z=0" in panel.rows.rows[1].problem
    assert axes.isVisibleTo(panel)
    assert axes.axis.choices == (None, "t", "z")

    qtbot.keyClicks(axes.position.native, "z=9")
    wait_until_listed(panel, qtbot)
    assert "z has 4 indices" in panel.rows.rows[1].problem
    axes.other_axes.value = "max"
    assert not axes.position.native.isVisibleTo(panel)
    wait_until_listed(panel, qtbot)
    assert set(states(panel).values()) == {"new"}


def test_a_projection_is_that_of_the_command_line(dock, stacks, qtbot):
    out = stacks.with_name("stacks-mp4")
    words = ["--thickness", "all", "--projection", "max", "--frame-rate", "5"]
    main(["convert", str(stacks), str(out), "--format", ".mp4", *words, "--quiet"])
    panel = dock.panel
    choose(panel, ".mp4")
    panel.formats.options.fields["frame_rate"].value = "5"
    panel.formats.axes.other_axes.value = "max"
    drop(dock, stacks)
    wait_until_listed(panel, qtbot)
    assert set(states(panel).values()) == {"current"}


def test_the_choice_of_axes_is_for_movies_of_stacks_and_stored(
    dock, folder, stacks, shared_viewer, qtbot
):
    panel = dock.panel
    drop(dock, stacks)
    wait_until_listed(panel, qtbot)
    assert not panel.formats.axes.isVisibleTo(panel)  # all values are saved
    choose(panel, ".mp4")
    assert panel.formats.axes.isVisibleTo(panel)
    drop(dock, folder)
    wait_until_listed(panel, qtbot)
    assert not panel.formats.axes.isVisibleTo(panel)
    panel.formats.axes.fill({"axis": "z", "other_axes": "mean", "position": 3})
    shared_viewer.window.remove_dock_widget("all")
    panel = opened(shared_viewer, qtbot).panel
    assert panel.formats.axes.texts() == {"axis": "z", "other_axes": "mean", "position": ""}
