"""The form *Camera* in a host of its own: choose, type, click and play, as a user does."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gui import WINDOW
from napari_ferry import InvalidImageError

pytestmark = WINDOW

WIDTH = 320


@pytest.fixture
def viewer(shared_viewer: Any) -> Any:
    viewer = shared_viewer
    volume = np.zeros((4, 20, 24, 32), np.uint8)
    volume[:, 6:14, 6:18, 4:28] = 200
    labels = ("t", "z", "y", "x")
    viewer.add_image(volume, name="cells", contrast_limits=(0, 255), axis_labels=labels)
    viewer.dims.ndisplay = 3
    viewer.reset_view()
    return viewer


@pytest.fixture
def form(viewer: Any, qtbot: Any) -> Any:
    """The form in a dock, as a host has it."""
    from qtpy.QtWidgets import QVBoxLayout, QWidget

    from napari_ferry.widgets.camera import CameraForm
    from napari_ferry.widgets.form import make_scroll_area

    host = QWidget()
    column = QVBoxLayout(host)
    form = CameraForm(viewer)
    column.addWidget(form)
    column.addStretch()
    area = make_scroll_area(host)
    area.setFixedWidth(WIDTH)
    dock = viewer.window.add_dock_widget(area, name="host")
    form.expand(animate=False)
    qtbot.waitUntil(form.kind.native.isVisible)
    yield form
    form.release()
    viewer.window.remove_dock_widget(dock)
    area.deleteLater()


def view(viewer: Any) -> Any:
    from napari_ferry.plugin.view_state import capture_view

    return capture_view(viewer)


def add_keys(form: Any, viewer: Any, zooms: tuple[float, ...] = (10, 20, 40)) -> None:
    from napari_ferry.plugin.view_state import find_camera

    form.kind.value = "key frames"
    for zoom in zooms:
        find_camera(viewer).zoom = zoom
        form.key_frames.add_button.click()


def zooms(form: Any) -> list[float]:
    return [key.view.camera.zoom for key in form.moves().keys]


def press(widget: Any, key: str, modifier: str = "NoModifier") -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    QTest.keyClick(widget, getattr(Qt.Key, f"Key_{key}"), getattr(Qt.KeyboardModifier, modifier))


def test_the_camera_does_not_move_at_first(form):
    assert form.moves() is None
    assert not form.play_button.isVisible()


def test_a_turn_is_what_was_entered(form):
    form.kind.value = "turn"
    assert form.moves().nframes == 360
    assert form.summary.text() == "360 frames, 12 s at 30 per second, 1° per frame"

    turn = form.turn
    turn.degrees.value, turn.length.number.value = "-180", "2,5"
    turn.length.unit.value = "degrees"
    turn.axis.value, turn.easing.value, turn.slider.value = "horizontal", "smooth", "t"
    moves = form.moves()
    assert (moves.nframes, moves.degrees, moves.axis) == (72, -180, "horizontal")
    assert (moves.easing, moves.slider, moves.frame_rate) == ("smooth", "t", 30)

    turn.length.unit.value = "seconds"
    form.set_frame_rate(20)
    assert (form.moves().nframes, form.moves().frame_rate) == (50, 20)


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("degrees", "abc", "The angle is 'abc': enter a number"),
        ("length", "0", "The length is 0: enter a positive number"),
        ("length", "1e9", "choose a length between 1 and 100000 frames"),
    ],
)
def test_a_wrong_number_is_named(form, field, text, says):
    form.kind.value = "turn"
    number = form.turn.degrees if field == "degrees" else form.turn.length.number
    number.value = text
    with pytest.raises(InvalidImageError, match=says):
        form.moves()
    assert not form.summary.text()  # the tab shows it
    assert not form.play_button.isEnabled()
    number.value = ""
    assert form.play_button.isEnabled()


def test_a_turn_follows_the_viewer(form, viewer, qtbot):
    form.kind.value = "turn"
    form.turn.slider.value = "t"
    with qtbot.waitSignal(form.changed):
        viewer.dims.ndisplay = 2
    with pytest.raises(InvalidImageError, match="in 3-D views only"):
        form.moves()
    viewer.dims.ndisplay = 3
    assert form.moves().slider == "t"
    with qtbot.waitSignal(form.changed):
        viewer.dims.axis_labels = ("time", "z", "y", "x")
    assert form.moves().slider is None
    assert form.turn.slider.choices == ("", "time")


def test_the_fields_of_a_turn_are_stored(form, viewer):
    from napari_ferry.widgets.camera import CameraForm

    form.turn.fill({"degrees": "90", "axis": "view", "length": "7", "unit": "frames"})
    form.turn.fill({"axis": "up", "unit": 3, "easing": None})
    texts = form.texts()
    assert texts["degrees"] == "90"

    other = CameraForm(viewer)
    other.fill(texts)
    other.kind.value = "turn"
    assert (other.moves().nframes, other.moves().axis) == (7, "view")
    other.release()
    other.deleteLater()


def test_key_frames_are_added_updated_and_removed(form, viewer):
    from napari_ferry.plugin.view_state import find_camera

    form.kind.value = "key frames"
    with pytest.raises(InvalidImageError, match="no key frames, but a move needs two"):
        form.moves()
    assert not form.summary.text()  # the tab shows it
    add_keys(form, viewer)
    assert zooms(form) == [10, 20, 40]
    assert form.moves().nframes == 121

    items = form.key_frames.list
    items.setCurrentRow(0)
    form.key_frames.length.number.value = "10"
    form.key_frames.length.unit.value = "frames"
    form.key_frames.easing.value = "linear"
    first, second, _ = form.moves().keys
    assert (first.nframes, first.easing, second.nframes, second.easing) == (
        (10, "linear", 60, "smooth")
    )
    assert [item.text() for item in items.key_frames()] == ["1 (10 frames)", "2 (2 s)", "3 (end)"]
    assert all(not item.icon().isNull() for item in items.key_frames())

    find_camera(viewer).zoom = 5
    form.key_frames.update_button.click()
    assert zooms(form) == [5, 20, 40]
    form.key_frames.add_button.click()
    assert zooms(form) == [5, 5, 20, 40]
    form.key_frames.remove_button.click()
    assert zooms(form) == [5, 20, 40]


def test_key_frames_are_moved_by_mouse_buttons_and_keys(form, viewer, qtbot):
    from qtpy.QtCore import QModelIndex

    add_keys(form, viewer)
    items = form.key_frames.list
    with qtbot.waitSignal(form.changed):
        items.model().moveRow(QModelIndex(), 2, QModelIndex(), 0)  # as a drag does
    assert zooms(form) == [40, 10, 20]

    items.setCurrentRow(0)
    form.key_frames.down_button.click()
    assert zooms(form) == [10, 40, 20]
    items.setFocus()
    press(items, "Up", "AltModifier")
    assert zooms(form) == [40, 10, 20]
    assert not form.key_frames.up_button.isEnabled()
    press(items, "Delete")
    assert zooms(form) == [10, 20]


def test_a_key_frame_cannot_be_dropped_onto_another(form, viewer):
    from qtpy.QtCore import Qt

    add_keys(form, viewer)
    for item in form.key_frames.list.key_frames():
        assert item.flags() & Qt.ItemFlag.ItemIsDragEnabled
        assert not item.flags() & Qt.ItemFlag.ItemIsDropEnabled


def test_a_click_or_enter_shows_a_key_frame(form, viewer, qtbot):
    from qtpy.QtCore import Qt

    add_keys(form, viewer)
    items = form.key_frames.list
    area = items.visualItemRect(items.item(0)).center()
    qtbot.mouseClick(items.viewport(), Qt.MouseButton.LeftButton, pos=area)
    assert view(viewer) == form.moves().keys[0].view
    items.setFocus()
    press(items, "Down")
    press(items, "Return")
    assert view(viewer) == form.moves().keys[1].view


def test_removed_layers_are_named(form, viewer):
    viewer.add_points(np.zeros((1, 4)), name="spots")
    add_keys(form, viewer)
    viewer.layers["cells"].name = "renamed"
    viewer.layers.remove("spots")
    assert form.summary.text().endswith("Removed layers are left out: spots.")


@pytest.fixture
def clock(monkeypatch: Any) -> list[float]:
    """The time of the preview in seconds, as a list of one number."""
    from napari_ferry.widgets.camera import player

    now = [0.0]
    monkeypatch.setattr(player, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.mark.parametrize("kind", ["turn", "key frames"])
def test_moves_play_in_the_viewer_and_end_where_they_began(form, viewer, qtbot, clock, kind):
    if kind == "turn":
        form.kind.value = "turn"
    else:
        add_keys(form, viewer)
    before = view(viewer)
    form.play_button.click()
    assert form.play_button.text() == "Stop"
    clock[0] = 1
    frame = form.player.moves.view(30, before)
    qtbot.waitUntil(lambda: view(viewer).camera == frame.camera)
    clock[0] = 12.1
    qtbot.waitUntil(lambda: not form.player.is_playing)
    assert view(viewer) == before
    assert form.play_button.text() == "Play in viewer"


@pytest.mark.sample(2)
@pytest.mark.parametrize("how", ["click", "add", "edit", "release"])
def test_a_preview_can_be_stopped(form, viewer, qtbot, clock, how):
    add_keys(form, viewer)
    before = view(viewer)
    form.play_button.click()
    clock[0] = 1
    qtbot.waitUntil(lambda: view(viewer) != before)
    if how == "click":
        form.play_button.click()
    elif how == "add":
        form.key_frames.add_button.click()
        assert form.moves().keys[-1].view == before
    elif how == "edit":
        form.key_frames.length.number.value = "3"
    else:
        form.stop()
    assert not form.player.is_playing
    assert view(viewer) == before


def test_every_field_has_a_name_and_fits(form, viewer):
    from qtpy.QtWidgets import QComboBox, QLineEdit, QListWidget, QPushButton

    add_keys(form, viewer)
    for kind in ("turn", "key frames"):
        form.kind.value = kind
        fields = [
            field
            for type_ in (QComboBox, QLineEdit, QListWidget, QPushButton)
            for field in form.findChildren(type_)
            if field.isVisible() and field is not form.toggleButton()
        ]
        assert len(fields) >= 6
        for field in fields:
            assert field.toolTip()
            assert field.accessibleName() or field.text()
            assert field.focusPolicy().value & 1 or not field.isEnabled()  # Tab reaches it
            assert field.mapTo(form, field.rect().topRight()).x() < WIDTH


def test_a_window_can_be_closed_during_a_preview(make_napari_viewer, qtbot):
    from napari_ferry.widgets.camera import CameraForm

    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.zeros((5, 6, 7)))
    viewer.dims.ndisplay = 3
    form = CameraForm(viewer)
    viewer.window.add_dock_widget(form, name="host")
    form.kind.value = "turn"
    before = view(viewer)
    form.play_button.click()
    qtbot.waitUntil(lambda: view(viewer) != before)
    viewer.close()
    qtbot.wait(200)
