"""Commands for the plugin's own use, which therefore are not in the manifest.

napari would list every command of the manifest in its command palette.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from npe2 import PluginManager

from napari_ferry.plugin.default_reader import follow_preference

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
    "import_export": "napari_ferry.widgets.export_import:import_export",
    "show_in_folder": "napari_ferry.widgets.file_manager:show_in_folder",
}
"""Names of commands, and the functions that napari imports at their first use."""


def activate(context: PluginContext) -> None:
    """Register the commands and follow the preferences; napari calls this at activation."""
    registry = PluginManager.instance().commands
    for name, function in COMMANDS.items():
        context.register_disposable(registry.register(f"napari-ferry.{name}", function))
    follow_preference()
