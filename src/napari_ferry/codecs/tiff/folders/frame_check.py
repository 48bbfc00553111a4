"""What each file of a stack has to be like: the first of them says so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Image


@dataclass(frozen=True)
class Expected:
    """What one image of every file of a stack has to be.

    Parameters
    ----------
    path : Path
        The first file, which says so.
    number, count : int
        Which of the images of each file, counted from 0, and how many there have to be.
    shape : tuple of int
        Of the image, but for the length of its first axis where that `varies`.
    varies : bool
        Whether files may have other lengths along their first axis.
    dtype : data type
        Of the pixels.
    lead : int
        Number of axes before those of a frame.
    """

    path: Path
    number: int
    count: int
    shape: tuple[int, ...]
    varies: bool
    dtype: np.dtype[Any]
    lead: int

    @classmethod
    def of(cls, path: Path, images: Sequence[Image], number: int, varies: bool) -> Expected:
        """Take the images of the first file for what others have to be."""
        image = images[number]
        lead = image.ndim - image.frame_ndim
        return cls(path, number, len(images), image.shape, varies, image.dtype, lead)

    @property
    def frame(self) -> tuple[int, ...]:
        """Shape of a frame."""
        return self.shape[self.lead :]

    @property
    def n_frames(self) -> int:
        """Number of frames in the first file."""
        return math.prod(self.shape[: self.lead])

    @property
    def length(self) -> int:
        """Length of the first file along its first axis; 1 unless that `varies`."""
        return self.shape[0] if self.varies else 1

    def choose(self, path: Path, images: Sequence[Image]) -> Image:
        """Return the image of a file that is meant; refuse a file that does not fit, naming it.

        Raises
        ------
        UnreadableFileError
            It has more images, or fewer; the shape or type of this one differs.
        """
        if len(images) != self.count:
            held = f"holds {len(images)} image{'s' if len(images) > 1 else ''}"
            raise self._odd(path, held, f"holds {self.count}")
        image = images[self.number]
        fixed = slice(int(self.varies), None)
        fits = image.ndim == len(self.shape) and image.shape[fixed] == self.shape[fixed]
        # the order of bytes is no matter: they are turned when they are read
        if not fits or image.dtype.newbyteorder("=") != self.dtype.newbyteorder("="):
            raise self.odd_shape(path, image)
        return image

    def odd_shape(self, path: Path, image: Image) -> UnreadableFileError:
        """Say in one sentence that the image of a file is of another shape or type."""
        return self._odd(
            path, f"is {image.shape} of {image.dtype}", f"is {self.shape} of {self.dtype}"
        )

    def _odd(self, path: Path, found: str, expected: str) -> UnreadableFileError:
        return UnreadableFileError(
            f"{path.name} {found}, but {self.path.name} {expected}: files of one stack must be "
            "alike; take it out, or open it by itself."
        )
