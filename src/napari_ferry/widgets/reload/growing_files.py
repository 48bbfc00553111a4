"""Opening of files still being written by another program."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from napari import Viewer
from napari.layers import Layer
from napari.utils.history import get_open_history, update_open_history
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_ferry.io import imload
from napari_ferry.io.search import suffixes
from napari_ferry.layers.channels import MOST_LAYERS
from napari_ferry.plugin.following import check_growth
from napari_ferry.plugin.notice import notify
from napari_ferry.plugin.origins import Source, record_origins
from napari_ferry.widgets.reload import follow_words
from napari_ferry.widgets.worker import call_in_thread


def ask_for_file(parent: QWidget) -> Path | None:
    """Ask for a file, and return ``None`` if the dialog was dismissed."""
    patterns = " ".join(f"*{suffix}" for suffix in suffixes(to_open=True))
    path, _ = QFileDialog.getOpenFileName(
        parent, follow_words.OPEN_TITLE, get_open_history()[0], f"Files ({patterns})"
    )
    return Path(path) if path else None


def ask_for_folder(parent: QWidget) -> Path | None:
    """Ask for a folder, and return ``None`` if the dialog was dismissed."""
    path = QFileDialog.getExistingDirectory(parent, follow_words.OPEN_TITLE, get_open_history()[0])
    return Path(path) if path else None


def open_growing(viewer: Viewer, path: Path) -> str:
    """Add layers of the whole frames in a file or folder so far, and select them.

    It is opened in a thread.

    Returns
    -------
    str
        Sentence about an error; empty if layers were added.
    """
    source = Source(partial(imload, path), (path,))
    growth = call_in_thread(partial(check_growth, source, {}, ()))
    if growth.layers is None:
        return growth.problem

    record_origins(source, growth.layers)
    count = len(growth.layers)
    if count > MOST_LAYERS:
        notify(f"{source.name}: the first {MOST_LAYERS} of its {count} layers are added.")
    layers = [Layer.create(*each) for each in growth.layers[:MOST_LAYERS]]
    for layer in layers:
        viewer.add_layer(layer)
    viewer.layers.selection = set(layers)
    update_open_history(str(path))
    return ""
