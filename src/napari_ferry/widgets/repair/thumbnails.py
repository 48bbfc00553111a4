"""Thumbnails of a recording: its first frame, and its changes over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.codecs.binary.sidecar_search import open_with_layout
from napari_ferry.image import Image

SIDE = 64
"""Maximum side of a thumbnail in pixels."""

_FRAMES = 8
"""Number of frames sampled, evenly spaced."""

_DARK, _BRIGHT = 1.0, 99.5
"""Percentiles of the samples shown as black and white."""

_MAXIMUM = 1e38
"""Limit of the magnitude of samples: arbitrary bytes read as floats may be larger."""


class Thumbnails(NamedTuple):
    """Thumbnails of a recording.

    Parameters
    ----------
    frame : numpy.ndarray
        The first frame, axes y x, uint8.
    changes : numpy.ndarray, optional
        Variation of each pixel over the frames, axes y x, uint8; None for a single frame.
    limits : tuple of float
        Contrast limits of the frame.
    """

    frame: NDArray[np.uint8]
    changes: NDArray[np.uint8] | None
    limits: tuple[float, float]


def layout_thumbnails(data: Path, layout: Layout) -> Thumbnails:
    """Draw thumbnails of a raw file with a layout."""
    return make_thumbnails(open_with_layout(data, layout, whole_frames=True))


def make_thumbnails(image: Image) -> Thumbnails:
    """Draw thumbnails from a few samples, however large the file is."""
    count = image.shape[0]
    positions = np.unique(np.linspace(0, count - 1, min(count, _FRAMES)).astype(int))
    frames = np.stack([_sample(image, int(i)) for i in positions])
    limits = _limits(frames)
    changes = None
    if len(frames) > 1:
        spread = frames.std(0)
        changes = _to_bytes(spread, _limits(spread))
    return Thumbnails(_to_bytes(frames[0], limits), changes, limits)


def first_frame_limits(image: Image) -> tuple[float, float]:
    """Return contrast limits for the first frame."""
    return _limits(_sample(image, 0))


def _sample(image: Image, i: int) -> NDArray[np.float64]:
    """Return samples of the first channel of a frame, axes y x; 0 for NaN and infinity."""
    index: dict[str, Any] = {"c": 0, "s": 0}
    for name in "yx":
        size = image.shape[image.axis_names.index(name)]
        index[name] = slice(None, None, -(-size // SIDE))
    key = (i, *(index[name] for name in image.axis_names[1:]))
    with np.errstate(invalid="ignore"):  # arbitrary bytes may be any float
        pixels: NDArray[np.float64] = np.asarray(image.array[key]).astype(np.float64)
    finite = np.nan_to_num(pixels, nan=0.0, posinf=0.0, neginf=0.0)
    return finite.clip(-_MAXIMUM, _MAXIMUM)


def _limits(samples: NDArray[Any]) -> tuple[float, float]:
    dark, bright = (float(p) for p in np.percentile(samples, (_DARK, _BRIGHT)))
    return (dark, bright) if bright > dark else (dark, dark + 1)


def _to_bytes(pixels: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.uint8]:
    dark, bright = limits
    scaled = np.clip((pixels - dark) / (bright - dark) * 255, 0, 255)
    return scaled.astype(np.uint8)
