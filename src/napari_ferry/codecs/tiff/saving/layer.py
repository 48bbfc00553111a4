"""Pixels of one image in one TIFF file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from napari_ferry.arrays import Region
from napari_ferry.arrays.array_layout import ArrayLayout
from napari_ferry.arrays.blocks import c_strides
from napari_ferry.arrays.regions import region_shape
from napari_ferry.image import Image

Flavor = Literal["imagej", "ome", "json"]
"""Description of the images in a file: ImageJ hyperstack, OME-TIFF, or tifffile's JSON."""

IMAGEJ_ORDER = "tzcyxs"
"""Axes of an ImageJ hyperstack in the order of storage, slowest first."""


@dataclass(frozen=True)
class Layer:
    """An image, or a region of it, stored in one file.

    Parameters
    ----------
    image : Image
        The whole image.
    region : Region
        The stored region.
    """

    image: Image
    region: Region

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis of the region."""
        return region_shape(self.region)

    @property
    def lead(self) -> int:
        """Number of axes before y and x."""
        return len(self.region) - self.image.frame_ndim

    @property
    def nframes(self) -> int:
        """Number of frames of the region."""
        return math.prod(self.shape[: self.lead])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Data type of the stored samples."""
        return np.dtype(np.uint8) if self.image.dtype == bool else self.image.dtype

    @property
    def frame_bytes(self) -> int:
        """Size of one frame in bytes."""
        return math.prod(self.shape[self.lead :]) * self.dtype.itemsize

    def stored_order(self, flavor: Flavor) -> tuple[int, ...]:
        """Return the leading axes of the image, by index, in the order of storage."""
        axes = range(self.lead)
        if flavor != "imagej":
            return tuple(axes)
        return tuple(sorted(axes, key=lambda k: IMAGEJ_ORDER.index(self.image.axis_names[k])))

    def strides(self, flavor: Flavor) -> tuple[int, ...]:
        """Return the distance in bytes between neighbors in the file, along each axis."""
        order = [*self.stored_order(flavor), *range(self.lead, len(self.shape))]
        steps = c_strides([self.shape[k] for k in order], self.dtype.itemsize)
        return tuple(steps[order.index(k)] for k in range(len(order)))

    def without_pixels(self) -> Layer:
        """Return the same layer without its pixels, to create a file."""
        return Layer(replace(self.image, levels=(ArrayLayout(self.image.array),)), self.region)

    def to_image(self, metadata: Mapping[str, Any]) -> Image:
        """Return an image of the region for its description; its pixels are placeholders."""
        placeholder = np.broadcast_to(np.zeros((), self.image.dtype), self.shape)
        # the region begins at another translation, and may have fewer channels
        axes = tuple(
            replace(axis, translation=axis.translation + side.start * axis.scale)
            for axis, side in zip(self.image.axes, self.region, strict=True)
        )
        channels = self.image.channels
        if channels:
            channels = channels[self.region[self.image.axis_names.index("c")]]
        return replace(
            self.image,
            levels=(placeholder,),
            axes=axes,
            channels=channels,
            metadata={**self.image.metadata, **metadata},
        )
