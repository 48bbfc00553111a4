"""Import of the modules of a dock in a thread, before they are needed."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterable

from napari_ferry.io.search import codecs
from napari_ferry.plugin.preferences import load_preferences

_WIDGETS = "napari_ferry.widgets"

EXPORT = (
    f"{_WIDGETS}.export.export_widget",
    f"{_WIDGETS}.export.data_fields",
    f"{_WIDGETS}.export.movie_fields",
    f"{_WIDGETS}.export.movie_tab",
    f"{_WIDGETS}.export.job_queue",
    "tifffile",
    "imagecodecs",
)
"""The dock *Export* and its tabs, and the libraries of its first plan."""

CONVERT = (
    f"{_WIDGETS}.convert.batch_panel",
    f"{_WIDGETS}.export.drawing_form",
    "av",
    "imagecodecs",
    "tifffile",
)
"""The form of *Convert folder*, and the libraries that open most files."""


def import_modules(names: Iterable[str]) -> None:
    """Import some modules and all formats, and let napari load the preferences."""
    for name in names:
        importlib.import_module(name)
    codecs()
    load_preferences()


def import_export() -> None:
    """Import the modules of the dock *Export* in another thread.

    When the dock opens, its tabs do not have to wait for the import.
    """
    threading.Thread(target=import_modules, args=(EXPORT,), name="ferry-import").start()
