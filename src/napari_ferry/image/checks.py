"""What every codec asks of an image before saving it, and what none of them can keep."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from napari_ferry.errors import InvalidImageError
from napari_ferry.image.image import Image
from napari_ferry.image.json_values import json_losses
from napari_ferry.image.record import CHANNEL_DISPLAYS, is_sound_scale


def check_pixels(image: Image) -> None:
    """Refuse an image without pixels, or whose samples are no numbers.

    Raises
    ------
    InvalidImageError
        Such an image.
    """
    if 0 in image.shape:
        raise InvalidImageError(
            f"The image has the shape {image.shape}, so there are no pixels to save: check what "
            "is selected."
        )
    if not is_number(image.dtype):
        raise InvalidImageError(
            f"The samples are {image.dtype}, which are no numbers: convert them first."
        )


def has_frames(image: Image) -> bool:
    """Return True if the last axes are y x, or y x s with 3 or 4 samples."""
    n = image.frame_ndim
    return image.axis_names[-n:] == ("y", "x", "s")[:n]


def check_frame_axes(image: Image, purpose: str, *, only_last: str = "") -> None:
    """Refuse an image without frames.

    Parameters
    ----------
    purpose : str
        Where frames are needed, for the message: ``"in a movie"``.
    only_last : str
        Names of axes that must not precede those of a frame.

    Raises
    ------
    InvalidImageError
        The last axes are neither y x nor y x s with 3 or 4 samples.
    """
    leading = image.axis_names[: -image.frame_ndim]
    if not has_frames(image) or set(leading) & set(only_last):
        raise InvalidImageError(
            f"{image.name or 'The image'} has the axes {' '.join(image.axis_names)}; {purpose}, "
            "y and x come last, or y, x and the 3 or 4 samples s of a color: transpose the array "
            "first."
        )


def check_not_complex(dtype: np.dtype[Any], name: str, purpose: str) -> None:
    """Refuse complex samples.

    Parameters
    ----------
    dtype : data type
        Type of the samples.
    name : str
        Name of the image, for the message; may be empty.
    purpose : str
        Where real numbers are needed, for the message: ``"in a movie"``.

    Raises
    ------
    InvalidImageError
        Complex numbers.
    """
    if dtype.kind == "c":
        raise InvalidImageError(
            f"{name or 'The image'} has samples of {dtype}, and complex numbers are not supported "
            f"{purpose}: use their magnitude or their phase."
        )


def is_number(dtype: np.dtype[np.generic]) -> bool:
    """Whether samples of a type are truth values or numbers of a size that every machine has."""
    plain = dtype.kind in "biufc" and dtype.names is None and dtype.subdtype is None
    return plain and dtype.itemsize <= (16 if dtype.kind == "c" else 8)


def common_losses(images: Sequence[Image], *, has_pyramid: bool = False) -> list[str]:
    """Return a sentence for each thing that no format keeps.

    Parameters
    ----------
    has_pyramid : bool
        Whether what is saved has smaller levels, too.
    """
    losses = [loss for image in images for loss in (*_unkept(image), *_unsound_axes(image))]
    if any(len(image.levels) > 1 for image in images):
        what = "made anew by halving" if has_pyramid else "left out"
        losses.append(f"a pyramid is saved from its full resolution; smaller levels are {what}")
    return losses


def _unkept(image: Image) -> Iterator[str]:
    """Say what JSON cannot hold of metadata and display."""
    display = dict(image.display)
    own = display.pop(CHANNEL_DISPLAYS, ())
    places: list[tuple[str, object]] = [("metadata", image.metadata), ("display", display)]
    for i, channel in enumerate(own if isinstance(own, list | tuple) else ()):
        shown = dict(channel) if isinstance(channel, Mapping) else {}
        name = (image.channels[i].name if i < len(image.channels) else None) or f"channel {i}"
        places.append((f"metadata of {name}", shown.pop("metadata", {})))
        places.append((f"display of {name}", shown))
    for place, value in places:
        for path, what in json_losses(value).items():
            yield f"of the {place}, {path} {what}"


def _unsound_axes(image: Image) -> Iterator[str]:
    for axis in image.axes:
        if not is_sound_scale(axis.scale):
            without = ", without its unit" if axis.unit else ""
            yield f"axis {axis.name} has no sound scale ({axis.scale}): 1 is stored{without}"
        if not math.isfinite(axis.translation):
            yield f"axis {axis.name} has no sound origin ({axis.translation}): 0 is stored"
