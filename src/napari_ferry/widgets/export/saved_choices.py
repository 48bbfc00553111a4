"""What was chosen in forms, kept from one start of napari to the next, beside napari's settings."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

_NAME = "napari-ferry-export.json"


def recall() -> dict[str, Any]:
    """Return what was kept; nothing where that cannot be read."""
    path = _path()
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(path.read_text("utf-8")) if path else {}
        return found if isinstance(found, dict) else {}
    return {}


def keep(choices: dict[str, Any]) -> None:
    """Keep choices, plain JSON; a place that cannot be written is no reason to complain."""
    path = _path()
    if path is None:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(choices, indent=1), "utf-8")


def _path() -> Path | None:
    """Return the file, ``None`` where napari keeps no settings either."""
    from napari.settings import get_settings

    settings = get_settings().config_path
    return None if settings is None else Path(settings).parent / _NAME
