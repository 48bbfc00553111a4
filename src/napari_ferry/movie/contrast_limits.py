"""Contrast limits of an image, from its channels and its display."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_ferry.image import Image
from napari_ferry.image.axes import limits_of
from napari_ferry.image.channel_displays import channel_displays
from napari_ferry.image.record import CHANNEL_DISPLAYS


def contrast_limits_of(image: Image, index: int | None) -> tuple[float, float] | None:
    """Return the contrast limits of an image, or ``None`` if it has none.

    Limits that are not finite, or not in increasing order, are ignored.

    Parameters
    ----------
    image : Image
        The image. RGB images have no contrast limits.
    index : int, optional
        Index of a channel; without it, the limits that enclose those of all channels.
    """
    if image.is_rgb:
        return None

    displays = channel_displays(image.display, image.size("c"))
    indices = range(image.size("c")) if index is None else (index,)
    pairs = [
        limits
        for k in indices
        for limits in (
            image.channels[k].contrast_limits if image.channels else None,
            limits_of(displays[k]),
        )
        if limits is not None
    ]

    # the display of the whole image counts only if no channel has limits
    shared = limits_of(image.display)
    pairs = pairs or ([shared] if shared else [])
    valid = [(low, high) for low, high in pairs if math.isfinite(high - low) and low < high]
    if not valid:
        return None
    return min(low for low, _ in valid), max(high for _, high in valid)


def is_narrower(limits: tuple[float, float] | None, dtype: np.dtype[Any]) -> bool:
    """Return True if limits exclude some values of an unsigned integer dtype."""
    return limits is not None and (limits[0] > 0 or limits[1] < np.iinfo(dtype).max)


def saved_display(image: Image, channel: int | None, *, is_mapped: bool) -> dict[str, Any]:
    """Return the display of a saved movie.

    Parameters
    ----------
    image : Image
        The image of which a channel, or all, is saved.
    channel : int, optional
        Index of the channel that is saved; its own display takes precedence.
    is_mapped : bool
        True if samples were mapped to 8 bits; the contrast limits no longer apply to these.
    """
    saved = {key: value for key, value in image.display.items() if key != CHANNEL_DISPLAYS}
    if channel is not None:
        of_channel = channel_displays(image.display, image.size("c"))[channel]
        saved |= {key: value for key, value in of_channel.items() if key != "metadata"}
    if is_mapped:
        saved.pop("contrast_limits", None)
    return saved
