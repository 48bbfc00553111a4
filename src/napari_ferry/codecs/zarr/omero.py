"""Channels in the rendering settings ``omero`` of OME-NGFF.

https://ngff.openmicroscopy.org/0.5/, section "omero".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from napari_ferry.arguments import is_finite
from napari_ferry.errors import warn
from napari_ferry.image import Channel
from napari_ferry.image.record import CHANNEL_DISPLAYS

COLOR = re.compile(r"#?([0-9a-fA-F]{6})([0-9a-fA-F]{2})?")


class Rendering(NamedTuple):
    """Channels of an image, and its display settings."""

    channels: tuple[Channel, ...] = ()
    display: Mapping[str, Any] = {}


def read_rendering(omero: object, count: int, label: str) -> Rendering:
    """Return the channels in the rendering settings of an image.

    Parameters
    ----------
    omero : object
        Value of ``omero``; None if it is missing.
    count : int
        Length of the axis of channels.
    label : str
        Name of the image, for warnings.

    Warns
    -----
    FerryWarning
        There are fewer or more channels, or values are invalid.
    """
    listed = omero.get("channels") if isinstance(omero, Mapping) else None
    if not isinstance(omero, Mapping) or listed is None:
        return Rendering()
    if not isinstance(listed, list):
        warn(f"The channels in omero of {label} are not a list: they are left out.")
        return Rendering()
    if len(listed) != count:
        warn(
            f"{label} describes {len(listed)} channels in omero, but its array has {count}: "
            f"{'the others are left out' if len(listed) > count else 'the others have no names'}."
        )
    model = omero.get("rdefs")
    is_gray = isinstance(model, Mapping) and model.get("model") == "greyscale"
    described = [each if isinstance(each, Mapping) else {} for each in listed[:count]]
    problems: dict[str, None] = {}
    channels = [_read_channel(each, is_gray, problems) for each in described]
    if problems:
        warn(f"{label} has {' and '.join(problems)} in omero: napari's defaults are used instead.")

    n_missing = count - len(channels)
    hidden = [{"visible": False} if each.get("active") is False else {} for each in described]
    display: dict[str, Any] = {CHANNEL_DISPLAYS: [*hidden, *({} for _ in range(n_missing))]}
    if not any(hidden):
        display = {}
    elif count == 1:
        display = dict(hidden[0])
    return Rendering((*channels, *(Channel() for _ in range(n_missing))), display)


def _read_channel(
    described: Mapping[str, Any], is_gray: bool, problems: dict[str, None]
) -> Channel:
    """Return one channel, and add its invalid values to the problems."""
    label = described.get("label")
    if label is not None and not isinstance(label, str | int | float):
        problems[f"a label {label!r:.20}"] = None
        label = None
    return Channel(
        name=None if label is None or label == "" else str(label),
        color=None if is_gray else _read_color(described.get("color"), problems),
        contrast_limits=_read_limits(described.get("window"), problems),
    )


def _read_color(value: object, problems: dict[str, None]) -> str | None:
    if value is None:
        return None
    found = COLOR.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        problems[f"a color {value!r:.20}"] = None
        return None
    return f"#{found[1].lower()}"


def _read_limits(window: object, problems: dict[str, None]) -> tuple[float, float] | None:
    """Return the contrast limits in a window: its start and end."""
    if window is None:
        return None
    start, end = (
        (window.get("start"), window.get("end")) if isinstance(window, Mapping) else (None, None)
    )
    if start is None and end is None:
        problems["a window without start and end"] = None
        return None
    if not (is_finite(start) and is_finite(end)) or not start < end:
        problems[f"a window from {start!r:.20} to {end!r:.20}"] = None
        return None
    return float(start), float(end)
