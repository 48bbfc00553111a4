"""Default readers replaced by napari-ferry, stored to restore them.

They are in a JSON file in the same folder as napari's settings, and also kept for the session, in
case the folder does not exist or cannot be written to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from napari_ferry.plugin.settings_file import read_settings, write_settings

Readers: TypeAlias = dict[str, str | None]
"""Name of the reader of each pattern of file names, None for a pattern without one."""

_NAME = "napari-ferry-readers.json"

_session: Readers = {}
"""Readers stored in this session."""


def load_readers() -> Readers:
    """Return the stored readers, empty if there are none or they cannot be read."""
    stored = _session or read_settings(_NAME)
    return {k: v for k, v in stored.items() if v is None or isinstance(v, str)}


def save_readers(readers: Mapping[str, str | None]) -> None:
    """Store readers; an empty mapping removes those stored."""
    _session.clear()
    _session.update(readers)
    write_settings(_NAME, readers)
