"""Magnitude and phase of complex images, as napari does not display complex numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, Frames
from napari_ferry.arrays.array_protocol import Closable, close
from napari_ferry.arrays.frames import IndexedFrames, ReadFrame
from napari_ferry.image import Image

_PHASE_DISPLAY = {
    "colormap": "twilight_shifted",
    "contrast_limits": [-math.pi, math.pi],
    "visible": False,
}
"""Display of a phase: a cyclic colormap, in a layer that does not hide the magnitude."""


@dataclass(frozen=True)
class _PartReader(Closable):
    """Reader of frames as a real function of their complex numbers."""

    read: ReadFrame
    part: Callable[[NDArray[Any]], NDArray[Any]]

    def __call__(self, i: int) -> NDArray[Any]:
        return self.part(self.read(i))

    def close(self) -> None:
        """Close the reader of complex frames."""
        close(self.read)


def split_complex(image: Image) -> Sequence[Image]:
    """Split a complex image into its magnitude and its phase in radians; keep other images."""
    if image.dtype.kind != "c":
        return [image]
    # colors and limits of complex numbers have no meaning for a phase
    shared = {k: v for k, v in image.display.items() if k not in _PHASE_DISPLAY}
    magnitude = replace(image, levels=_parts(image, np.abs), name=f"{image.name} magnitude".strip())
    phase = replace(
        image,
        levels=_parts(image, np.angle),
        name=f"{image.name} phase".strip(),
        display={**shared, **_PHASE_DISPLAY},
    )
    return [magnitude, phase]


def _parts(image: Image, part: Callable[[NDArray[Any]], NDArray[Any]]) -> tuple[Array, ...]:
    """Return a real function of each level, lazy."""
    lead = image.ndim - image.frame_ndim
    dtype = part(np.zeros(1, image.dtype)).dtype
    return tuple(
        Frames(_PartReader(IndexedFrames(level, lead), part), level.shape, dtype, lead)
        for level in image.levels
    )
