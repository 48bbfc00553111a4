"""Other names for the axes of an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from napari_ferry.errors import InvalidImageError
from napari_ferry.image.image import Image


def rename_axes(image: Image, names: Sequence[str]) -> Image:
    """Return an image with other names of its axes.

    Raises
    ------
    InvalidImageError
        There is not one name for each axis.
    """
    if len(names) != image.ndim:
        raise InvalidImageError(
            f"The image has the shape {image.shape} but the axes {' '.join(names)} were given: "
            "name one axis for each dimension."
        )
    renamed = tuple(replace(axis, name=name) for axis, name in zip(image.axes, names, strict=True))
    channels = image.channels if "c" in names else ()
    return replace(image, axes=renamed, channels=channels)
