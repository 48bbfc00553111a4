"""Fields for files and folders, by themselves: typed, chosen in a dialog, and dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDrag, QDragEnterEvent, QDropEvent, QPixmap, QWheelEvent
from qtpy.QtWidgets import QFileDialog

from napari_ferry.widgets.convert.folder_field import FolderField
from napari_ferry.widgets.export.file_handle import FileHandle
from napari_ferry.widgets.export.target_field import TargetField
from napari_ferry.widgets.file_drop import accept_files, dropped_files
from napari_ferry.widgets.form_words import Words
from napari_ferry.widgets.plan_summary import formats
from napari_ferry.widgets.repair.files import FileSelector, RawFiles
from napari_ferry.widgets.repair.layout_form import LayoutForm
from raw_files import ONE


def answer(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Let dialogs return a path; an empty one if they are cancelled."""
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (path, ""))


def test_a_folder_is_typed_or_chosen(
    qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = FolderField(Words("Folder", "where"), "Choose")
    qtbot.addWidget(field)
    entered: list[Path] = []
    field.entered.connect(entered.append)
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    answer(monkeypatch, "")
    qtbot.mouseClick(field.browse, Qt.MouseButton.LeftButton)
    assert not entered
    field.line.setText(f" {tmp_path} ")
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    answer(monkeypatch, str(tmp_path / "chosen"))
    qtbot.mouseClick(field.browse, Qt.MouseButton.LeftButton)
    assert entered == [tmp_path, tmp_path / "chosen"]
    assert field.text == str(tmp_path / "chosen")


def test_a_raw_file_is_typed_or_chosen(
    qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selector = FileSelector()
    qtbot.addWidget(selector)
    entered: list[Path] = []
    selector.paths_entered.connect(entered.extend)
    qtbot.keyClick(selector.line, Qt.Key.Key_Return)
    for path in ("", str(tmp_path / "a.raw")):
        answer(monkeypatch, path)
        for button in (selector.file_button, selector.folder_button):
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    selector.line.setText("b.raw")
    qtbot.keyClick(selector.line, Qt.Key.Key_Return)
    assert entered == [tmp_path / "a.raw", tmp_path / "a.raw", Path("b.raw")]


def test_a_file_of_several_is_selected(qtbot: Any, tmp_path: Path) -> None:
    selector = FileSelector()
    qtbot.addWidget(selector)
    sizes = {tmp_path / name: n for name, n in (("a.raw", 2560), ("b.raw", 2500))}
    selector.set_files(RawFiles(tmp_path, sizes))
    with qtbot.waitSignal(selector.file_selected):
        selector.list.setCurrentRow(1)
    assert (selector.current, selector.nbytes) == (tmp_path / "b.raw", 2500)
    selector.show_counts(ONE)
    texts = [selector.list.item(row).text() for row in (0, 1)]
    assert [text.partition(":")[0] for text in texts] == ["a.raw", "b.raw"]
    assert texts[0] != texts[1].replace("b.raw", "a.raw")
    with qtbot.assertNotEmitted(selector.file_selected):
        selector.list.setCurrentRow(-1)
    assert selector.current == tmp_path / "a.raw"


@pytest.mark.parametrize(
    ("urls", "paths"),
    [
        (["file:///tmp/a.tif", "https://example.org/b.tif"], [Path("/tmp/a.tif")]),
        (["https://example.org/b.tif"], []),
        ([], []),
    ],
)
def test_dropped_files_are_accepted(urls: list[str], paths: list[Path], qtbot: Any) -> None:
    data = QMimeData()
    if urls:
        data.setUrls([QUrl(url) for url in urls])
    rest = (data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(1, 1), Qt.DropAction.CopyAction, *rest)
    enter.ignore()
    accept_files(enter)
    assert enter.isAccepted() == bool(urls)
    drop = QDropEvent(QPointF(1, 1), Qt.DropAction.CopyAction, *rest)
    drop.ignore()
    assert dropped_files(drop) == paths
    assert drop.isAccepted() == bool(paths)


def test_the_wheel_changes_only_the_field_with_focus(qtbot: Any) -> None:
    form = LayoutForm()
    qtbot.addWidget(form)
    form.show_layout(ONE)
    form.show()
    field = form.fields["y"]

    def turn() -> None:
        angle, at = QPoint(0, 120), QPointF(1, 1)
        event = QWheelEvent(
            at, at, QPoint(), angle, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        field.wheelEvent(event)

    turn()
    assert field.value() == ONE.y
    field.hasFocus = lambda: True
    turn()
    assert field.value() == ONE.y + 1


def test_the_target_of_an_export_is_chosen(
    qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gif,) = (each for each in formats() if ".gif" in each.suffixes)
    field = TargetField(gif, tmp_path)
    qtbot.addWidget(field)
    changes: list[int] = []
    field.changed.connect(lambda: changes.append(1))
    for path in ("", str(tmp_path / "movie.gif")):
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, path=path, **__: (path, ""))
        qtbot.mouseClick(field.browse, Qt.MouseButton.LeftButton)
        assert (field.line.text(), bool(changes)) == (path or field.line.text(), bool(path))
    (mp4,) = (each for each in formats() if ".mp4" in each.suffixes)
    field.set_format(mp4)
    assert field.line.text() == str(tmp_path / "movie.mp4")


def test_files_are_dragged_once_they_exist(
    qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = FileHandle(QPixmap(4, 4))
    qtbot.addWidget(handle)
    dragged: list[list[QUrl]] = []
    monkeypatch.setattr(QDrag, "exec", lambda drag, _: dragged.append(drag.mimeData().urls()))
    handle.mouseMoveEvent(None)
    handle.offer([tmp_path / "movie.gif"])
    handle.mouseMoveEvent(None)
    assert dragged == [[QUrl.fromLocalFile(str(tmp_path / "movie.gif"))]]
