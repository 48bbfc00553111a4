"""Conversion of the pixels of a PNG file to the samples of an image."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.png.picture_header import GRAY, PALETTE, RGB
from napari_ferry.codecs.png.png_table import PngTable


class PixelLayout(NamedTuple):
    """Size and samples of a frame.

    Parameters
    ----------
    height, width : int
        Size in pixels.
    samples : int
        1 for gray, 3 for RGB, 4 for RGBA.
    dtype : str
        Name of the data type: bool, uint8 or uint16.
    """

    height: int
    width: int
    samples: int
    dtype: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a frame, with axes y x, or y x s."""
        return (self.height, self.width, *([self.samples] if self.samples > 1 else []))

    def includes(self, other: PixelLayout) -> bool:
        """Return True if pixels of another layout can be converted to this one without loss."""
        is_same_size = (other.height, other.width) == (self.height, self.width)
        is_type = other.dtype == self.dtype or (other.dtype, self.dtype) == ("bool", "uint8")
        return is_same_size and is_type and other.samples <= self.samples

    def __str__(self) -> str:
        kind = {1: "gray", 3: "RGB", 4: "RGBA"}[self.samples]
        return f"{self.width} by {self.height} pixels of {kind}, {self.dtype}"


def layout_of(table: PngTable) -> PixelLayout:
    """Return the layout of a file: gray if its palette is gray, RGBA if pixels are transparent."""
    header = table.header
    if _has_alpha(table):
        samples = 4
    elif header.color == PALETTE:
        samples = 1 if _is_gray(table.palette) else 3
    else:
        samples = 3 if header.color == RGB else 1
    dtype = "bool" if header.is_bool and samples == 1 else header.dtype.name
    return PixelLayout(header.height, header.width, samples, dtype)


def convert_samples(pixels: NDArray[Any], layout: PixelLayout) -> NDArray[Any]:
    """Convert decoded pixels to the samples of a layout with at least their colors.

    Parameters
    ----------
    pixels : numpy.ndarray
        Axes (y, x), or (y, x, s) with 2 (gray and alpha), 3 or 4 samples; uint8 or uint16.
    layout : PixelLayout
        The layout; its size does not matter.

    Returns
    -------
    numpy.ndarray
        Axes (y, x) or (y, x, s), with the data type of the layout.
    """
    most = np.iinfo(pixels.dtype).max
    if layout.dtype == "bool":
        return pixels > 0
    if layout.samples == 1:
        return pixels if pixels.ndim == 2 else pixels[..., 0]

    stored = pixels[..., None] if pixels.ndim == 2 else pixels
    if stored.shape[-1] == layout.samples:
        return stored
    out = np.full((*stored.shape[:2], layout.samples), most, pixels.dtype)
    colors = stored if stored.shape[-1] == 3 else stored[..., :1]
    out[..., :3] = colors
    if stored.shape[-1] == 2:
        out[..., 3] = stored[..., 1]
    return out


def _has_alpha(table: PngTable) -> bool:
    """Return True if pixels may be transparent."""
    if table.header.color == PALETTE:
        return table.transparency.strip(b"\xff") != b""
    return table.header.color not in (GRAY, RGB) or bool(table.transparency)


def _is_gray(palette: bytes) -> bool:
    return palette[::3] == palette[1::3] == palette[2::3]
