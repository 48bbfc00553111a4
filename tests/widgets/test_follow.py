"""Dock *Follow* in a real window, beside a writer that is simulated by steps."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from gui import menu_entry
from layer_files import PLUGIN, Clock, pixels
from napari_ferry import Axis, Image, UnreadableFileError, imsave
from napari_ferry.layers.blank_frames import without_blanks
from napari_ferry.widgets.reload import follow_words

pytestmark = pytest.mark.window

FRAMES = pixels(9, 20, 30)


class Writer:
    """Writer of a file or folder whose steps are those of a test.

    Parameters
    ----------
    path : Path
        File to write.
    count : int
        Number of frames that it has at first.
    """

    def __init__(self, path: Path, count: int) -> None:
        self.path, self.count = path, 0
        self.append(count)

    def append(self, count: int = 1) -> None:
        for frame in FRAMES[self.count : self.count + count]:
            tifffile.imwrite(self.path, frame, append=True, metadata=None)
        self.count += count

    def append_half(self) -> None:
        """Write the directory and half of the pixels of the next frame."""
        before = self.path.stat().st_size
        tifffile.imwrite(self.path, FRAMES[self.count], append=True, metadata=None)
        content = self.path.read_bytes()
        self.path.write_bytes(content[: (before + len(content)) // 2])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def follow(shared_viewer: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The widget, whose timer never fires."""
    monkeypatch.setattr("napari_ferry.widgets.reload.follower._INTERVAL", 10**8)
    _, widget = shared_viewer.window.add_plugin_dock_widget(PLUGIN, "Follow")
    widget.follower._clock = clock
    return widget


def settle(follow: Any, qtbot: Any) -> None:
    """Wait for the end of a look."""
    qtbot.waitUntil(lambda: not any(each.is_checked for each in follow.follower._followed))


def tick(follow: Any, qtbot: Any) -> None:
    """Look at the files, as the timer does each second."""
    follow.follower.check()
    settle(follow, qtbot)


def start(follow: Any, qtbot: Any) -> None:
    follow.follow_box.setChecked(True)
    settle(follow, qtbot)


def test_new_frames_appear(shared_viewer: Any, follow: Any, clock: Clock, tmp_path: Path, qtbot):
    writer = Writer(tmp_path / "a.tif", 3)
    (layer,) = shared_viewer.open(writer.path, plugin=PLUGIN)
    layer.contrast_limits = (5, 99)
    shared_viewer.dims.set_current_step(0, 1)
    start(follow, qtbot)
    assert follow.status.text() == "Following a.tif: 3 frames, 0 s ago"

    writer.append(2)
    clock.now += 4
    tick(follow, qtbot)
    assert follow.status.text() == "Following a.tif: 5 frames, 0 s ago"
    assert np.array_equal(layer.data, FRAMES[:5])
    assert shared_viewer.dims.nsteps[0] == 5
    assert shared_viewer.dims.current_step[0] == 1
    assert tuple(layer.contrast_limits) == (5, 99)

    clock.now += 7
    tick(follow, qtbot)
    assert follow.status.text() == "Following a.tif: 5 frames, 7 s ago"


def test_the_slider_stays_at_the_end(shared_viewer: Any, follow: Any, tmp_path: Path, qtbot):
    writer = Writer(tmp_path / "a.tif", 3)
    (layer,) = shared_viewer.open(writer.path, plugin=PLUGIN)
    layer.scale, layer.translate = (0.5, 1, 1), (10, 0, 0)
    follow.stay_box.setChecked(True)
    start(follow, qtbot)
    for count in (4, 6):
        writer.append(count - writer.count)
        tick(follow, qtbot)
        assert shared_viewer.dims.current_step[0] == count - 1
        assert np.array_equal(layer._slice.image.raw, FRAMES[count - 1])


def test_a_half_written_frame_is_left_out(shared_viewer: Any, follow: Any, tmp_path: Path, qtbot):
    writer = Writer(tmp_path / "a.tif", 3)
    (layer,) = shared_viewer.open(writer.path, plugin=PLUGIN)
    start(follow, qtbot)
    writer.append_half()
    tick(follow, qtbot)
    assert np.array_equal(layer.data, FRAMES[:3])


def test_frames_are_read_before_growth_is_noticed(
    shared_viewer: Any, follow: Any, tmp_path: Path, qtbot
):
    writer = Writer(tmp_path / "a.tif", 3)
    (layer,) = shared_viewer.open(writer.path, plugin=PLUGIN)
    start(follow, qtbot)
    writer.append()
    for step in (2, 0, 1):
        shared_viewer.dims.set_current_step(0, step)
        assert np.array_equal(layer._slice.image.raw, FRAMES[step])


def test_a_single_frame_becomes_a_stack(shared_viewer: Any, follow: Any, tmp_path: Path, qtbot):
    writer = Writer(tmp_path / "a.tif", 1)
    (layer,) = shared_viewer.open(writer.path, plugin=PLUGIN)
    follow.stay_box.setChecked(True)
    start(follow, qtbot)
    assert follow.status.text() == "Following a.tif: 1 frame, 0 s ago"
    writer.append()
    tick(follow, qtbot)
    assert follow.status.text() == "Following a.tif: 2 frames, 0 s ago"
    assert layer.axis_labels == ("t", "y", "x")
    assert shared_viewer.dims.current_step[0] == 1


def test_all_channels_of_a_raw_file_are_followed(
    shared_viewer: Any, follow: Any, tmp_path: Path, qtbot
):
    path = tmp_path / "a.bin"
    data = FRAMES[:8].reshape(4, 2, 20, 30)
    imsave(Image((data,), tuple(map(Axis, "tcyx"))), path)
    layers = shared_viewer.open(path, plugin=PLUGIN)
    assert len(layers) == 2
    shared_viewer.layers.selection = {layers[1]}
    start(follow, qtbot)
    with path.open("ab") as file:
        file.write(data[:3].tobytes()[:-1])
    tick(follow, qtbot)
    assert follow.status.text() == "Following a.bin: 6 frames, 0 s ago"
    for c, layer in enumerate(layers):
        assert np.array_equal(layer.data, np.concatenate([data, data[:2]])[:, c])


def test_a_folder_is_followed(shared_viewer: Any, follow: Any, tmp_path: Path, qtbot):
    folder = tmp_path / "run"
    folder.mkdir()
    for i in (0, 1):
        tifffile.imwrite(folder / f"img_{i:03}.tif", FRAMES[i], metadata=None)
    (layer,) = shared_viewer.open(folder, plugin=PLUGIN)
    start(follow, qtbot)
    (folder / "img_002.tif").touch()
    tick(follow, qtbot)
    assert "Following run: 2 frames, 0 s ago. Waiting: img_002.tif" in follow.status.text()
    tifffile.imwrite(folder / "img_002.tif", FRAMES[2], metadata=None)
    tick(follow, qtbot)
    assert follow.status.text() == "Following run: 3 frames, 0 s ago"
    assert np.array_equal(layer.data, FRAMES[:3])


def test_following_ends_with_its_layers(shared_viewer: Any, follow: Any, tmp_path: Path, qtbot):
    writer = Writer(tmp_path / "a.tif", 3)
    shared_viewer.open(writer.path, plugin=PLUGIN)
    start(follow, qtbot)
    writer.append()
    follow.follower.check()
    shared_viewer.layers.clear()  # during the look
    qtbot.waitUntil(lambda: not follow.follow_box.isChecked())
    assert follow.status.text() == follow_words.ENDED
    assert not follow.follower._timer.isActive()


def test_files_that_take_long_to_open_are_looked_at_less_often(
    shared_viewer: Any, follow: Any, clock: Clock, tmp_path: Path, qtbot
):
    writer = Writer(tmp_path / "a.tif", 3)
    (layer,) = shared_viewer.open(writer.path, plugin=PLUGIN)
    follow.follow_box.setChecked(True)
    clock.now += 2  # during the look
    settle(follow, qtbot)
    writer.append()
    counts = []
    for _ in range(3):
        clock.now += 2.5
        tick(follow, qtbot)
        counts.append(len(layer.data))
    assert counts == [3, 3, 4]


def test_unchecking_stops(shared_viewer: Any, follow: Any, tmp_path: Path, qtbot):
    writer = Writer(tmp_path / "a.tif", 3)
    (layer,) = shared_viewer.open(writer.path, plugin=PLUGIN)
    start(follow, qtbot)
    writer.append()
    follow.follower.check()
    follow.follow_box.setChecked(False)  # during the look
    assert not follow.follower._timer.isActive()
    qtbot.wait(50)
    assert len(layer.data) == 3
    assert follow.status.text() == follow_words.IDLE


def test_a_file_at_rest_is_like_any_other_after_following(
    shared_viewer: Any, follow: Any, clock: Clock, tmp_path: Path, qtbot
):
    writer = Writer(tmp_path / "a.tif", 3)
    (layer,) = shared_viewer.open(writer.path, plugin=PLUGIN)
    start(follow, qtbot)
    clock.now += 30
    follow.follow_box.setChecked(False)
    assert not follow.follower._worker._pool._work_queue.qsize()
    writer.append()
    assert np.array_equal(layer.data, FRAMES[:3])

    start(follow, qtbot)
    followed = layer.data
    clock.now += 60
    follow.follow_box.setChecked(False)
    qtbot.waitUntil(lambda: layer.data is not followed)
    opened = without_blanks(layer.data)
    writer.append()
    with pytest.raises(UnreadableFileError, match="has changed since it was opened"):
        opened[0]


def test_layers_of_another_origin_are_named(shared_viewer: Any, follow: Any, qtbot):
    follow.follow_box.setChecked(True)
    assert follow.status.text() == follow_words.NO_LAYERS
    shared_viewer.add_image(FRAMES, name="result")
    follow.follow_box.setChecked(True)
    assert not follow.follow_box.isChecked()
    assert follow.status.text().startswith("result cannot be loaded again: ")


def test_a_changed_kind_of_image_is_said(shared_viewer: Any, follow: Any, tmp_path: Path, qtbot):
    path = tmp_path / "a.tif"
    imsave(FRAMES, path)
    shared_viewer.open(path, plugin=PLUGIN)
    start(follow, qtbot)
    imsave(pixels(4, 20, 30, 3, dtype="uint8"), path, overwrite=True)
    tick(follow, qtbot)
    tick(follow, qtbot)
    assert "Waiting: a.tif is now in color" in follow.status.text()


def test_the_menu_opens_the_dock_and_follows(
    shared_viewer: Any, follow: Any, tmp_path: Path, qtbot
):
    for name in ("a", "b"):
        writer = Writer(tmp_path / f"{name}.tif", 3)
        shared_viewer.open(writer.path, plugin=PLUGIN)
        entry = menu_entry(shared_viewer, shared_viewer.window.layers_menu, "Follow growing files")
        entry.trigger()
        settle(follow, qtbot)
        assert follow.follow_box.isChecked()
        assert follow.status.text() == f"Following {name}.tif: 3 frames, 0 s ago"


@pytest.mark.parametrize("is_folder", [False, True])
def test_files_are_opened_while_they_are_written(
    shared_viewer: Any,
    follow: Any,
    tmp_path: Path,
    qtbot,
    monkeypatch: pytest.MonkeyPatch,
    is_folder: bool,
):
    from qtpy.QtWidgets import QFileDialog

    path = tmp_path / "a.bin"
    imsave(FRAMES[:2], path)
    path.write_bytes(FRAMES.tobytes()[: FRAMES.nbytes // 2])  # unlike its sidecar
    chosen = str(tmp_path if is_folder else path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (chosen, ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: chosen)
    button = follow.folder_button if is_folder else follow.file_button
    button.click()
    settle(follow, qtbot)
    (layer,) = shared_viewer.layers
    assert np.array_equal(layer.data, FRAMES[:4])

    path.write_bytes(FRAMES.tobytes())
    tick(follow, qtbot)
    assert np.array_equal(layer.data, FRAMES)
    assert "9 frames" in follow.status.text()


def test_a_long_name_does_not_make_the_dock_wide(follow: Any, tmp_path: Path):
    before = follow.minimumSizeHint().width()
    path = tmp_path / f"{'a' * 200}.tif"
    path.touch()
    follow.open(path)
    assert path.name in follow.status.text()
    assert path.name in follow.status.toolTip()
    assert follow.minimumSizeHint().width() == before


def test_a_file_without_a_frame_is_named(shared_viewer: Any, follow: Any, tmp_path: Path):
    path = tmp_path / "a.bin"
    imsave(FRAMES, path)
    path.write_bytes(b"")
    follow.open(path)
    follow.open(None)  # the dialog was dismissed
    assert len(shared_viewer.layers) == 0
    assert follow.status.text().startswith("a.bin has no whole frame yet")


def test_the_timer_looks_by_itself(
    shared_viewer: Any, tmp_path: Path, qtbot, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("napari_ferry.widgets.reload.follower._INTERVAL", 20)
    writer = Writer(tmp_path / "a.tif", 3)
    (layer,) = shared_viewer.open(writer.path, plugin=PLUGIN)
    _, follow = shared_viewer.window.add_plugin_dock_widget(PLUGIN, "Follow")
    follow.follow_box.setChecked(True)
    writer.append()
    qtbot.waitUntil(lambda: len(layer.data) == 4)


def test_a_window_can_be_closed_during_a_look(make_napari_viewer, tmp_path: Path, qtbot):
    viewer = make_napari_viewer(show=True)
    writer = Writer(tmp_path / "a.tif", 3)
    viewer.open(writer.path, plugin=PLUGIN)
    _, follow = viewer.window.add_plugin_dock_widget(PLUGIN, "Follow")
    start(follow, qtbot)
    writer.append()
    follow.follower.check()
    viewer.close()
