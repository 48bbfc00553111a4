"""Contrast limits of an image, from its channels and its display."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_ferry.image import Image
from napari_ferry.image.axes import limits_of


def contrast_limits_of(image: Image, index: int | None) -> tuple[float, float] | None:
    """Return the contrast limits of an image, ``None`` if it has none.

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

    own = image.display.get("channels")
    displays = own if isinstance(own, Sequence) and not isinstance(own, str) else ()
    indices = range(image.size("c")) if index is None else (index,)
    found = [
        limits
        for k in indices
        for limits in (
            image.channels[k].contrast_limits if image.channels else None,
            limits_of(displays[k]) if k < len(displays) else None,
        )
        if limits is not None
    ]

    # the display of the whole image counts only if no channel has limits
    shared = limits_of(image.display)
    found = found or ([shared] if shared else [])
    sound = [(low, high) for low, high in found if math.isfinite(high - low) and low < high]
    if not sound:
        return None
    return min(low for low, _ in sound), max(high for _, high in sound)


def is_narrower(limits: tuple[float, float] | None, dtype: np.dtype[Any]) -> bool:
    """Return True if limits exclude some values of an unsigned integer dtype."""
    return limits is not None and (limits[0] > 0 or limits[1] < np.iinfo(dtype).max)


def saved_display(
    display: Mapping[str, Any], channel: int | None, *, is_mapped: bool
) -> dict[str, Any]:
    """Return the display of a saved movie.

    Parameters
    ----------
    display : mapping
        Display of the image.
    channel : int, optional
        Index of the channel that is saved; its own display takes precedence.
    is_mapped : bool
        True if samples were mapped to 8 bits; the contrast limits no longer apply to these.
    """
    own = display.get("channels")
    saved = {key: value for key, value in display.items() if key != "channels"}
    if channel is not None and isinstance(own, Sequence) and channel < len(own):
        of_channel = own[channel] if isinstance(own[channel], Mapping) else {}
        saved |= {key: value for key, value in of_channel.items() if key != "metadata"}
    if is_mapped:
        saved.pop("contrast_limits", None)
    return saved
