"""Modules of the dock *Export*, imported before it needs them."""

from __future__ import annotations

import importlib

from napari_ferry.io.search import codecs
from napari_ferry.plugin.preferences import load_preferences

_EXPORT = "napari_ferry.widgets.export"

_MODULES = (
    f"{_EXPORT}.export_widget",
    f"{_EXPORT}.data_fields",
    f"{_EXPORT}.movie_fields",
    f"{_EXPORT}.movie_tab",
    f"{_EXPORT}.job_queue",
    "tifffile",
    "imagecodecs",
)
"""The dock and its tabs, and the libraries of its first plan."""


def import_modules() -> None:
    """Import the dock, its tabs and all formats, and let napari load the preferences."""
    for name in _MODULES:
        importlib.import_module(name)
    codecs()
    load_preferences()
