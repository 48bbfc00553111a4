"""Properties of images, derived from their arrays and axes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from napari_ferry.arrays import Array
from napari_ferry.arrays.array_protocol import LazyOperand
from napari_ferry.image.axes import COLOR_SAMPLES, Axis, counts_samples
from napari_ferry.units import SECONDS


class Geometry(LazyOperand):
    """Base of `Image`: sizes and calibration, each stored only once."""

    ORIGINAL_AXES: ClassVar[str] = "original_axes"
    """Key of `metadata`: axes that were named in capital letters, among them ``S`` for samples."""

    levels: tuple[Array, ...]
    axes: tuple[Axis, ...]
    display: Mapping[str, Any]
    metadata: Mapping[str, Any]

    @property
    def array(self) -> Array:
        """The full-resolution level, lazy."""
        return self.levels[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis at full resolution."""
        return tuple(int(n) for n in self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one sample."""
        return np.dtype(self.array.dtype)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.axes)

    @property
    def nbytes(self) -> int:
        """Size of the full-resolution level in memory, in bytes."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def axis_names(self) -> tuple[str, ...]:
        """Names of the axes, in order."""
        return tuple(axis.name for axis in self.axes)

    @property
    def is_rgb(self) -> bool:
        """True if the last axis contains the 3 or 4 samples of a color."""
        return self.axes[-1].name == "s" and self.shape[-1] in COLOR_SAMPLES

    @property
    def is_gray(self) -> bool:
        """True if the colormap is gray or missing: samples are gray levels, or RGB(A) colors."""
        return self.is_rgb or self.display.get("colormap") in (None, "gray", "grey")

    @property
    def frame_ndim(self) -> int:
        """Number of axes of a frame: y and x, and the samples of a color."""
        return 3 if self.is_rgb else 2

    @property
    def frame_rate(self) -> float | None:
        """Frames per second, from the scale of ``t``; ``None`` if its unit is not a time."""
        axis = self.axis("t")
        seconds = SECONDS.get(axis.unit or "") if axis else None
        return 1.0 / (axis.scale * seconds) if axis and seconds and axis.scale > 0 else None

    @property
    def pixel_size(self) -> tuple[float, float] | None:
        """Scale of (y, x) in their units; ``None`` if they are not calibrated."""
        y, x = self.axis("y"), self.axis("x")
        return (y.scale, x.scale) if y and x and y.unit and x.unit else None

    @property
    def original_axes(self) -> str:
        """Axes in the order of the array, in the letters of CAREamics.

        ``C`` is the axis of channels, or that of the samples of a color without channels. ``S`` is
        an axis of samples, and every axis that has no letter there.

        >>> from napari_ferry import Image
        >>> Image.from_array(np.zeros((3, 8, 9)), "tyx").original_axes
        'TYX'
        """
        channel = self._channel_axis
        letters = {"t": "T", channel: "C", "z": "Z", "y": "Y", "x": "X"}
        return "".join(letters.get(name, "S") for name in self.axis_names)

    @property
    def original_shape(self) -> tuple[int, ...]:
        """Length of each of the `original_axes`."""
        return self.shape

    @property
    def data_shape(self) -> tuple[int, ...]:
        """Shape as axes S C (Z) Y X: S counts all other axes, as `Image.extract_patch` does."""
        channel = self._channel_axis
        named = ("z", "y", "x") if "z" in self.axis_names else ("y", "x")
        others = [n for n in self.axis_names if n not in (*named, channel)]
        samples = math.prod(self.size(name) for name in others)
        return (samples, self.size(channel), *(self.size(name) for name in named))

    @property
    def _channel_axis(self) -> str:
        """Name of the axis of channels: ``s`` for a color without ``c``, else ``c``."""
        is_samples = counts_samples(self.metadata.get(self.ORIGINAL_AXES), self.shape)
        return "s" if self.is_rgb and "c" not in self.axis_names and not is_samples else "c"

    def axis(self, name: str) -> Axis | None:
        """Return the axis with a name, or ``None`` if it does not exist."""
        return next((axis for axis in self.axes if axis.name == name), None)

    def size(self, name: str) -> int:
        """Return the length of the axis with a name, 1 if it does not exist."""
        names = self.axis_names
        return self.shape[names.index(name)] if name in names else 1
