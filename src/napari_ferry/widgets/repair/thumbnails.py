"""Small pictures of a recording: one frame, and where it changes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.image import Image

SIDE = 64
"""Most pixels of a side."""

_FRAMES = 8
"""Frames that are looked at, evenly spread."""

_DARK, _BRIGHT = 1.0, 99.5
"""Percentiles of the samples that become black and white."""

_MOST = 1e38
"""Samples beyond it, which bytes that are no floating point may give, are taken for it."""


class Pictures(NamedTuple):
    """What a recording looks like.

    Parameters
    ----------
    frame : numpy.ndarray
        The first frame, axes y x, uint8.
    changes : numpy.ndarray, optional
        How much each pixel varies from frame to frame, axes y x, uint8; None of one frame.
    limits : tuple of float
        Samples that are black and white.
    """

    frame: NDArray[np.uint8]
    changes: NDArray[np.uint8] | None
    limits: tuple[float, float]


def draw(image: Image) -> Pictures:
    """Draw small pictures; so few samples are read that the size of the file does not matter."""
    count = image.shape[0]
    places = np.unique(np.linspace(0, count - 1, min(count, _FRAMES)).astype(int))
    frames = np.stack([_sample(image, int(i)) for i in places])
    limits = _limits(frames)
    changes = None
    if len(frames) > 1:
        spread = frames.std(0)
        changes = _to_bytes(spread, _limits(spread))
    return Pictures(_to_bytes(frames[0], limits), changes, limits)


def first_limits(image: Image) -> tuple[float, float]:
    """Return the samples of the first frame that are black and white in a picture."""
    return _limits(_sample(image, 0))


def _sample(image: Image, i: int) -> NDArray[np.float64]:
    """Return samples of the first channel of a frame, axes y x; what is not finite becomes 0."""
    place: dict[str, Any] = {"c": 0, "s": 0}
    for name in "yx":
        size = image.shape[image.axis_names.index(name)]
        place[name] = slice(None, None, -(-size // SIDE))
    key = (i, *(place[name] for name in image.axis_names[1:]))
    with np.errstate(invalid="ignore"):  # bytes that are no floating point may be any
        pixels: NDArray[np.float64] = np.asarray(image.array[key]).astype(np.float64)
    finite = np.nan_to_num(pixels, nan=0.0, posinf=0.0, neginf=0.0)
    return finite.clip(-_MOST, _MOST)


def _limits(samples: NDArray[Any]) -> tuple[float, float]:
    dark, bright = (float(p) for p in np.percentile(samples, (_DARK, _BRIGHT)))
    return (dark, bright) if bright > dark else (dark, dark + 1)


def _to_bytes(pixels: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.uint8]:
    dark, bright = limits
    scaled = np.clip((pixels - dark) / (bright - dark) * 255, 0, 255)
    return scaled.astype(np.uint8)
