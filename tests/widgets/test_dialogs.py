"""Dialogs that save and open files, from the menus and the command palette."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from npe2 import PluginManager, PluginManifest

from gui import WINDOW, answer, menu_entry
from napari_ferry import imload, imsave
from napari_ferry.widgets import activation

pytestmark = WINDOW

Answer = Callable[..., list[Any]]


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Messages of errors."""
    shown: list[str] = []
    monkeypatch.setattr(
        "napari_ferry.widgets.dialogs.save_dialog.notify", lambda text, _: shown.append(text)
    )
    return shown


@pytest.fixture
def answer_save(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Return a function that answers the next Save dialogs, and the list of these dialogs."""
    from qtpy.QtWidgets import QFileDialog

    def answer_with(path: Path | None, title: str = "") -> list[Any]:
        seen: list[Any] = []

        def accept(dialog: Any) -> bool:
            proposed = [Path(each).name for each in dialog.selectedFiles()]
            seen.append((proposed, dialog.selectedNameFilter(), dialog.nameFilters()))
            if title:
                dialog.selectNameFilter(next(f for f in dialog.nameFilters() if title in f))
            if path is not None:
                dialog.selectFile(str(path))
            return path is not None

        monkeypatch.setattr(QFileDialog, "exec", accept)
        return seen

    return answer_with


@pytest.mark.parametrize("menu", ["file_menu", "layers_menu"])
def test_a_layer_is_saved_from_the_menus(
    shared_viewer: Any, tmp_path: Path, answer_save: Answer, errors: list[str], menu: str
):
    shared_viewer.add_image(np.arange(1200, dtype=np.uint16).reshape(3, 20, 20), name="a/b: cells.")
    seen = answer_save(tmp_path / "cells.tif")
    action = menu_entry(shared_viewer, getattr(shared_viewer.window, menu), "Save selected layers")
    assert action.isEnabled()
    action.trigger()
    assert errors == []
    assert imload(tmp_path / "cells.tif")[0].name == "a/b: cells."
    ((proposed, selected, filters),) = seen
    assert proposed == ["a_b_ cells_.tif"]
    assert selected == filters[0] == "TIFF with metadata (*.tif *.tiff)"
    assert "Video (*.mp4 *.mov)" in filters


def test_the_chosen_format_adds_its_suffix_and_asks_before_it_replaces(
    shared_viewer: Any,
    tmp_path: Path,
    answer_save: Answer,
    errors: list[str],
    monkeypatch: pytest.MonkeyPatch,
):
    from napari_ferry.widgets.dialogs.save_dialog import save_layers

    shared_viewer.add_image(np.zeros((3, 20, 20), np.uint8))
    answer_save(tmp_path / "cells 1.5", "Raw binary")
    asked = answer(monkeypatch, "No")
    save_layers(shared_viewer)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells 1.5.bin", "cells 1.5.json"]
    assert asked == []

    shared_viewer.layers[0].data = np.ones((3, 20, 20), np.uint8)
    save_layers(shared_viewer)
    assert asked == [f"cells 1.5.bin already exists in {tmp_path}. Replace it?"]
    assert not imload(tmp_path / "cells 1.5.bin")[0].load().any()

    answer(monkeypatch, "Yes")
    save_layers(shared_viewer)
    assert imload(tmp_path / "cells 1.5.bin")[0].load().all()
    assert errors == []


def test_a_dismissed_dialog_saves_nothing(
    shared_viewer: Any, tmp_path: Path, answer_save: Answer, errors: list[str]
):
    from napari_ferry.widgets.dialogs.save_dialog import save_layers

    shared_viewer.add_image(np.zeros((3, 20, 20), np.uint8))
    answer_save(None)
    save_layers(shared_viewer)
    assert errors == []


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("image", "cells.jpg", r"cells.jpg ends in .jpg, but .tif was chosen"),
        ("points", "cells.tif", "spots cannot be saved: select Image and Labels layers."),
        ("", "cells.tif", "There are no layers: select Image and Labels layers."),
    ],
)
def test_what_cannot_be_saved_is_one_sentence(
    shared_viewer: Any,
    tmp_path: Path,
    answer_save: Answer,
    errors: list[str],
    kind: str,
    name: str,
    message: str,
):
    from napari_ferry.widgets.dialogs.save_dialog import save_layers

    if kind == "image":
        shared_viewer.add_image(np.zeros((3, 20, 20), np.uint8))
    elif kind == "points":
        shared_viewer.add_points([[1, 2]], name="spots")
    answer_save(tmp_path / name)
    save_layers(shared_viewer)
    assert len(errors) == 1
    assert errors[0].startswith(message)
    assert list(tmp_path.iterdir()) == []


# --- command palette --------------------------------------------------------------------------


def palette_commands() -> dict[str, str]:
    """Return the commands of the plugin in napari's command palette, and their titles."""
    from napari._app_model import get_app_model

    menus = get_app_model().menus
    commands = [item.command for item in menus.get_menu(menus.COMMAND_PALETTE_ID)]
    return {each.id: each.title for each in commands if each.id.startswith("napari-ferry.")}


def run_in_palette(command: str) -> None:
    from napari._app_model import get_app_model

    get_app_model().commands.execute_command(command).result()


def test_internal_commands_are_not_in_the_palette(shared_viewer: Any):
    listed = palette_commands()
    assert "napari-ferry.save_layers" in listed
    assert not {f"napari-ferry.{name}" for name in activation.COMMANDS} & set(listed)


def test_internal_commands_can_be_imported():
    manager = PluginManager.instance()
    manager.activate("napari-ferry")
    for name in activation.COMMANDS:
        assert callable(manager.commands.get(f"napari-ferry.{name}"))


def test_writers_in_the_palette_open_the_save_dialog(
    shared_viewer: Any, tmp_path: Path, answer_save: Answer, errors: list[str]
):
    shared_viewer.add_image(np.zeros((3, 20, 20), np.uint8))
    commands = [command for command in palette_commands() if ".write_" in command]
    writers = PluginManifest.from_distribution("napari-ferry").contributions.writers or []
    assert sorted(commands) == sorted({writer.command for writer in writers})
    seen = answer_save(None)
    for command in commands:
        run_in_palette(command)
    chosen = [selected for _, selected, _ in seen]
    assert len(set(chosen)) == len(commands)
    assert errors == []


def test_readers_in_the_palette_ask_for_files(
    shared_viewer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from qtpy.QtWidgets import QFileDialog

    (path,) = imsave(np.zeros((3, 20, 20), np.uint8), tmp_path / "cells.tif")
    filters: list[str] = []

    def choose_files(*arguments: Any) -> tuple[list[str], str]:
        filters.append(arguments[-1])
        return ([str(path)] if "*.tif" in arguments[-1] else []), ""

    monkeypatch.setattr(QFileDialog, "getOpenFileNames", choose_files)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    commands = [command for command in palette_commands() if ".get_" in command]
    for command in commands:
        run_in_palette(command)
    assert len(filters) == len(commands) - 1
    assert [layer.data.shape for layer in shared_viewer.layers] == [(3, 20, 20)] * 2


def test_preferences_are_read_in_a_thread(
    shared_viewer: Any, monkeypatch: pytest.MonkeyPatch, qtbot: Any
):
    import threading

    from napari_ferry.widgets import activation

    is_in_gui_thread: list[bool] = []
    followed: list[str] = []

    def load() -> None:
        is_in_gui_thread.append(threading.current_thread() is threading.main_thread())

    monkeypatch.setattr(activation, "COMMANDS", {})
    monkeypatch.setattr(activation, "load_preferences", load)
    monkeypatch.setattr(activation, "follow_preference", lambda: followed.append("once"))
    activation.activate(None)
    qtbot.waitUntil(lambda: followed == ["once"])
    assert is_in_gui_thread == [False]
