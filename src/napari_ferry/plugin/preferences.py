"""Pages of napari-ferry in napari's preferences, as the manifest declares them."""

from __future__ import annotations

from typing import Any

from napari_ferry.plugin.manifest import PLUGIN


def preferences_page(name: str) -> Any:
    """Return a page of the preferences, whose attributes are its settings, or None without it.

    napari stores a setting when its attribute is set, and reports it as an event.
    """
    try:
        from napari.settings import get_plugin_settings
    except ImportError:  # napari before 0.9
        return None
    try:
        return getattr(get_plugin_settings(PLUGIN), name)
    except (AttributeError, KeyError):  # napari has not read the manifest
        return None
