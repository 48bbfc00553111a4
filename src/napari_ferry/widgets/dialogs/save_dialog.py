"""Save dialog with all formats of napari-ferry, and only these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import napari
from napari.layers import Image, Labels, Layer
from napari.utils.history import get_save_history, update_save_history
from napari.utils.misc import in_ipython
from qtpy.QtWidgets import QFileDialog, QMessageBox

from napari_ferry.errors import FerryError, SaveCancelledError
from napari_ferry.plugin.layer_save import write_layers
from napari_ferry.plugin.notice import notify
from napari_ferry.plugin.target_name import choose_target
from napari_ferry.widgets.dialogs.main_window import main_window
from napari_ferry.widgets.form import escape_text
from napari_ferry.widgets.plan_summary import Format, formats
from napari_ferry.widgets.worker import call_in_thread

_REPLACED = '<>:"/\\|?*.'
"""Characters that file names cannot contain, and the dot, which Qt takes as part of a suffix."""


def save_layers(viewer: napari.Viewer) -> None:
    """Ask for a name and a format, and save the selected layers, or all if none is selected."""
    _save(viewer, formats()[0])


def save_as(suffixes: Sequence[str]) -> None:
    """Do the same with a preselected format, given by its suffixes."""
    viewer = napari.current_viewer()
    if viewer is not None:
        _save(viewer, next(each for each in formats() if each.suffixes == tuple(suffixes)))


def _save(viewer: napari.Viewer, preselected: Format) -> None:
    selection = [layer for layer in viewer.layers if layer in viewer.layers.selection]
    layers = selection or list(viewer.layers)
    others = [layer.name for layer in layers if not isinstance(layer, Image | Labels)]
    if others or not layers:
        found = f"{', '.join(others)} cannot be saved" if others else "There are no layers"
        notify(f"{found}: select Image and Labels layers.", "error")
        return

    chosen = _ask_for_name(_default_name(layers), preselected)
    if chosen is None:
        return
    path, suffixes = chosen
    try:
        target = choose_target(path, suffixes)
        # the dialog has asked about the name that was typed
        if target != path and _exists(target) and not _confirm_replacement(target):
            return
        paths = write_layers(suffixes, str(target), [each.as_layer_data_tuple() for each in layers])
    except SaveCancelledError:
        return
    except FerryError as error:
        notify(str(error), "error")
        return
    update_save_history(paths[0])


def _default_name(layers: Sequence[Layer]) -> str:
    """Return the name of the first layer, as the name of a file without suffix."""
    name = "".join("_" if letter in _REPLACED else letter for letter in layers[0].name)
    return name.strip() or "layers"


def _ask_for_name(name: str, preselected: Format) -> tuple[Path, tuple[str, ...]] | None:
    """Return the chosen path and the suffixes of the chosen format, or None if dismissed."""
    filters = {
        f"{each.title} ({' '.join(f'*{suffix}' for suffix in each.suffixes)})": each.suffixes
        for each in formats()
    }
    dialog = QFileDialog(main_window(), "Save with napari-ferry", get_save_history()[0])
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setHistory(get_save_history())
    dialog.setNameFilters(list(filters))

    # before the dialog asks about an existing file, it adds this suffix to a name without one
    dialog.filterSelected.connect(lambda text: dialog.setDefaultSuffix(filters[text][0][1:]))
    selected = next(text for text, each in filters.items() if each == preselected.suffixes)
    dialog.selectNameFilter(selected)
    dialog.setDefaultSuffix(preselected.suffixes[0][1:])
    dialog.selectFile(name)
    # native dialogs do not work there; napari does the same
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog, in_ipython())

    is_accepted = dialog.exec()
    paths, text = dialog.selectedFiles(), dialog.selectedNameFilter()
    dialog.deleteLater()
    return (Path(paths[0]), filters[text]) if is_accepted and paths else None


def _exists(path: Path) -> bool:
    """Return True for an existing file, in a folder of a network perhaps."""
    return call_in_thread(path.exists)


def _confirm_replacement(path: Path) -> bool:
    question = escape_text(f"{path.name} already exists in {path.parent}. Replace it?")
    answer = QMessageBox.question(main_window(), "Replace file?", question)
    return bool(answer == QMessageBox.StandardButton.Yes)
