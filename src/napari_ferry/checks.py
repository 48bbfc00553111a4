"""What every codec asks of an image before saving it, and what none of them can keep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_ferry.description import not_json
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image


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


def is_number(dtype: np.dtype[np.generic]) -> bool:
    """Whether samples of a type are truth values or numbers of a size that every machine has."""
    plain = dtype.kind in "biufc" and dtype.names is None and dtype.subdtype is None
    return plain and dtype.itemsize <= (16 if dtype.kind == "c" else 8)


def common_losses(images: Sequence[Image]) -> list[str]:
    """Return a sentence for each thing that no format keeps."""
    unkept = [key for image in images for key in not_json(image.metadata)]
    losses = [
        f"of the metadata, {key} cannot be kept: it is no plain text, number or list"
        for key in unkept
    ]
    if any(len(image.levels) > 1 for image in images):
        losses.append("a pyramid is saved from its full resolution; smaller levels are left out")
    return losses
