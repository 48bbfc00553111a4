"""Comparison of the files of a stack with the first of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_ferry.codecs.tiff.images.color_table import PALETTE_NAME, WHITE_AT_ZERO
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image import Image


@dataclass(frozen=True, kw_only=True)
class ExpectedImage:
    """Required properties of one image in every file of a stack, taken from the first file.

    Parameters
    ----------
    path : Path
        The first file.
    index, count : int
        Index of the image in each file, and number of images in each file.
    shape : tuple of int
        Shape of the image; files may differ in the length of the first axis if it `varies`.
    varies : bool
        True if files may differ in the length of their first axis.
    dtype : data type
        Type of the pixels.
    lead : int
        Number of leading axes, before the axes of a frame.
    colors : object
        Colors of the values given by the pages: a palette, or `WHITE_AT_ZERO`; None for others.
    """

    path: Path
    index: int
    count: int
    shape: tuple[int, ...]
    varies: bool
    dtype: np.dtype[Any]
    lead: int
    colors: object = None

    @classmethod
    def of(cls, path: Path, images: Sequence[Image], index: int, varies: bool) -> ExpectedImage:
        """Describe one of the images of the first file."""
        image = images[index]
        return cls(
            path=path,
            index=index,
            count=len(images),
            shape=image.shape,
            varies=varies,
            dtype=image.dtype,
            lead=image.ndim - image.frame_ndim,
            colors=_value_colors(image),
        )

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
        """Length of the first axis in the first file; 1 unless it `varies`."""
        return self.shape[0] if self.varies else 1

    def choose(self, path: Path, images: Sequence[Image]) -> Image:
        """Return the image of another file at the same index.

        Raises
        ------
        UnreadableFileError
            The file has more images, or fewer; or the shape, type or colors of this one differ.
        """
        if len(images) != self.count:
            plural = "s" if len(images) > 1 else ""
            raise self._mismatch(path, f"holds {len(images)} image{plural}", f"holds {self.count}")
        image = images[self.index]
        fixed = self.shape[1:] if self.varies else self.shape
        fits = self._with_length(image)[1 if self.varies else 0 :] == fixed
        # the byte order may differ, as reading converts it
        if not fits or image.dtype.newbyteorder("=") != self.dtype.newbyteorder("="):
            raise self.other_shape(path, image)
        colors = _value_colors(image)
        if colors != self.colors:
            raise self._mismatch(path, _describe(colors), _describe(self.colors))
        return image

    def length_of(self, image: Image) -> int:
        """Return the length of the first axis of a chosen image; 1 unless it `varies`."""
        return self._with_length(image)[0] if self.varies else 1

    def n_frames_of(self, image: Image) -> int:
        """Return the number of frames of a chosen image."""
        return math.prod(self._with_length(image)[: self.lead])

    def _with_length(self, image: Image) -> tuple[int, ...]:
        """Return the shape of an image; a file with one index of an axis may leave out the axis."""
        is_one = self.varies and image.ndim == len(self.shape) - 1
        return (1, *image.shape) if is_one else image.shape

    def other_shape(self, path: Path, image: Image) -> UnreadableFileError:
        """Return the error for an image of another shape or type."""
        return self._mismatch(
            path, f"is {image.shape} of {image.dtype}", f"is {self.shape} of {self.dtype}"
        )

    def _mismatch(self, path: Path, actual: str, expected: str) -> UnreadableFileError:
        return UnreadableFileError(
            f"{path.name} {actual}, but {self.path.name} {expected}: the files of a stack must "
            "match; leave it out, or open it by itself."
        )


def _value_colors(image: Image) -> object:
    """Return the colors of values that the pages of an image have; see `ExpectedImage`."""
    colormap = image.display.get("colormap")
    has_palette = isinstance(colormap, Mapping) and colormap.get("name") == PALETTE_NAME
    return colormap if has_palette or colormap == WHITE_AT_ZERO else None


def _describe(colors: object) -> str:
    """Return a predicate about a file with these colors of values."""
    if colors is None:
        return "shows 0 in black"
    return "shows 0 in white" if colors == WHITE_AT_ZERO else "has a color table of its own"
