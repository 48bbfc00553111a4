"""Saves from napari's menus: the window remains usable, and each can be cancelled."""

import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from npe2 import PluginManager

from gui import WINDOW
from napari_ferry import Axis, Image, SaveCancelledError, SaveError, imload, imsave
from napari_ferry.arrays import Frames
from napari_ferry.layers.layer_data import to_layers
from napari_ferry.plugin.commands import write_tiff
from napari_ferry.saving import run

pytestmark = WINDOW

SHAPE = (40, 16, 16)


class Gate:
    """Frames of a layer, readable by other threads than that of the window once it is open."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.reached = threading.Event()

    def __call__(self, i: int) -> Any:
        if threading.current_thread() is not threading.main_thread():
            self.reached.set()
            self.open.wait(30)
        return np.full(SHAPE[1:], i, np.uint8)

    def add_to(self, viewer: Any, name: str = "slow") -> Any:
        data = Frames(self, SHAPE, "uint8", 1)
        return viewer.add_image(data, name=name, contrast_limits=(0, 255))


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def notices(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Notifications on their way to the window."""
    shown: list[Any] = []
    monkeypatch.setattr(
        "napari._qt.qt_main_window.NapariQtNotification.show_notification", shown.append
    )
    monkeypatch.setattr("napari.utils.notifications.notification_manager.dispatch", shown.append)
    return shown


class During:
    """Something done in the window as soon as a save has reached a frame."""

    def __init__(self, gate: Gate, action: Any) -> None:
        from qtpy.QtCore import QTimer

        self.gate = gate
        self.action = action
        self.ticks = 0
        self.done = False
        self.timer = QTimer()
        self.timer.timeout.connect(self.tick)
        self.timer.start(1)

    def tick(self) -> None:
        if not self.gate.reached.is_set():
            return
        self.ticks += 1
        if self.ticks > 50 and not self.done:
            self.done = True
            self.action()


def progress_dialogs() -> list[Any]:
    from qtpy.QtWidgets import QApplication, QProgressDialog

    widgets = QApplication.allWidgets()
    return [each for each in widgets if isinstance(each, QProgressDialog) and each.isVisible()]


def test_the_event_loop_runs_during_a_save(
    shared_viewer: Any, gate: Gate, tmp_path: Path, notices: list[Any]
):
    gate.add_to(shared_viewer)
    during = During(gate, gate.open.set)
    paths = shared_viewer.layers.save(str(tmp_path / "slow.ome.tif"), plugin="napari-ferry")
    assert during.done
    assert during.ticks > 50
    assert paths == [str(tmp_path / "slow.ome.tif")]
    assert imload(paths[0])[0].load()[:, 0, 0].tolist() == list(range(SHAPE[0]))

    (notice,) = notices
    assert notice.message.startswith("Saved slow.ome.tif (")
    assert str(tmp_path) in notice.message
    assert str(notice.severity) == "info"


def test_a_dialog_shows_the_progress_and_cancels(
    shared_viewer: Any, gate: Gate, tmp_path: Path, notices: list[Any], qtbot: Any
):
    gate.add_to(shared_viewer)
    target = tmp_path / "slow.ome.tif"
    imsave(np.ones((3, 4), np.uint8), target)
    titles: list[str] = []

    def cancel() -> None:
        from qtpy.QtWidgets import QPushButton

        if not progress_dialogs():
            during.done = False  # it appears after half a second
            return
        (dialog,) = progress_dialogs()
        titles.append(dialog.labelText().splitlines()[0])
        assert not dialog.isModal()
        dialog.findChild(QPushButton).click()
        gate.open.set()

    during = During(gate, cancel)
    with pytest.raises(SaveCancelledError, match=r"slow\.ome\.tif was cancelled; existing files"):
        shared_viewer.layers.save(str(target), plugin="napari-ferry")
    assert titles == ["Saving slow.ome.tif"]
    assert imload(target)[0].shape == (3, 4)
    assert [path.name for path in tmp_path.iterdir()] == ["slow.ome.tif"]
    assert [notice.message for notice in notices] == [
        "Saving slow.ome.tif was cancelled; existing files are unchanged."
    ]
    assert progress_dialogs() == []


def test_cancelling_in_naparis_dialog_is_no_failure(
    shared_viewer: Any,
    gate: Gate,
    tmp_path: Path,
    notices: list[Any],
    monkeypatch: pytest.MonkeyPatch,
):
    gate.add_to(shared_viewer)
    target = tmp_path / "slow.ome.tif"

    def answer(*_: Any, **options: Any) -> tuple[str, str]:
        return str(target), next(x for x in options["filter"].split(";;") if "OME-TIFF" in x)

    def cancel() -> None:
        from qtpy.QtWidgets import QApplication, QProgressDialog, QPushButton

        (dialog,) = (x for x in QApplication.allWidgets() if isinstance(x, QProgressDialog))
        dialog.findChild(QPushButton).click()
        gate.open.set()

    monkeypatch.setattr("napari._qt.qt_viewer.QFileDialog.getSaveFileName", answer)
    during = During(gate, cancel)
    shared_viewer.window._qt_viewer._save_layers_dialog(selected=True)
    assert during.done
    assert len(notices) == 1
    assert "cancelled" in notices[0].message
    assert list(tmp_path.iterdir()) == []
    gc.collect()  # the traceback of the cancelled save refers to napari's dialog


def test_a_second_save_waits_for_its_turn(
    shared_viewer: Any, gate: Gate, tmp_path: Path, notices: list[Any]
):
    layer = gate.add_to(shared_viewer)
    errors: list[str] = []

    def save_again() -> None:
        with pytest.raises(SaveError) as caught:
            write_tiff(str(tmp_path / "second.tif"), [layer.as_layer_data_tuple()])
        errors.append(str(caught.value))
        gate.open.set()

    during = During(gate, save_again)
    shared_viewer.layers.save(str(tmp_path / "first.ome.tif"), plugin="napari-ferry")
    assert during.done
    assert len(errors) == 1
    assert errors[0].startswith("first.ome.tif is still being saved: save second.tif after that")
    assert "File > IO Utilities > Export data, which" in errors[0]
    manifest = PluginManager.instance().get_manifest("napari-ferry")
    commands = {item.command for item in manifest.contributions.menus["napari/file/io_utilities"]}
    titles = {each.title for each in manifest.contributions.commands if each.id in commands}
    assert "Export data..." in titles
    assert [path.name for path in tmp_path.iterdir()] == ["first.ome.tif"]


def test_a_save_whose_dialog_fails_does_not_block_others(
    shared_viewer: Any, tmp_path: Path, notices: list[Any], monkeypatch: pytest.MonkeyPatch
):
    def refuse(name: str) -> None:
        raise RuntimeError("no dialog")

    shared_viewer.add_image(np.zeros((3, 4), np.uint8))
    with monkeypatch.context() as patch:
        patch.setattr("napari_ferry.widgets.dialogs.save_progress._make_dialog", refuse)
        with pytest.raises(RuntimeError, match="no dialog"):
            shared_viewer.layers.save(str(tmp_path / "a.tif"), plugin="napari-ferry")
    paths = shared_viewer.layers.save(str(tmp_path / "b.tif"), plugin="napari-ferry")
    assert [Path(path).name for path in paths] == ["b.tif"]


def test_a_file_that_is_gone_after_the_save_was_saved(
    shared_viewer: Any, tmp_path: Path, notices: list[Any], monkeypatch: pytest.MonkeyPatch
):
    def run_and_move(*args: Any, **options: Any) -> list[Path]:
        paths = run(*args, **options)
        for path in paths:
            path.rename(path.with_suffix(".moved"))
        return paths

    monkeypatch.setattr("napari_ferry.plugin.layer_save.run", run_and_move)
    shared_viewer.add_image(np.zeros((3, 4), np.uint8))
    paths = shared_viewer.layers.save(str(tmp_path / "a.tif"), plugin="napari-ferry")
    assert [Path(path).name for path in paths] == ["a.tif"]
    assert [notice.message for notice in notices] == [f"Saved a.tif in {tmp_path}."]


def test_layers_may_go_during_a_save(
    shared_viewer: Any, gate: Gate, tmp_path: Path, notices: list[Any]
):
    gate.add_to(shared_viewer)

    def remove() -> None:
        shared_viewer.layers.clear()
        gate.open.set()

    during = During(gate, remove)
    shared_viewer.layers.save(str(tmp_path / "gone.ome.tif"), plugin="napari-ferry")
    assert during.done
    assert imload(tmp_path / "gone.ome.tif")[0].shape == SHAPE


def test_painting_during_a_save_is_a_warning(
    shared_viewer: Any, gate: Gate, tmp_path: Path, notices: list[Any]
):
    gate.add_to(shared_viewer)
    labels = shared_viewer.add_labels(np.zeros(SHAPE, np.uint8), name="cells")
    shared_viewer.add_labels(np.zeros(SHAPE, np.uint8), name="others")

    def paint() -> None:
        labels.paint((0, 5, 5), 3)
        gate.open.set()

    during = During(gate, paint)
    shared_viewer.layers.save(str(tmp_path / "all.ome.tif"), plugin="napari-ferry")
    assert during.done
    (notice,) = notices
    assert str(notice.severity) == "warning"
    assert "cells was edited during the save, so save it again" in notice.message
    assert "others was" not in notice.message


def test_closing_the_window_cancels_the_save(
    make_napari_viewer: Any, gate: Gate, tmp_path: Path, notices: list[Any]
):
    viewer = make_napari_viewer(show=True)
    gate.add_to(viewer)

    def close() -> None:
        assert viewer.window._task_status_manager.is_busy()
        viewer.close()
        gate.open.set()

    during = During(gate, close)
    with pytest.raises(SaveCancelledError):
        viewer.layers.save(str(tmp_path / "closed.ome.tif"), plugin="napari-ferry")
    assert during.done
    assert list(tmp_path.iterdir()) == []


def test_quitting_the_application_cancels_the_save(
    shared_viewer: Any, gate: Gate, tmp_path: Path, notices: list[Any]
):
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    gate.add_to(shared_viewer)
    cancelled: list[bool] = []

    def save() -> None:
        with pytest.raises(SaveCancelledError):
            shared_viewer.layers.save(str(tmp_path / "a.ome.tif"), plugin="napari-ferry")
        cancelled.append(True)

    def leave() -> None:
        threading.Timer(0.3, gate.open.set).start()
        QApplication.exit()

    during = During(gate, leave)
    QTimer.singleShot(0, save)
    QApplication.exec()
    assert during.done
    assert cancelled == [True]
    assert list(tmp_path.iterdir()) == []


def test_errors_of_a_save_are_raised(shared_viewer: Any, tmp_path: Path, notices: list[Any]):
    def read(i: int) -> Any:
        raise OSError("the disk is gone")

    image = Image((Frames(read, SHAPE, "uint8", 1),), (Axis("t"), Axis("y"), Axis("x")))
    with pytest.raises(OSError, match="the disk is gone"):
        write_tiff(str(tmp_path / "a.tif"), to_layers([image]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "metadata", "severity"),
    [
        ("a.mp4", {}, "info"),
        ("a.tif", {}, "info"),
        ("a.tif", {"function": print}, "warning"),
    ],
)
def test_only_surprising_losses_are_warnings(
    shared_viewer: Any,
    tmp_path: Path,
    notices: list[Any],
    name: str,
    metadata: dict[str, Any],
    severity: str,
):
    pixels = np.arange(5 * 32 * 32, dtype=np.uint16).reshape(5, 32, 32)
    shared_viewer.add_image(pixels, name="cells", colormap="viridis", metadata=metadata)
    shared_viewer.layers.save(str(tmp_path / name), plugin="napari-ferry")
    (notice,) = notices
    assert str(notice.severity) == severity
    assert ("\n" in notice.message) == (name == "a.mp4" or bool(metadata))


def test_overlays_that_a_movie_lacks_are_a_warning(
    shared_viewer: Any, tmp_path: Path, notices: list[Any]
):
    shared_viewer.add_image(np.zeros((5, 32, 32), np.uint8), name="cells")
    shared_viewer.layers[0].bounding_box.visible = True
    shared_viewer.layers.save(str(tmp_path / "a.mp4"), plugin="napari-ferry")
    (notice,) = notices
    assert str(notice.severity) == "warning"
    assert "bounding box" in notice.message


def test_the_notice_has_a_button_for_the_folder(
    shared_viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: Any
):
    from napari._qt.dialogs.qt_notification import NapariQtNotification
    from qtpy.QtWidgets import QPushButton

    opened: list[Any] = []
    monkeypatch.setattr("napari_ferry.widgets.file_manager.QDesktopServices.openUrl", opened.append)
    monkeypatch.setattr("napari_ferry.widgets.file_manager.sys.platform", "linux")
    shared_viewer.add_image(np.zeros((5, 32, 32), np.uint8), name="cells")
    shared_viewer.layers.save(str(tmp_path / "cells.tif"), plugin="napari-ferry")

    canvas = shared_viewer.window._qt_viewer.canvas.native
    qtbot.waitUntil(
        lambda: any(
            "cells.tif" in x.message.text() for x in canvas.findChildren(NapariQtNotification)
        )
    )
    notice = canvas.findChildren(NapariQtNotification)[-1]  # others are from earlier tests
    assert "cells.tif" in notice.message.text()
    assert notice.source_label.text() == "Source: napari-ferry"
    (button,) = (x for x in notice.findChildren(QPushButton) if x.text() == "Show in folder")
    button.click()
    assert [url.toLocalFile() for url in opened] == [str(tmp_path)]
    notice.close()
