"""Writers of the manifest, with their titles and suffixes, and the patterns of its readers."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from typing import Any, NamedTuple

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
    contributions = _contributions()
    functions = {
        command.id: str(command.python_name).rpartition(":")[2]
        for command in contributions.commands or ()
    }
    listed = [
        Writer(functions[writer.command], writer.display_name, tuple(writer.filename_extensions))
        for writer in contributions.writers or ()
    ]
    return tuple(dict.fromkeys(listed))


@cache
def reader_patterns() -> frozenset[str]:
    """Return the file name patterns of our readers, from the manifest."""
    readers = _contributions().readers or ()
    return frozenset(pattern for reader in readers for pattern in reader.filename_patterns)


def is_offered(path: str) -> bool:
    """Return True if napari offers a reader of ours for a file, by its name."""
    name = path.lower()
    return any(fnmatchcase(name, pattern.lower()) for pattern in reader_patterns())


def _contributions() -> Any:
    """Return the contributions of the manifest."""
    from npe2 import PluginManager, PluginManifest

    manager = PluginManager.instance()
    # napari has read it already, which takes a tenth of a second
    is_known = PLUGIN in manager
    manifest = (
        manager.get_manifest(PLUGIN) if is_known else PluginManifest.from_distribution(PLUGIN)
    )
    return manifest.contributions
