"""The widget *Repair binary metadata*: drop, select, type, check and click, as a user does."""

import errno
import gc
import importlib
import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from gui import WINDOW, drop
from napari_ferry import Image, imload
from napari_ferry.codecs.binary.calibration import Calibration
from napari_ferry.codecs.binary.layout import KnownFields, Layout
from napari_ferry.codecs.binary.layout.find import FoundLayouts
from napari_ferry.codecs.binary.sidecar import sidecar_path, sidecar_text
from napari_ferry.codecs.binary.sidecar_plan import write_sidecar
from napari_ferry.image import Axis, Channel
from napari_ferry.plugin.samples import calcium_movie

pytestmark = WINDOW

WAIT = 15_000
THOROUGH = pytest.mark.thorough
HEADER = 352
FRAMES, SIDE = 12, 64
NAME = "Repair binary metadata"
MOVIE = np.asarray(calcium_movie(FRAMES, SIDE)[0].array)
SECOND = Layout(
    dtype=np.dtype("<u2"),
    offset=0,
    frames=FRAMES,
    y=SIDE,
    x=SIDE,
    confidence=0.2,
    reasons=("it may be",),
)
BEST = Layout(
    dtype=np.dtype("<u2"),
    offset=HEADER,
    frames=FRAMES,
    y=SIDE,
    x=SIDE,
    confidence=0.97,
    reasons=("rows repeat", "the file size fits"),
    details=("rows repeat every 128 bytes",),
)


@pytest.fixture
def viewer(shared_viewer: Any) -> Any:
    open_raw_files_with_us()
    return shared_viewer


@pytest.fixture
def own_viewer(make_napari_viewer: Any) -> Any:
    """One that may be closed."""
    viewer = make_napari_viewer(show=True)
    open_raw_files_with_us()
    return viewer


def open_raw_files_with_us() -> None:
    from napari.settings import get_settings

    readers = {f"*.{suffix}": "napari-ferry" for suffix in ("raw", "bin", "dat", "json")}
    get_settings().plugins.extension2reader = {**readers, "*/": "napari-ferry"}


@pytest.fixture
def search_calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replace the search for layouts by one that answers at once; what it was asked for."""
    asked: list[dict[str, Any]] = []

    def search(path: Path, known: KnownFields) -> FoundLayouts:
        asked.append({name: value for name, value in vars(known).items() if value is not None})
        return FoundLayouts(layouts=[one for one in (BEST, SECOND) if known.allows(one)])

    replace_search(monkeypatch, search)
    monkeypatch.setattr(
        "napari_ferry.codecs.binary.sidecar_search.find_common_layout", lambda *_, **__: None
    )
    return asked


def replace_search(monkeypatch: pytest.MonkeyPatch, search: Any) -> None:
    monkeypatch.setattr("napari_ferry.codecs.binary.sidecar_search.search_layouts", search)


@pytest.fixture
def notices(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr("napari_ferry.widgets.repair.sidecar_writer.notify", said.append)
    return said


def recording(
    folder: Path, name: str = "a.raw", header: int = HEADER, frames: int = FRAMES
) -> Path:
    path = folder / name
    path.write_bytes(bytes(header) + MOVIE[:frames].tobytes())
    return path


def add_widget(viewer: Any) -> Any:
    _, widget = viewer.window.add_plugin_dock_widget("napari-ferry", NAME)
    return widget


@pytest.fixture
def widget(viewer: Any, search_calls: Any) -> Any:
    return add_widget(viewer)


def opened(widget: Any, path: Path, qtbot: Any) -> Path:
    """Type the name of a file, and wait until it is shown."""
    widget.files.line.clear()
    qtbot.keyClicks(widget.files.line, str(path))
    press_enter(widget.files.line, qtbot)
    wait_until_read(widget, qtbot)
    wait_for_candidates(widget, qtbot)
    return path


def wait_until_read(widget: Any, qtbot: Any) -> None:
    """Wait until sizes and sidecar of files were read, or could not be."""
    qtbot.waitUntil(lambda: not widget.status.text().startswith("Reading"), timeout=WAIT)


def press_enter(field: Any, qtbot: Any) -> None:
    from qtpy.QtCore import Qt

    qtbot.keyClick(field, Qt.Key.Key_Return)


def wait_for_candidates(widget: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: bool(widget.candidate_list.candidates), timeout=WAIT)
    wait_until_shown(widget, qtbot)


def wait_until_shown(widget: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not is_waiting(widget) and bool(widget.preview.layers), timeout=WAIT)


def wait_until_found(widget: Any, qtbot: Any) -> None:
    """Wait until what was changed has been searched with."""
    qtbot.waitUntil(
        lambda: not is_waiting(widget) and "Searching" not in widget.status.text(), timeout=WAIT
    )


def is_waiting(widget: Any) -> bool:
    is_reading = widget.status.text().startswith("Reading")
    return is_reading or any(timer.isActive() for timer in widget.timers.values())


def type_number(widget: Any, name: str, text: str, qtbot: Any) -> None:
    unfold(widget.numbers, qtbot)
    field = widget.form.fields[name]
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, text)
    press_enter(field, qtbot)


def values(widget: Any) -> tuple[int, ...]:
    return tuple(widget.form.fields[n].value() for n in ("offset", "frames", "y", "x"))


def click(button: Any, qtbot: Any) -> None:
    from qtpy.QtCore import Qt

    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def headline(widget: Any) -> str:
    """Return the question about the layout, without hard spaces."""
    return str(widget.question.headline.text()).replace("\u00a0", " ")


def list_texts(widget: Any) -> list[str]:
    rows = widget.candidate_list.list
    return [rows.item(row).text().replace("\u00a0", " ") for row in range(rows.count())]


def answer_question(widget: Any, label: str, qtbot: Any) -> str:
    """Click a button of the question that comes, and return what it asks."""
    from qtpy.QtWidgets import QMessageBox

    def boxes() -> list[Any]:
        return [box for box in widget.findChildren(QMessageBox) if box.isVisible()]

    qtbot.waitUntil(lambda: bool(boxes()), timeout=WAIT)
    (box,) = boxes()
    (button,) = (each for each in box.buttons() if each.text().strip("&") == label)
    click(button, qtbot)
    qtbot.waitUntil(lambda: not boxes(), timeout=WAIT)
    return f"{box.text()}\n\n{box.informativeText()}"


def unfold(section: Any, qtbot: Any) -> None:
    """Click on the title of a folded section."""
    if not section.isExpanded():
        click(section.toggleButton(), qtbot)


def docked(viewer: Any) -> Any:
    """Return the widget that was opened, None where there is none."""
    docks = viewer.window._wrapped_dock_widgets
    return next((dock.inner_widget() for name, dock in docks.items() if NAME in name), None)


# --- opening in napari ---------------------------------------------------------------------------


def test_a_dropped_file_without_sidecar_opens_the_widget(viewer, tmp_path, qtbot):
    """The real search: it knows the layout by itself."""
    path = tmp_path / "a.raw"
    path.write_bytes(bytes(HEADER) + np.asarray(calcium_movie(30, 96)[0].array).tobytes())
    drop(viewer.window._qt_viewer, path)
    widget = docked(viewer)
    wait_for_candidates(widget, qtbot)
    best = widget.candidate_list.candidates[0]
    assert values(widget) == (HEADER, 30, 96, 96)
    assert best.layout.confidence > 0.8
    assert headline(widget) == "This looks like 30 frames of 96 × 96, 16 bit."
    reasons = widget.reasons.reasons.text()
    assert reasons.startswith("Why: neighboring pixels are smooth as uint16; rows of 96 pixels")
    assert not widget.reasons.details.isVisible()
    click(widget.reasons.more.toggleButton(), qtbot)
    assert widget.reasons.details.isVisible()
    assert "rows repeat every 192 bytes" in widget.reasons.details.text()
    (layer,) = viewer.layers
    assert np.array_equal(layer.data, calcium_movie(30, 96)[0].array)


def test_files_that_are_dropped_together_are_one_list(viewer, search_calls, tmp_path, qtbot):
    paths = [recording(tmp_path, f"{name}.raw") for name in "abc"]
    drop(viewer.window._qt_viewer, *paths)
    widget = docked(viewer)
    wait_for_candidates(widget, qtbot)
    assert (widget.files.paths, widget.files.current) == (paths, paths[0])
    assert len(viewer.layers) == 1
    drop(viewer.window._qt_viewer, paths[2])
    qtbot.waitUntil(lambda: widget.files.paths == [paths[2]], timeout=WAIT)
    wait_for_candidates(widget, qtbot)
    assert viewer.layers[0].name == "preview of c"


def test_a_dropped_folder_of_raw_files_opens_the_widget(viewer, search_calls, tmp_path, qtbot):
    folder = tmp_path / "camera"
    folder.mkdir()
    paths = [recording(folder, f"{name}.dat") for name in "ab"]
    drop(viewer.window._qt_viewer, folder)
    widget = docked(viewer)
    wait_for_candidates(widget, qtbot)
    assert widget.files.paths == paths


def test_a_wrong_sidecar_is_compared_with_the_file(viewer, search_calls, tmp_path, qtbot):
    path = recording(tmp_path, "a.bin")
    record = {"frames": FRAMES, "y": SIDE, "x": SIDE + 2, "dtype": "uint16"}
    sidecar_path(path).write_text(json.dumps(record))
    drop(viewer.window._qt_viewer, path)
    widget = docked(viewer)
    wait_for_candidates(widget, qtbot)
    said = widget.mismatch.text()
    assert widget.mismatch.isVisible()
    assert "<b>a.json does not fit.</b>" in said
    assert f"<td><b>{SIDE + 2}</b></td><td><b>≠</b></td><td><b>{SIDE}</b></td>" in said
    assert f"<td>Frames</td><td>{FRAMES}</td><td></td><td>{FRAMES}</td>" in said
    assert values(widget) == (HEADER, FRAMES, SIDE, SIDE)
    widget.candidate_list.list.setCurrentRow(1)
    assert "from a.json" in widget.candidate_list.candidates[1].text
    assert values(widget) == (0, FRAMES, SIDE, SIDE + 2)
    wait_until_shown(widget, qtbot)
    assert viewer.layers[0].data.shape == (11, SIDE, SIDE + 2)
    assert widget.result.summary.text() == (
        "11 frames of 64 × 66 pixels. Left out: 5,728 bytes (0.7 frames) at the end, 6 % of the "
        "file."
    )
    assert widget.result.write_button.text() == "Write sidecar (11 frames)"
    assert headline(widget) == "a.json describes 12 frames of 64 × 66, 16 bit."


@pytest.mark.parametrize(
    "text", ["{", *(pytest.param(s, marks=THOROUGH) for s in ("[]", '{"dtype": "O"}', '{"y": -3}'))]
)
def test_an_invalid_sidecar_is_reported(viewer, search_calls, tmp_path, qtbot, text):
    path = recording(tmp_path, "a.bin")
    sidecar_path(path).write_text(text)
    drop(viewer.window._qt_viewer, path)
    widget = docked(viewer)
    wait_for_candidates(widget, qtbot)
    assert "a.json" in widget.mismatch.text()
    assert widget.mismatch.isVisible()


def test_a_sidecar_that_leaves_bytes_out_comes_first(widget, tmp_path, qtbot):
    path = recording(tmp_path)
    record = {"frames": 11, "y": SIDE, "x": SIDE, "dtype": "uint16", "offset": HEADER}
    sidecar_path(path).write_text(json.dumps({**record, "rest": 2 * SIDE * SIDE}))
    opened(widget, path, qtbot)
    assert widget.candidate_list.candidates[0].source == "a.json"
    assert values(widget) == (HEADER, 11, SIDE, SIDE)


@pytest.mark.thorough
def test_a_file_with_a_sidecar_opens_as_usual(viewer, search_calls, tmp_path):
    path = recording(tmp_path, "a.bin", header=0)
    record = {"frames": FRAMES, "y": SIDE, "x": SIDE, "dtype": "uint16"}
    sidecar_path(path).write_text(json.dumps(record))
    drop(viewer.window._qt_viewer, path)
    assert docked(viewer) is None
    assert np.array_equal(viewer.layers[0].data, MOVIE)


def test_the_sample_opens_in_the_widget(viewer, tmp_path, qtbot):
    viewer.open_sample("napari-ferry", "raw_recording")
    widget = docked(viewer)
    wait_for_candidates(widget, qtbot)
    assert values(widget) == (HEADER, 60, 192, 192)
    kinds = [type(layer).__name__ for layer in viewer.layers]
    assert kinds == ["Image", "Labels"]
    viewer.window.remove_dock_widget(widget)
    qtbot.wait(50)  # to draw what is left once crashed
    assert [layer.name for layer in viewer.layers] == ["cells"]


# --- candidates ----------------------------------------------------------------------------------


def test_candidates_have_thumbnails_text_and_reasons(widget, viewer, tmp_path, qtbot):
    opened(widget, recording(tmp_path), qtbot)
    first, second = widget.candidate_list.candidates
    assert first.text == "12 × 64 × 64\nuint16, header 352\nvery likely (97 %)"
    assert second.text == "12 × 64 × 64\nuint16\n352 bytes remain\nunlikely (20 %)"
    assert widget.reasons.reasons.text() == "Why: rows repeat; the file size fits."
    assert widget.reasons.details.text() == "Rows repeat every 128 bytes."
    qtbot.waitUntil(lambda: len(widget.candidate_list.icons) == 2, timeout=WAIT)
    assert list_texts(widget)[0] == first.text
    picture = widget.candidate_list.list.item(0).icon().pixmap(132, 64).toImage()
    shades = {picture.pixelColor(i, 30).red() for i in range(64)}
    assert len(shades) > 20


@pytest.mark.thorough
def test_choosing_a_candidate_shows_it(widget, viewer, tmp_path, qtbot):
    from qtpy.QtCore import Qt

    opened(widget, recording(tmp_path), qtbot)
    (layer,) = viewer.layers
    widget.candidate_list.list.setFocus()
    qtbot.keyClick(widget.candidate_list.list, Qt.Key.Key_Down)
    assert values(widget) == (0, FRAMES, SIDE, SIDE)
    wait_until_shown(widget, qtbot)
    assert list(viewer.layers) == [layer]
    assert layer.data[0, 0, 0] == 0
    qtbot.keyClick(widget.candidate_list.list, Qt.Key.Key_Up)
    wait_until_shown(widget, qtbot)
    assert np.array_equal(layer.data, MOVIE)


@pytest.mark.thorough
def test_more_candidates_come_on_demand(widget, viewer, tmp_path, qtbot, monkeypatch):
    found = [
        Layout(dtype=np.dtype("u1"), offset=0, frames=1, y=10 + i, x=20, confidence=0.01)
        for i in range(9)
    ]
    replace_search(monkeypatch, lambda path, known: FoundLayouts(layouts=found))
    opened(widget, recording(tmp_path), qtbot)
    assert widget.candidate_list.list.count() == 4
    assert widget.candidate_list.more.text() == "Show 5 more"
    click(widget.candidate_list.more, qtbot)
    assert widget.candidate_list.list.count() == 9
    assert not widget.candidate_list.more.isVisible()
    assert "No layout is clearly more likely" in widget.status.text()


def test_noise_is_reported_as_noise(viewer, tmp_path, qtbot):
    """The real search."""
    path = tmp_path / "noise.raw"
    path.write_bytes(np.random.default_rng(0).bytes(40_000))
    widget = add_widget(viewer)
    opened(widget, path, qtbot)
    assert "No image structure was found" in widget.status.text()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "is empty", marks=THOROUGH),
        (b"\x89PNG\r\n\x1a\n" + bytes(9000), "begins like a PNG image"),
    ],
)
def test_a_file_that_is_not_raw_is_one_sentence(viewer, tmp_path, qtbot, content, words):
    widget = add_widget(viewer)
    path = tmp_path / "a.raw"
    path.write_bytes(content)
    widget.open_paths([path])
    qtbot.waitUntil(
        lambda: words in widget.status.text() + widget.result.summary.text(), timeout=WAIT
    )
    assert not widget.result.open_button.isEnabled()
    assert len(viewer.layers) == 0


def test_a_missing_file_is_one_sentence(widget, tmp_path, qtbot):
    widget.open_paths([tmp_path / "nowhere.raw"])
    wait_until_read(widget, qtbot)
    said = "nowhere.raw cannot be read (No such file or directory): check that it exists."
    assert widget.status.text() == f"{tmp_path}{os.sep}{said}"
    widget.open_paths([tmp_path])
    wait_until_read(widget, qtbot)
    assert "contains no raw files" in widget.result.summary.text()


def test_an_invalid_name_leaves_the_previous_file(widget, viewer, tmp_path, qtbot):
    path = opened(widget, recording(tmp_path), qtbot)
    widget.open_paths([tmp_path / "nowhere.raw"])
    wait_until_read(widget, qtbot)
    widget.open_paths([Path("~nobody-of-this-name") / "a.raw"])
    assert "a home folder that cannot be determined" in widget.status.text()
    type_number(widget, "frames", "6", qtbot)
    wait_until_found(widget, qtbot)
    assert widget.files.current == path
    assert viewer.layers[0].data.shape == (6, 2 * SIDE, SIDE)


def test_a_home_folder_that_is_not_known_is_one_sentence(widget, qtbot):
    qtbot.keyClicks(widget.files.line, "~nobody-of-this-name/a.raw")
    press_enter(widget.files.line, qtbot)
    assert "a home folder that cannot be determined" in widget.status.text()


# --- the question --------------------------------------------------------------------------------


def test_arrow_keys_and_a_button_go_through_the_candidates(widget, viewer, tmp_path, qtbot):
    from qtpy.QtCore import Qt

    opened(widget, recording(tmp_path), qtbot)
    assert headline(widget) == "This looks like 12 frames of 64 × 64, 16 bit."
    click(widget.question.next_button, qtbot)
    assert values(widget) == (0, FRAMES, SIDE, SIDE)
    assert headline(widget) == ("This could be 12 frames of 64 × 64, 16 bit, but that is a guess.")
    click(widget.question.next_button, qtbot)  # the first follows the last
    assert values(widget) == (HEADER, FRAMES, SIDE, SIDE)
    for part in (widget.candidate_list.list, widget.question.next_button):
        for key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
            before = values(widget)
            qtbot.keyClick(part, key)
            assert values(widget) != before
    wait_until_shown(widget, qtbot)
    canvas = viewer.window._qt_viewer.canvas.native
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    assert values(widget) == (0, FRAMES, SIDE, SIDE)
    wait_until_shown(widget, qtbot)


def test_a_layout_that_looks_right_is_opened(widget, viewer, tmp_path, qtbot):
    from qtpy.QtCore import Qt

    opened(widget, recording(tmp_path), qtbot)
    click(widget.question.confirm_button, qtbot)
    assert [layer.name for layer in viewer.layers] == ["a"]
    assert headline(widget) == "Opened as a."
    assert not widget.question.confirm_button.isVisible()
    assert not widget.result.open_button.isEnabled()
    qtbot.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_Down)
    assert values(widget) == (HEADER, FRAMES, SIDE, SIDE)


def test_a_sidecar_adds_no_layer_to_an_opened_file(widget, viewer, tmp_path, qtbot, notices):
    opened(widget, recording(tmp_path), qtbot)
    click(widget.result.open_button, qtbot)
    (layer,) = viewer.layers
    unfold(widget.more, qtbot)
    for text in ("x", "0.5"):  # invalid, then valid
        widget.calibration_form.pixel_size.native.clear()
        qtbot.keyClicks(widget.calibration_form.pixel_size.native, text)
        qtbot.waitUntil(lambda: not is_waiting(widget), timeout=WAIT)
    assert tuple(layer.scale) == (1, 0.5, 0.5)
    click(widget.result.write_button, qtbot)
    qtbot.waitUntil(lambda: bool(notices), timeout=WAIT)
    assert list(viewer.layers) == [layer]
    assert imload(tmp_path / "a.raw")[0].pixel_size == (0.5, 0.5)


def test_a_scale_that_the_user_has_changed_is_kept(widget, viewer, tmp_path, qtbot):
    opened(widget, recording(tmp_path), qtbot)
    click(widget.result.open_button, qtbot)
    (layer,) = viewer.layers
    layer.scale = (1, 3, 3)
    qtbot.keyClicks(widget.calibration_form.pixel_size.native, "0.5")
    qtbot.waitUntil(lambda: not is_waiting(widget), timeout=WAIT)
    assert tuple(layer.scale) == (1, 3, 3)


def test_help_opens_the_guide(widget, qtbot, monkeypatch):
    from qtpy.QtGui import QDesktopServices

    asked: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: asked.append(url.toString()))
    click(widget.files.help_button, qtbot)
    (url,) = asked
    assert url.endswith("/docs/repair.md")
    assert (Path(__file__).parents[2] / "docs" / "repair.md").is_file()


# --- numbers -------------------------------------------------------------------------------------


def test_a_typed_value_is_kept_and_others_follow(widget, viewer, tmp_path, search_calls, qtbot):
    opened(widget, recording(tmp_path), qtbot)
    search_calls.clear()
    type_number(widget, "x", "32", qtbot)
    assert values(widget) == (HEADER, 2 * FRAMES, SIDE, 32)
    assert widget.form.fixed == {"x"}
    wait_until_found(widget, qtbot)
    assert search_calls == [{"x": 32}]
    assert "No layout with your numbers fits" in widget.status.text()
    wait_until_shown(widget, qtbot)
    assert viewer.layers[0].data.shape[2] == 32


def test_unchecking_a_value_searches_again(widget, tmp_path, search_calls, qtbot):
    opened(widget, recording(tmp_path), qtbot)
    search_calls.clear()
    box = widget.form.fixed_boxes["y"]
    for known in ({"y": SIDE}, {}):
        box.setFocus()
        qtbot.keyClick(box, " ")
        wait_until_found(widget, qtbot)
        assert search_calls.pop() == known


@pytest.mark.sample(1)
@pytest.mark.parametrize("where", ["question", "note"])
def test_a_typed_number_is_judged(viewer, tmp_path, qtbot, where):
    """The real search: a gap would make 92 fit the size of the file."""
    path = tmp_path / "a.raw"
    path.write_bytes(np.asarray(calcium_movie(30, 96)[0].array).tobytes())
    widget = add_widget(viewer)
    opened(widget, path, qtbot)
    type_number(widget, "x", "92", qtbot)
    wait_until_found(widget, qtbot)
    assert headline(widget) == "92 does not fit; 96 does."
    note = widget.form.notes["x"]
    assert (note.text.text(), note.button.text()) == ("92 does not fit; 96 does", "Use 96")
    assert values(widget) == (0, 31, 96, 92)
    assert widget.form.draft().gap == 0
    assert widget.result.summary.text() == (
        "31 frames of 96 × 92 pixels. Left out: 5,376 bytes (0.3 frames) at the end, below 1 % of "
        "the file."
    )
    texts = list_texts(widget)
    assert texts[0].startswith("30 × 96 × 96")
    assert all("a guess (below 1 %)" in text for text in texts[1:])
    click(widget.question.use_button if where == "question" else note.button, qtbot)
    wait_until_found(widget, qtbot)
    assert values(widget) == (0, 30, 96, 96)
    assert not note.isVisible()
    assert headline(widget) == "This looks like 30 frames of 96 × 96, 16 bit."
    wait_until_shown(widget, qtbot)


def test_a_typed_choice_is_judged(widget, tmp_path, qtbot, monkeypatch):
    opened(widget, recording(tmp_path), qtbot)
    replace_search(monkeypatch, lambda *_: FoundLayouts(layouts=[], rival=BEST))
    unfold(widget.numbers, qtbot)
    widget.form.fields["dtype"].setCurrentText("float32")
    type_number(widget, "y", "60", qtbot)
    wait_until_found(widget, qtbot)
    assert "float32 does not fit; uint16 does" in headline(widget)
    assert "60 does not fit; 64 does" in headline(widget)
    assert widget.question.use_button.text() == "Use them"
    click(widget.form.notes["dtype"].button, qtbot)
    assert widget.form.fields["dtype"].currentText() == "uint16"
    wait_until_found(widget, qtbot)
    click(widget.question.use_button, qtbot)
    assert values(widget) == (HEADER, FRAMES, SIDE, SIDE)
    assert widget.form.fixed == {"dtype"}
    wait_until_shown(widget, qtbot)


def test_a_click_on_the_note_of_a_field_fixes_it(widget, viewer, tmp_path, qtbot):
    opened(widget, recording(tmp_path), qtbot)
    type_number(widget, "x", "63", qtbot)
    note = widget.form.notes["x"]
    assert note.isVisible()
    assert note.text.text() == "63 does not fit; 64 does"
    assert note.button.text() == "Use 64"
    header = widget.form.notes["offset"]
    assert header.text.text() == "Or the header has 1,888 bytes"
    assert header.button.text() == "Use 1,888"
    assert "Left out: 1,536 bytes (0.2 frames) at the end" in text_when_shown(widget, qtbot)
    click(note.button, qtbot)
    assert values(widget) == (HEADER, FRAMES, SIDE, SIDE)
    assert not note.isVisible()
    assert "12 frames of 64 × 64" in text_when_shown(widget, qtbot)


def text_when_shown(widget: Any, qtbot: Any) -> str:
    wait_until_shown(widget, qtbot)
    return str(widget.result.summary.text())


def test_the_newest_search_wins(widget, viewer, tmp_path, qtbot, monkeypatch):
    go, begun = threading.Event(), threading.Event()

    def search(path: Path, known: KnownFields) -> FoundLayouts:
        if known == KnownFields():
            begun.set()
            go.wait(10)
            return FoundLayouts(layouts=[SECOND])
        return FoundLayouts(layouts=[BEST])

    replace_search(monkeypatch, search)
    widget.open_paths([recording(tmp_path)])
    qtbot.waitUntil(begun.is_set, timeout=WAIT)
    type_number(widget, "offset", str(HEADER), qtbot)
    go.set()
    wait_until_found(widget, qtbot)
    assert [one.layout for one in widget.candidate_list.candidates] == [BEST]
    wait_until_shown(widget, qtbot)


@pytest.mark.thorough
def test_selecting_a_candidate_unchecks_contradicting_values(widget, tmp_path, qtbot):
    opened(widget, recording(tmp_path), qtbot)
    type_number(widget, "x", "63", qtbot)
    widget.candidate_list.list.setCurrentRow(0)
    assert widget.form.fixed == set()
    assert values(widget) == (HEADER, FRAMES, SIDE, SIDE)


def test_channels_become_layers_of_their_own_or_a_color(widget, viewer, tmp_path, qtbot):
    opened(widget, recording(tmp_path), qtbot)
    others = viewer.add_points(np.zeros((1, 2)))
    fields = widget.form.fields
    assert not fields["interleaving"].isEnabled()
    type_number(widget, "channels", "3", qtbot)
    wait_until_shown(widget, qtbot)
    assert [layer.rgb for layer in viewer.layers if layer is not others] == [True]
    fields["interleaving"].setCurrentText("one plane after another")
    wait_until_shown(widget, qtbot)
    assert [layer.data.shape for layer in viewer.layers if layer is not others] == [
        (4, SIDE, SIDE)
    ] * 3
    assert viewer.layers[-1] is others


def test_layers_go_once_the_one_that_comes_was_drawn(widget, viewer, tmp_path, qtbot):
    """It crashed at times where that was drawn after they had gone."""
    opened(widget, recording(tmp_path), qtbot)
    type_number(widget, "channels", "2", qtbot)
    widget.form.fields["interleaving"].setCurrentText("one plane after another")
    wait_until_shown(widget, qtbot)
    assert len(viewer.layers) == 2
    drawn: set[int] = set()
    canvas = viewer.window._qt_viewer.canvas._scene_canvas

    def note(_: Any) -> None:
        drawn.add(len(viewer.layers))

    canvas.events.draw.connect(note)
    type_number(widget, "channels", "1", qtbot)
    qtbot.waitUntil(lambda: drawn >= {3, 1}, timeout=WAIT)
    canvas.events.draw.disconnect(note)
    assert [layer.name for layer in viewer.layers] == ["preview of a"]


def test_a_dtype_can_be_chosen_and_a_frame_too_large_is_not_shown(widget, viewer, tmp_path, qtbot):
    path = tmp_path / "large.raw"
    with path.open("wb") as file:
        file.truncate(40_000_000_000)
    opened(widget, path, qtbot)
    widget.form.fields["dtype"].setCurrentText("float32")
    assert widget.form.fixed == {"dtype"}
    qtbot.waitUntil(lambda: [each.dtype for each in viewer.layers] == [np.float32], timeout=WAIT)
    type_number(widget, "channels", "17", qtbot)
    qtbot.waitUntil(lambda: "17 channels" in widget.result.summary.text(), timeout=WAIT)
    assert len(viewer.layers) == 0
    type_number(widget, "channels", "1", qtbot)
    type_number(widget, "frames", "1", qtbot)
    qtbot.waitUntil(lambda: "too large to show" in widget.result.summary.text(), timeout=WAIT)
    assert len(viewer.layers) == 0


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, pytest.param(3, marks=THOROUGH)])
def test_every_type_is_shown_or_refused(widget, viewer, tmp_path, qtbot, channels):
    opened(widget, recording(tmp_path), qtbot)
    widget.form.fields["channels"].setValue(channels)
    field = widget.form.fields["dtype"]
    for row in range(field.count()):
        field.setCurrentIndex(row)
        widget.form.fields["byte_order"].setCurrentText(f"{['little', 'big'][row % 2]} endian")
        widget.timers["search"].stop()
        widget.timers["show"].stop()
        widget._show()
        shown = [layer.dtype.name for layer in viewer.layers]
        assert shown == ([] if field.currentText() == "float16" else [field.currentText()])
    assert "does not show float16" in widget.result.summary.text()


# --- preview -------------------------------------------------------------------------------------


def test_the_preview_goes_with_its_file_and_touches_nothing_else(widget, viewer, tmp_path, qtbot):
    mine = viewer.add_image(np.zeros((4, 4)), name="mine")
    opened(widget, recording(tmp_path, "a.raw"), qtbot)
    assert [layer.name for layer in viewer.layers] == ["mine", "preview of a"]
    opened(widget, recording(tmp_path, "b.raw"), qtbot)
    assert [layer.name for layer in viewer.layers] == ["mine", "preview of b"]
    viewer.layers.remove("preview of b")
    widget.candidate_list.list.setCurrentRow(1)
    wait_until_shown(widget, qtbot)
    assert [layer.name for layer in viewer.layers] == ["mine", "preview of b"]
    viewer.window.remove_dock_widget(widget)
    assert list(viewer.layers) == [mine]


@pytest.mark.parametrize("how", ["other file", "closed"])
def test_the_preview_of_a_file_that_became_shorter_goes(
    widget, viewer, search_calls, tmp_path, qtbot, how
):
    other = viewer.add_image(np.zeros((3, 8, 8)))
    path = opened(widget, recording(tmp_path), qtbot)
    viewer.screenshot(flash=False)  # so that nothing of the file waits to be drawn
    os.truncate(path, 1000)
    if how == "closed":
        viewer.window.remove_dock_widget(widget)
        assert list(viewer.layers) == [other]
    else:
        opened(widget, recording(tmp_path, "b.raw"), qtbot)
        assert [layer.name for layer in viewer.layers] == ["Image", "preview of b"]


@pytest.mark.thorough
def test_contrast_is_that_of_the_samples(widget, viewer, tmp_path, qtbot):
    opened(widget, recording(tmp_path), qtbot)
    low, high = np.percentile(MOVIE, (1, 99.5))
    qtbot.waitUntil(
        lambda: abs(viewer.layers[0].contrast_limits[1] - high) < 0.05 * high, timeout=WAIT
    )
    assert abs(viewer.layers[0].contrast_limits[0] - low) < 0.05 * low


# --- what comes of it ----------------------------------------------------------------------------


def test_open_keeps_the_layer_with_scales_and_units(widget, viewer, tmp_path, qtbot):
    opened(widget, recording(tmp_path), qtbot)
    unfold(widget.more, qtbot)
    qtbot.keyClicks(widget.calibration_form.pixel_size.native, "0,5")
    qtbot.keyClicks(widget.calibration_form.frame_rate.native, "20")
    click(widget.result.open_button, qtbot)
    (layer,) = viewer.layers
    assert layer.name == "a"
    assert tuple(layer.scale) == (0.05, 0.5, 0.5)
    assert [str(unit) for unit in layer.units] == ["second", "micrometer", "micrometer"]
    assert layer.axis_labels == ("t", "y", "x")
    widget.candidate_list.list.setCurrentRow(1)
    wait_until_shown(widget, qtbot)
    viewer.window.remove_dock_widget(widget)
    assert list(viewer.layers) == [layer]


def test_open_brings_a_preview_back_that_was_deleted(widget, viewer, tmp_path, qtbot):
    opened(widget, recording(tmp_path), qtbot)
    viewer.layers.clear()
    click(widget.result.open_button, qtbot)
    assert [layer.name for layer in viewer.layers] == ["a"]


def test_a_sidecar_is_written_and_the_file_opens_by_itself(
    widget, viewer, tmp_path, qtbot, notices
):
    path = opened(widget, recording(tmp_path), qtbot)
    widget.calibration_form.frame_axis.value = "z"
    qtbot.keyClicks(widget.calibration_form.z_step.native, "300")
    qtbot.keyClicks(widget.calibration_form.pixel_size.native, "80")
    widget.calibration_form.unit.value = "nanometer"
    click(widget.result.write_button, qtbot)
    qtbot.waitUntil(lambda: bool(notices), timeout=WAIT)
    assert notices == [f"Wrote {tmp_path / 'a.json'}."]
    (image,) = imload(path)
    assert np.array_equal(image.array, MOVIE)
    assert [(axis.name, axis.scale, axis.unit) for axis in image.axes] == [
        ("z", 300, "nanometer"),
        ("y", 80, "nanometer"),
        ("x", 80, "nanometer"),
    ]


def test_replacing_a_sidecar_is_asked_and_keeps_it(widget, tmp_path, qtbot, notices):
    path = recording(tmp_path)
    sidecar_path(path).write_text('{"mine": 1}')
    (tmp_path / "a.json.bak").write_text("older")
    opened(widget, path, qtbot)
    click(widget.result.write_button, qtbot)
    assert answer_question(widget, "Cancel", qtbot) == (
        "Replace a.json?\n\nThe old file is kept as a.json.bak-2; names, colors and scale are "
        "carried over."
    )
    assert sidecar_path(path).read_text() == '{"mine": 1}'
    click(widget.result.write_button, qtbot)
    answer_question(widget, "Replace", qtbot)
    qtbot.waitUntil(lambda: bool(notices), timeout=WAIT)
    assert notices == [f"Wrote {tmp_path / 'a.json'}; the previous one is kept as a.json.bak-2."]
    assert (tmp_path / "a.json.bak").read_text() == "older"
    assert (tmp_path / "a.json.bak-2").read_text() == '{"mine": 1}'
    assert imload(path)[0].shape == MOVIE.shape
    assert not widget.mismatch.isVisible()


def described(folder: Path, name: str = "a.raw", frames: int = FRAMES) -> Path:
    """Return a recording of two channels in depth, whose sidecar does not know of the header."""
    path = recording(folder, name, frames=frames)
    axes = (
        Axis("z", 300.0, "nanometer", -4.0),
        Axis("c"),
        Axis("y", 1 / 3, "micrometer"),
        Axis("x", 1 / 7, "micrometer"),
    )
    shape = (frames // 2, 2, SIDE, SIDE)
    channels = (Channel("DAPI", "#0000ff"), Channel("GFP", "#00ff00"))
    image = Image((np.zeros(shape, np.uint16),), axes, channels, "cells", metadata={"mouse": 4})
    sidecar_path(path).write_text(sidecar_text(image))
    return path


def test_frames_are_the_planes_of_the_channels_that_the_sidecar_says(
    widget, viewer, tmp_path, qtbot
):
    opened(widget, described(tmp_path), qtbot)
    assert [one.text.split("\n") for one in widget.candidate_list.candidates] == [
        ["6 × 64 × 64 × 2", "uint16, header 352", "very likely (97 %)", "channels from a.json"],
        ["6 × 64 × 64 × 2", "uint16", "352 bytes remain", "from a.json"],
        ["12 × 64 × 64", "uint16, header 352", "very likely (97 %)"],
        ["12 × 64 × 64", "uint16", "352 bytes remain", "unlikely (20 %)"],
    ]
    assert widget.reasons.reasons.text() == (
        "Why: a.json specifies 2 channels; rows repeat; the file size fits."
    )
    assert widget.form.draft().interleaving == "plane"
    said = widget.mismatch.text()
    assert f"<td><b>0</b></td><td><b>≠</b></td><td><b>{HEADER}</b></td>" in said
    assert "<td>Channels</td><td>2</td><td></td><td>2</td>" in said
    assert (
        "<td>Channel order</td><td>one plane after another</td><td></td>"
        "<td>one plane after another</td>" in said
    )
    assert [layer.data.shape for layer in viewer.layers] == [(6, SIDE, SIDE)] * 2


@pytest.mark.parametrize("pixel", ["", "0.5"])
def test_metadata_of_a_sidecar_is_kept_except_edited_values(
    widget, tmp_path, qtbot, notices, pixel
):
    path = opened(widget, described(tmp_path), qtbot)
    before = axes_in(path)
    if pixel:
        widget.calibration_form.pixel_size.native.selectAll()
        qtbot.keyClicks(widget.calibration_form.pixel_size.native, pixel)
    wait_until_found(widget, qtbot)
    click(widget.result.write_button, qtbot)
    asked = answer_question(widget, "Replace", qtbot)
    qtbot.waitUntil(lambda: bool(notices), timeout=WAIT)
    assert asked.endswith("names, colors and scale are carried over.")
    (image,) = imload(path)
    assert np.array_equal(image.array, MOVIE.reshape(-1, 2, SIDE, SIDE))
    assert [channel.name for channel in image.channels] == ["DAPI", "GFP"]
    assert (image.name, image.metadata) == ("cells", {"mouse": 4})
    assert image.axes[:2] == (Axis("z", 300.0, "nanometer", -4.0), Axis("c"))
    assert image.pixel_size == ((0.5, 0.5) if pixel else (1 / 3, 1 / 7))
    assert axes_in(tmp_path / "a.json.bak") == before


def axes_in(path: Path) -> Any:
    beside = path if path.suffix == ".bak" else sidecar_path(path)
    return json.loads(beside.read_text())["axes"]


def test_losses_are_listed_in_the_question(widget, tmp_path, qtbot, notices):
    paths = [described(tmp_path, "a.raw"), described(tmp_path, "b.raw", 6)]
    recording(tmp_path, "c.raw")
    sidecar_path(tmp_path / "c.raw").write_text("{")
    widget.open_paths([tmp_path])
    wait_for_candidates(widget, qtbot)
    widget.candidate_list.list.setCurrentRow(2)
    widget.calibration_form.frame_axis.value = "t"
    qtbot.keyClicks(widget.calibration_form.frame_rate.native, "20")
    wait_until_shown(widget, qtbot)
    click(widget.result.all_button, qtbot)
    asked = answer_question(widget, "Cancel", qtbot)
    lost = "the descriptions of 2 channels (DAPI, GFP) are left out: the layout has 1"
    assert asked.split("\n\n") == [
        f"Write 3 sidecars in {tmp_path}?",
        "Replaced: a.json, b.json, c.json. Each old file is kept with the suffix .bak, and with a "
        "number if that name is taken.",
        "Names, colors and scale are carried over, but:\n"
        "• a.json: the axis z (length 6 at steps of 300 nanometer) is left out\n"
        f"• a.json, b.json: {lost}\n"
        "• b.json: the axis z (length 3 at steps of 300 nanometer) is left out\n"
        "• c.json: it is damaged, so nothing is copied from it",
    ]
    assert not notices
    click(widget.result.all_button, qtbot)
    answer_question(widget, "Replace", qtbot)
    qtbot.waitUntil(lambda: bool(notices), timeout=WAIT)
    for path in paths:
        (image,) = imload(path)
        assert image.axes[0] == Axis("t", 0.05, "second")
        assert (image.name, image.pixel_size) == ("cells", (1 / 3, 1 / 7))


def test_a_field_that_was_emptied_says_so(widget, tmp_path, qtbot, notices):
    path = opened(widget, recording(tmp_path), qtbot)
    for text in ("2", ""):
        widget.calibration_form.pixel_size.native.clear()
        qtbot.keyClicks(widget.calibration_form.pixel_size.native, text)
        click(widget.result.write_button, qtbot)
        asked = "" if text else answer_question(widget, "Replace", qtbot)
        qtbot.waitUntil(lambda: bool(notices), timeout=WAIT)
        notices.clear()
        assert imload(path)[0].pixel_size == ((2, 2) if text else None)
    assert "metadata is carried over, but:\n• the step of y (2 micrometer) is left out" in asked


def test_a_scale_is_not_used_for_another_recording(widget, viewer, tmp_path, qtbot):
    opened(widget, described(tmp_path), qtbot)
    assert widget.calibration_form.calibration() == Calibration(
        frame_axis="z", frame_step=0.3, pixel_size=0.142857
    )  # as far as it is shown
    opened(widget, recording(tmp_path, "b.raw"), qtbot)
    assert widget.calibration_form.calibration() == Calibration()
    assert viewer.layers[0].axis_labels == ("t", "y", "x")


def test_an_invalid_scale_is_reported_and_nothing_is_written(widget, viewer, tmp_path, qtbot):
    path = opened(widget, recording(tmp_path), qtbot)
    qtbot.keyClicks(widget.calibration_form.pixel_size.native, "-1")
    qtbot.waitUntil(lambda: "enter a number above 0" in widget.result.summary.text(), timeout=WAIT)
    assert not widget.result.write_button.isEnabled()
    widget.calibration_form.pixel_size.native.clear()
    qtbot.keyClicks(widget.calibration_form.pixel_size.native, "2")
    wait_until_shown(widget, qtbot)
    assert widget.result.write_button.isEnabled()
    assert not sidecar_path(path).exists()


def test_a_failed_write_is_one_sentence(widget, tmp_path, qtbot, notices):
    opened(widget, recording(tmp_path), qtbot)
    (tmp_path / "a.json").mkdir()
    click(widget.result.write_button, qtbot)
    answer_question(widget, "Replace", qtbot)
    qtbot.waitUntil(lambda: "a.json" in widget.status.text(), timeout=WAIT)
    assert notices == []
    assert widget.status.text().endswith(".")


def test_an_error_between_two_sidecars_tells_what_was_written(
    widget, tmp_path, qtbot, notices, monkeypatch
):
    for name in "abc":
        recording(tmp_path, f"{name}.raw")
    widget.open_paths([tmp_path])
    wait_until_read(widget, qtbot)
    wait_for_candidates(widget, qtbot)

    def write(data: Path, *args: Any, **options: Any) -> Any:
        if data.name == "b.raw":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write_sidecar(data, *args, **options)

    monkeypatch.setattr("napari_ferry.widgets.repair.sidecar_writer.write_sidecar", write)
    click(widget.result.all_button, qtbot)
    answer_question(widget, "Write", qtbot)
    qtbot.waitUntil(lambda: bool(notices), timeout=WAIT)
    assert notices == [f"Wrote {tmp_path / 'a.json'}."]
    wait_until_read(widget, qtbot)
    said = "b.json cannot be written (No space left on device): check its folder."
    assert widget.status.text() == said


def test_a_sidecar_that_vanishes_after_writing_is_one_sentence(
    widget, tmp_path, qtbot, notices, monkeypatch
):
    path = opened(widget, recording(tmp_path), qtbot)

    def read(data: Path) -> Any:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(data))

    monkeypatch.setattr("napari_ferry.widgets.repair.sidecar_writer.read_sidecar_status", read)
    click(widget.result.write_button, qtbot)
    qtbot.waitUntil(lambda: "cannot be read" in widget.status.text(), timeout=WAIT)
    assert notices == [f"Wrote {path.with_suffix('.json')}."]


def test_files_are_listed_and_sidecars_sought_in_other_threads(
    widget, tmp_path, qtbot, notices, monkeypatch
):
    seen: dict[str, threading.Thread] = {}

    def watch(module: str, name: str) -> None:
        call = getattr(importlib.import_module(f"napari_ferry.widgets.repair.{module}"), name)

        def watched(*args: Any) -> Any:
            seen[name] = threading.current_thread()
            return call(*args)

        monkeypatch.setattr(f"napari_ferry.widgets.repair.{module}.{name}", watched)

    watch("repair_widget", "list_raw_files")
    watch("repair_widget", "read_sidecar_status")
    watch("sidecar_writer", "make_question")
    opened(widget, recording(tmp_path), qtbot)
    click(widget.result.write_button, qtbot)
    qtbot.waitUntil(lambda: bool(notices), timeout=WAIT)
    assert len(seen) == 3
    assert threading.main_thread() not in seen.values()


def test_the_whole_frames_of_a_file_that_was_cut_off_can_be_opened(
    widget, viewer, tmp_path, qtbot, monkeypatch
):
    path = recording(tmp_path)
    os.truncate(path, path.stat().st_size - 1000)
    opened(widget, path, qtbot)
    assert widget.result.open_button.text() == "Open 11 frames"
    assert widget.result.write_button.text() == "Write sidecar (11 frames)"
    assert "Left out: 7,192 bytes (0.9 frames) at the end" in widget.result.summary.text()
    click(widget.result.open_button, qtbot)
    assert np.array_equal(viewer.layers["a"].data, MOVIE[:11])
    monkeypatch.setattr("napari_ferry.widgets.repair.sidecar_writer.notify", lambda _: None)
    click(widget.result.write_button, qtbot)
    qtbot.waitUntil(path.with_suffix(".json").is_file, timeout=WAIT)
    assert np.array_equal(imload(path)[0].array, MOVIE[:11])


def test_bytes_between_frames_are_skipped(widget, viewer, tmp_path, qtbot, monkeypatch):
    path = tmp_path / "a.raw"
    path.write_bytes(b"".join(frame.tobytes() + bytes(64) for frame in MOVIE))
    opened(widget, path, qtbot)
    for name, value in (("offset", 0), ("gap", 64), ("y", SIDE), ("x", SIDE)):
        type_number(widget, name, str(value), qtbot)
    wait_until_found(widget, qtbot)
    assert widget.form.draft().frames == len(MOVIE)
    click(widget.result.open_button, qtbot)
    assert np.array_equal(viewer.layers["a"].data, MOVIE)


# --- several files -------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_folder_is_repaired_with_one_layout(
    widget, viewer, tmp_path, qtbot, notices, monkeypatch
):
    monkeypatch.undo()
    counts = {"a.raw": 6, "b.raw": 12, "c.raw": 9}
    for name, count in counts.items():
        recording(tmp_path, name, frames=count)
    (tmp_path / "notes.dat").write_bytes(b"not one frame")
    said: list[str] = []
    monkeypatch.setattr("napari_ferry.widgets.repair.sidecar_writer.notify", said.append)
    drop(widget, tmp_path)
    wait_for_candidates(widget, qtbot)
    for name, value in (("offset", HEADER), ("y", SIDE), ("x", SIDE)):
        type_number(widget, name, str(value), qtbot)
    wait_until_found(widget, qtbot)
    lines = [widget.files.list.item(row).text() for row in range(4)]
    assert lines == [
        "a.raw: 6 frames",
        "b.raw: 12 frames",
        "c.raw: 9 frames",
        "notes.dat: left out, no whole frame",
    ]
    widget.files.list.setCurrentRow(1)
    wait_for_candidates(widget, qtbot)
    assert values(widget)[1] == 12
    click(widget.result.all_button, qtbot)
    asked = answer_question(widget, "Write", qtbot)
    qtbot.waitUntil(lambda: bool(said), timeout=WAIT)
    assert "Write 3 sidecars" in asked
    assert "Left out, as the layout does not fit: notes.dat." in asked
    assert said == [f"Wrote 3 sidecars in {tmp_path}."]
    for name, count in counts.items():
        assert imload(tmp_path / name)[0].shape == (count, SIDE, SIDE)
    assert not (tmp_path / "notes.json").exists()


def test_files_that_share_a_sidecar_get_no_wrong_one(widget, tmp_path, qtbot, notices):
    recording(tmp_path)
    recording(tmp_path, "a.bin", frames=5)
    widget.open_paths([tmp_path])
    wait_for_candidates(widget, qtbot)
    click(widget.result.all_button, qtbot)
    qtbot.waitUntil(lambda: "share the sidecar a.json" in widget.status.text(), timeout=WAIT)
    assert not notices
    assert not (tmp_path / "a.json").exists()


# --- the window ----------------------------------------------------------------------------------


def wait_until_gone(widget: Any, qtbot: Any) -> None:
    from qtpy.compat import isalive

    qtbot.waitUntil(lambda: not isalive(widget), timeout=WAIT)


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("ferry")}


@pytest.mark.parametrize("how", ["dock", "napari"])
def test_nothing_is_left_when_it_is_closed(own_viewer, search_calls, tmp_path, qtbot, how):
    path = recording(tmp_path)
    before = threads()
    widget = add_widget(own_viewer)
    opened(widget, path, qtbot)
    assert str(path) in open_paths()
    if how == "dock":
        own_viewer.window.remove_dock_widget(widget)
        assert len(own_viewer.layers) == 0
    else:
        own_viewer.close()
    wait_until_gone(widget, qtbot)
    del widget
    qtbot.waitUntil(lambda: gc.collect() >= 0 and threads() <= before, timeout=WAIT)
    if how == "dock":
        assert str(path) not in open_paths()


def open_paths() -> list[str]:
    return [file.path for file in psutil.Process().open_files()]


def test_the_keyboard_reaches_everything(widget, tmp_path, qtbot):
    opened(widget, recording(tmp_path), qtbot)
    unfold(widget.more, qtbot)
    files, form = widget.files, widget.form
    wanted = [files.line, files.file_button, files.folder_button, files.help_button]
    wanted += [widget.question.confirm_button, widget.question.next_button]
    wanted += [widget.candidate_list.list, widget.reasons.more.toggleButton()]
    wanted += [widget.numbers.toggleButton()]
    for name, field in form.fields.items():
        wanted += [field, form.fixed_boxes[name]]
    wanted += [widget.more.toggleButton()]
    wanted += [field.native for field in widget.calibration_form.fields.values()]
    wanted += [widget.result.open_button, widget.result.write_button]
    reached, here = [], files.line
    for _ in range(200):
        reached.append(here)
        here = here.nextInFocusChain()
    places = [reached.index(each) for each in wanted]
    assert places == sorted(places)
    assert all(each.focusPolicy().value & 1 for each in wanted)
    assert all(each.accessibleName() or each.text() for each in wanted)
    assert all(each.toolTip() for each in wanted)


@pytest.mark.thorough
def test_the_form_fits_a_small_screen(widget, tmp_path, qtbot):
    opened(widget, recording(tmp_path), qtbot)
    assert widget.minimumSizeHint().width() <= 340
    assert widget.minimumSizeHint().height() <= 500


@pytest.mark.thorough
@pytest.mark.parametrize(("is_folder", "named"), [(False, "a.raw"), (True, "")])
def test_browsing_opens_what_was_chosen(widget, tmp_path, qtbot, monkeypatch, is_folder, named):
    from qtpy.QtWidgets import QFileDialog

    path = recording(tmp_path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    files = widget.files
    click(files.folder_button if is_folder else files.file_button, qtbot)
    wait_for_candidates(widget, qtbot)
    assert files.line.text() == str(tmp_path / named).rstrip("/")
    assert files.paths == [path]
