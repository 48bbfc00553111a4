"""Choices of the export form, stored between sessions.

Options with an entry in napari's preferences are read and stored there; all others are stored in a
JSON file in the same folder as napari's settings.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_ferry.image.json_values import parse_json
from napari_ferry.plugin.preferences import preferences_page

_PAGE = "export"

_NAME = "napari-ferry-export.json"


def load_choices() -> dict[str, Any]:
    """Return the choices in our file, empty if it cannot be read."""
    path = _path()
    with contextlib.suppress(OSError, ValueError):
        choices = parse_json(path.read_text("utf-8")) if path else {}
        return choices if isinstance(choices, dict) else {}
    return {}


def save_choices(choices: dict[str, Any]) -> None:
    """Write choices, plain JSON values, to our file; ignore errors of the file system."""
    path = _path()
    if path is None:
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(choices, indent=1), "utf-8")


def load_preferences() -> dict[str, str]:
    """Return the options set in napari's preferences, by name."""
    page = preferences_page(_PAGE)
    values = {} if page is None else page.model_dump()
    return {name: str(value) for name, value in values.items() if value != ""}


def save_preferences(values: Mapping[str, Any]) -> None:
    """Store values in napari's preferences; skip options without an entry there."""
    page = preferences_page(_PAGE)
    known = {} if page is None else page.model_dump()
    for name, value in values.items():
        if name in known and known[name] != value:
            setattr(page, name, value)


def _path() -> Path | None:
    """Return the path of our file, or ``None`` if napari stores no settings either."""
    from napari.settings import get_settings

    settings = get_settings().config_path
    return None if settings is None else Path(settings).parent / _NAME
