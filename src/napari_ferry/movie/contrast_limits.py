"""The values between which an image is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_ferry.image import Image
from napari_ferry.image.axes import limits_of


def contrast_limits_of(image: Image, index: int | None) -> tuple[float, float] | None:
    """Return the values that are shown black and white, where an image says so.

    Parameters
    ----------
    image : Image
        What is shown; of a color, nothing is said.
    index : int, optional
        Which channel; the widest of all limits when absent.
    """
    if image.is_rgb:
        return None
    own = image.display.get("channels")
    shown = own if isinstance(own, Sequence) and not isinstance(own, str) else ()
    which = range(image.size("c")) if index is None else (index,)
    found = [
        limits
        for k in which
        for limits in (
            image.channels[k].contrast_limits if image.channels else None,
            limits_of(shown[k]) if k < len(shown) else None,
        )
        if limits is not None
    ]
    display = limits_of(image.display)
    found = found or ([display] if display else [])
    sound = [(low, high) for low, high in found if math.isfinite(high - low) and low < high]
    if not sound:
        return None
    return min(low for low, _ in sound), max(high for _, high in sound)


def is_narrower(limits: tuple[float, float] | None, dtype: np.dtype[Any]) -> bool:
    """Whether limits cut something off an integer type."""
    return limits is not None and (limits[0] > 0 or limits[1] < np.iinfo(dtype).max)
