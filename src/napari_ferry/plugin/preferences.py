"""Pages of napari-ferry in napari's preferences, as the manifest declares them."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from napari_ferry.plugin.manifest import PLUGIN

_lock = threading.Lock()
"""Held while napari makes the pages, which it would make twice for two threads."""


def preferences_page(name: str) -> Any:
    """Return a page of the preferences, whose attributes are its settings, or None without it.

    napari stores a setting when its attribute is set, and reports it as an event.
    """
    return getattr(load_preferences(), name, None)


def load_preferences() -> Any:
    """Return all pages of the preferences, or None without them.

    At the first time, napari reads the manifests of all plugins, which takes tenths of a second.
    """
    try:
        from napari.settings import get_plugin_settings
    except ImportError:  # napari before 0.9
        return None
    with _lock, suppress(AttributeError, KeyError):  # napari has not read the manifest
        return get_plugin_settings(PLUGIN)
    return None
