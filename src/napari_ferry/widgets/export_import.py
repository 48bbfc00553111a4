"""Import of the dock *Export* before it is opened."""

from __future__ import annotations

import importlib
import threading

_MODULES = ("napari_ferry.widgets.export.export_widget", "tifffile", "imagecodecs")
"""The dock, and the libraries of its first plan."""


def import_export() -> None:
    """Import the dock in another thread: at its first use, the window would wait for a second."""
    threading.Thread(target=_import_modules, name="ferry-import").start()


def _import_modules() -> None:
    for name in _MODULES:
        importlib.import_module(name)
