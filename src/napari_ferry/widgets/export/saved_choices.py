"""Choices of the export form, stored between sessions.

Options with an entry in napari's preferences, named after the format and the option, are read
and stored there; all others are stored in a JSON file in the same folder as napari's settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_ferry.io.protocol import Codec, format_name
from napari_ferry.plugin.preferences import preferences_page
from napari_ferry.plugin.settings_file import read_settings, write_settings

_PAGE = "export"

_NAME = "napari-ferry-export.json"


def load_choices() -> dict[str, Any]:
    """Return the choices in our file, empty if it cannot be read."""
    return read_settings(_NAME)


def save_choices(choices: dict[str, Any]) -> None:
    """Write choices, plain JSON values, to our file; ignore errors of the file system."""
    write_settings(_NAME, choices)


def preferred_folder() -> str | None:
    """Return the folder for exports in napari's preferences, or ``None`` if it is not set."""
    return _preferences().get("folder")


def load_preferences(codec: Codec) -> dict[str, str]:
    """Return the options of a format set in napari's preferences, by name."""
    start = f"{format_name(codec)}_"
    entries = _preferences().items()
    return {name.removeprefix(start): value for name, value in entries if name.startswith(start)}


def save_preferences(codec: Codec, values: Mapping[str, Any]) -> None:
    """Store options of a format in napari's preferences; skip options without an entry there."""
    page = preferences_page(_PAGE)
    known = {} if page is None else page.model_dump()
    for option, value in values.items():
        name = f"{format_name(codec)}_{option}"
        if name in known and known[name] != value:
            setattr(page, name, value)


def _preferences() -> dict[str, str]:
    """Return the entries set on our page of napari's preferences."""
    page = preferences_page(_PAGE)
    values = {} if page is None else page.model_dump()
    return {name: str(value) for name, value in values.items() if value != ""}
