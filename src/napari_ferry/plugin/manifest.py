"""Writers of the manifest, with their titles and suffixes."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

PLUGIN = "napari-ferry"
"""Name of the distribution and of the manifest."""


class Writer(NamedTuple):
    """Writer of the manifest: its function, its title in the Save dialog, and its suffixes."""

    function: str
    title: str
    suffixes: tuple[str, ...]


@cache
def writers() -> tuple[Writer, ...]:
    """Return the distinct writers of the manifest, in its order."""
    from npe2 import PluginManager, PluginManifest

    manager = PluginManager.instance()
    # napari has read it already, which takes a tenth of a second
    is_known = PLUGIN in manager
    manifest = (
        manager.get_manifest(PLUGIN) if is_known else PluginManifest.from_distribution(PLUGIN)
    )
    contributions = manifest.contributions
    functions = {
        command.id: str(command.python_name).rpartition(":")[2]
        for command in contributions.commands or ()
    }
    listed = [
        Writer(functions[writer.command], writer.display_name, tuple(writer.filename_extensions))
        for writer in contributions.writers or ()
    ]
    return tuple(dict.fromkeys(listed))
