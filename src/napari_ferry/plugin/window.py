"""Docks of napari's window, and functions that are called by name.

Qt and the room that uses it are above this one. Its functions are therefore commands, which napari
registers when it activates the plugin (see `napari_ferry.widgets.activation`).
"""

from __future__ import annotations

import threading
from typing import Any

from napari_ferry.plugin.manifest import PLUGIN


def has_window() -> bool:
    """Return True in the GUI thread of a napari with a window."""
    from napari import current_viewer

    return threading.current_thread() is threading.main_thread() and current_viewer() is not None


def show_dock(viewer: Any, title: str) -> Any:
    """Show a dock of the manifest in front of others, and return its widget."""
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, title)
    dock.show()
    dock.raise_()
    return widget


def execute(name: str, *arguments: Any) -> Any:
    """Call a function of the window and return its result; requires `has_window`."""
    from npe2 import PluginManager

    manager = PluginManager.instance()
    manager.activate(PLUGIN)
    return manager.commands.execute(f"{PLUGIN}.{name}", arguments)
