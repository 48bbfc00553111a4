"""Dialogs to open files and folders with napari-ferry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari import Viewer, current_viewer
from napari.layers import Layer
from napari.utils.history import get_open_history, update_open_history
from qtpy.QtWidgets import QFileDialog

from napari_ferry.errors import FerryError
from napari_ferry.plugin.commands import read_files
from napari_ferry.plugin.manifest import PLUGIN, is_offered
from napari_ferry.plugin.notice import notify
from napari_ferry.widgets.dialogs.main_window import main_window


def open_files(suffixes: Sequence[str]) -> None:
    """Ask for files with some suffixes, and open them."""
    patterns = " ".join(f"*{suffix}" for suffix in suffixes)
    paths, _ = QFileDialog.getOpenFileNames(
        main_window(), "Open with napari-ferry", get_open_history()[0], f"Files ({patterns})"
    )
    _open(paths)


def open_folder() -> None:
    """Ask for a folder, and open its files."""
    folder = QFileDialog.getExistingDirectory(
        main_window(), "Open with napari-ferry", get_open_history()[0]
    )
    _open([folder] if folder else [])


def _open(paths: list[str]) -> None:
    viewer = current_viewer()
    if not paths or viewer is None:
        return
    try:
        if all(Path(path).is_dir() or is_offered(path) for path in paths):
            viewer.open(paths, plugin=PLUGIN)
        else:
            _add_layers(viewer, paths)
    except FerryError as error:
        notify(str(error), "error")
    update_open_history(paths[0])


def _add_layers(viewer: Viewer, paths: list[str]) -> None:
    """Open files with the readers of other plugins or of napari."""
    for data in read_files(paths):
        if data[0] is not None:
            viewer.add_layer(Layer.create(*data))
