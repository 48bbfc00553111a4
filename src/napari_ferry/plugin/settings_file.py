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


def read_settings(path: Path | None) -> dict[str, Any]:
    """Return the values in a file, empty if it cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        values = parse_json(path.read_text("utf-8")) if path else {}
        return values if isinstance(values, dict) else {}
    return {}


def write_settings(path: Path | None, values: Mapping[str, Any]) -> None:
    """Write values, plain JSON values, to a file; ignore errors of the file system."""
    if path is None:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values, indent=1), "utf-8")
