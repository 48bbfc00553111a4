"""What napari's preferences say of exports: values that forms begin with, and that they keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PLUGIN, _PAGE = "napari-ferry", "export"


def preferred() -> dict[str, str]:
    """Return option and value; nothing where napari has no preferences of plugins."""
    page = _page()
    values = {} if page is None else page.model_dump()
    return {name: str(value) for name, value in values.items() if value != ""}


def prefer(values: Mapping[str, Any]) -> None:
    """Keep those values that there is a preference for."""
    page = _page()
    known = {} if page is None else page.model_dump()
    for name, value in values.items():
        if name in known and known[name] != value:
            setattr(page, name, value)


def _page() -> Any:
    """Return our page, ``None`` where there is none."""
    try:
        from napari.settings import get_plugin_settings
    except ImportError:  # napari before 0.9
        return None
    try:
        return getattr(get_plugin_settings(_PLUGIN), _PAGE)
    except (AttributeError, KeyError):  # napari has not read the manifest
        return None
