"""JSON files in the same folder as napari's settings."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_ferry.files.json_files import parse_json


def settings_path(name: str) -> Path | None:
    """Return the path of a file, or None if napari stores no settings either."""
    from napari.settings import get_settings

    settings = get_settings().config_path
    return None if settings is None else Path(settings).parent / name


def read_settings(name: str) -> dict[str, Any]:
    """Return the values in a file, empty if it cannot be read."""
    path = settings_path(name)
    with contextlib.suppress(OSError, ValueError):
        values = parse_json(path.read_text("utf-8")) if path else {}
        return values if isinstance(values, dict) else {}
    return {}


def write_settings(name: str, values: Mapping[str, Any]) -> None:
    """Write plain JSON values to a file, removed if there are none; ignore errors of the system."""
    path = settings_path(name)
    if path is None:
        return
    with contextlib.suppress(OSError):
        if not values:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values, indent=1), "utf-8")
