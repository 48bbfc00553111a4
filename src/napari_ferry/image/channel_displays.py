"""The display of each channel, in the display of an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_ferry.image.record import CHANNEL_DISPLAYS


def channel_displays(display: Mapping[str, Any] | None, count: int) -> list[Mapping[str, Any]]:
    """Return the display of each channel, empty if it is missing or malformed.

    Parameters
    ----------
    display : mapping, optional
        `Image.display` of the whole image.
    count : int
        Number of channels. A list of another length is ignored.
    """
    return [each if _is_display(each) else {} for each in _listed(display, count)]


def has_malformed_displays(display: Mapping[str, Any] | None, count: int) -> bool:
    """Return True if `channel_displays` replaces the display of a channel by an empty one."""
    return not all(map(_is_display, _listed(display, count)))


def _listed(display: Mapping[str, Any] | None, count: int) -> list[Any]:
    own = (display or {}).get(CHANNEL_DISPLAYS)
    is_complete = isinstance(own, list | tuple) and len(own) == count
    return list(own) if is_complete else [{}] * count  # type: ignore[arg-type]


def _is_display(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("metadata", {}), Mapping)
