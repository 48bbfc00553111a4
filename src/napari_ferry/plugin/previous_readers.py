"""Readers that napari-ferry has replaced as the default, stored to restore them.

They are in a JSON file in the same folder as napari's settings, and also kept for the session,
for the case that there is no such folder or it cannot be written.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from napari_ferry.image.json_values import parse_json

Readers: TypeAlias = dict[str, str | None]
"""Name of the reader of each pattern of file names, None for a pattern without one."""

_NAME = "napari-ferry-readers.json"

_session: Readers = {}
"""Readers stored in this session."""


def load_readers() -> Readers:
    """Return the stored readers, empty if there are none or they cannot be read."""
    path = _path()
    if _session or path is None:
        return dict(_session)
    with contextlib.suppress(OSError, ValueError):
        stored = parse_json(path.read_text("utf-8"))
        if isinstance(stored, dict):
            return {k: v for k, v in stored.items() if v is None or isinstance(v, str)}
    return {}


def save_readers(readers: Mapping[str, str | None]) -> None:
    """Store readers; an empty mapping removes those stored."""
    _session.clear()
    _session.update(readers)
    path = _path()
    if path is None:
        return
    with contextlib.suppress(OSError):
        if readers:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(readers, indent=1), "utf-8")
        else:
            path.unlink(missing_ok=True)


def _path() -> Path | None:
    """Return the path of our file, or None if napari stores no settings either."""
    from napari.settings import get_settings

    settings = get_settings().config_path
    return None if settings is None else Path(settings).parent / _NAME
