"""Checks of an image before saving, and the losses in every format."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from napari_ferry.errors import InvalidImageError
from napari_ferry.image.axes import is_valid_scale
from napari_ferry.image.image import Image
from napari_ferry.image.json_values import json_losses
from napari_ferry.image.record import CHANNEL_DISPLAYS


def check_pixels(image: Image) -> None:
    """Refuse an image without pixels, or with samples other than numbers.

    Raises
    ------
    InvalidImageError
        An axis is empty, or the samples are not numbers.
    """
    if 0 in image.shape:
        raise InvalidImageError(
            f"The image has the shape {image.shape}, so it has no pixels to save: check the "
            "selection."
        )
    if not is_number(image.dtype):
        raise InvalidImageError(
            f"The samples are {image.dtype}, expected numbers: convert them first."
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
    """Return True for bool and for numbers of a size available on every platform."""
    plain = dtype.kind in "biufc" and dtype.names is None and dtype.subdtype is None
    return plain and dtype.itemsize <= (16 if dtype.kind == "c" else 8)


def common_losses(images: Sequence[Image], *, has_pyramid: bool = False) -> list[str]:
    """Return the losses in every format, one sentence each.

    Parameters
    ----------
    has_pyramid : bool
        True if smaller levels are saved, too.
    """
    losses = [loss for image in images for loss in (*_json_losses(image), *_axis_losses(image))]
    if any(len(image.levels) > 1 for image in images):
        change = "recomputed by halving" if has_pyramid else "left out"
        losses.append(f"a pyramid is saved from its full resolution; smaller levels are {change}")
    return losses


def _json_losses(image: Image) -> Iterator[str]:
    """Yield a sentence for each value in metadata and display without JSON."""
    display = dict(image.display)
    own = display.pop(CHANNEL_DISPLAYS, ())
    named: list[tuple[str, object]] = [("metadata", image.metadata), ("display", display)]
    for i, channel in enumerate(own if isinstance(own, list | tuple) else ()):
        of_channel = dict(channel) if isinstance(channel, Mapping) else {}
        name = (image.channels[i].name if i < len(image.channels) else None) or f"channel {i}"
        named.append((f"metadata of {name}", of_channel.pop("metadata", {})))
        named.append((f"display of {name}", of_channel))

    for name, value in named:
        for path, change in json_losses(value).items():
            yield f"of the {name}, {path} {change}"


def _axis_losses(image: Image) -> Iterator[str]:
    for axis in image.axes:
        if not is_valid_scale(axis.scale):
            without = ", without its unit" if axis.unit else ""
            yield f"axis {axis.name} has an invalid scale ({axis.scale}): 1 is stored{without}"
        if not math.isfinite(axis.translation):
            yield f"axis {axis.name} has an invalid origin ({axis.translation}): 0 is stored"
