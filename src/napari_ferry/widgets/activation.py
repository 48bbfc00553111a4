"""Commands for the plugin's own use, outside the manifest.

napari would list every command of the manifest in its command palette.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from napari.qt.threading import create_worker
from npe2 import PluginManager
from qtpy.QtWidgets import QApplication

from napari_ferry.plugin.default_reader import follow_preference
from napari_ferry.plugin.preferences import load_preferences
from napari_ferry.widgets.event_loop import call_soon

if TYPE_CHECKING:
    from npe2 import PluginContext

_DIALOGS = "napari_ferry.widgets.dialogs"

COMMANDS = {
    "run_in_window": f"{_DIALOGS}.save_progress:run_in_window",
    "save_as": f"{_DIALOGS}.save_dialog:save_as",
    "open_files": f"{_DIALOGS}.open_dialog:open_files",
    "open_folder": f"{_DIALOGS}.open_dialog:open_folder",
    "call_soon": "napari_ferry.widgets.event_loop:call_soon",
    "call_in_thread": "napari_ferry.widgets.worker:call_in_thread",
    "import_export": "napari_ferry.widgets.module_import:import_export",
    "show_in_folder": "napari_ferry.widgets.file_manager:show_in_folder",
}
"""Names of commands, and functions for napari to import at their first use."""


def activate(context: PluginContext) -> None:
    """Register the commands and follow the preferences; napari calls this at activation."""
    registry = PluginManager.instance().commands
    for name, function in COMMANDS.items():
        context.register_disposable(registry.register(f"napari-ferry.{name}", function))
    _follow_preference()


def _follow_preference() -> None:
    """Follow the preferences; with a window soon, as napari reads all manifests for them."""
    is_gui_thread = threading.current_thread() is threading.main_thread()
    if QApplication.instance() is None or not is_gui_thread:
        follow_preference()
    else:
        call_soon(_load_and_follow)


def _load_and_follow() -> None:
    create_worker(load_preferences, _connect={"returned": lambda _: follow_preference()})
