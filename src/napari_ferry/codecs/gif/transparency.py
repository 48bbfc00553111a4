"""Transparent pixels: a pixel of a GIF is either opaque or transparent.

Frames with four samples are prepared here for the encoder: alpha is 0 or 255, and all samples of a
transparent pixel are 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LOSS = (
    "a pixel is either opaque or transparent: pixels with an alpha of at least one half become "
    "opaque, the others transparent without a color"
)

FEWER_COLORS_LOSS = (
    "a frame of 256 colors is reduced to 255 if it, or the frame after it, has transparent pixels"
)

_LEAST_OPAQUE = 128
_OPAQUE_BITS = np.array([0, 0, 0, 255], np.uint8).view(np.uint32)
"""Alpha of an opaque pixel, as a pixel packed in memory order."""


def threshold_alpha(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return pixels, axes (..., s), uint8, with an alpha of 0 or 255 if they have four samples."""
    if pixels.shape[-1] < 4 or (pixels[..., 3] == 255).all():
        return pixels
    packed = np.ascontiguousarray(pixels).view(np.uint32)
    kept = np.where(pixels[..., 3:] >= _LEAST_OPAQUE, packed | _OPAQUE_BITS, np.uint32(0))
    return kept.view(np.uint8)


def opaque_colors(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the opaque ones of some pixels, axes (pixel, s), without alpha."""
    if pixels.shape[1] == 4 and not pixels[:, 3].all():
        pixels = pixels[pixels[:, 3] > 0]
    return pixels[:, :3]
