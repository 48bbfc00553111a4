"""Compose frames from layers: read, convert to colors and blend each layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, BlockReader, Region
from napari_ferry.rendering.blend import (
    BlendMode,
    Lookup,
    TableBlend,
    blend,
    make_table_blend,
)
from napari_ferry.rendering.contour import draw_contours
from napari_ferry.rendering.paint import Color, Labeled, Paint
from napari_ferry.rendering.projection import Projection, project
from napari_ferry.rendering.sampling import AxisSampling, sample

_BAND_PIXELS = 1 << 16
"""Pixels converted at a time, so that intermediate arrays stay in the processor's cache."""


_CANVAS_BYTES = 64 << 20
"""Maximum size of a canvas before reduction; larger ones are drawn in parts."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Image with all information for drawing.

    Parameters
    ----------
    array : array
        Samples of the image.
    ranges : tuple
        For each axis except color samples: None for the two axes of the plane, otherwise the first
        and the last index plus 1, axes (2,), or (frames, 2) with those of each frame; 0 and 0
        outside the image.
    is_transposed : bool
        Whether the last axis of the plane is vertical.
    rows, columns : AxisSampling
        Samples of the plane at the pixels of the picture.
    paint : Scalar, Color or Labeled
        Conversion of samples to colors.
    mode : BlendMode
        Rule for blending with the layers below.
    is_on_opaque : bool
        Whether the canvas below is fully opaque.
    projection : Projection, optional
        Projection of ranges with several indices.
    """

    array: Array
    ranges: tuple[NDArray[np.intp] | None, ...]
    is_transposed: bool
    rows: AxisSampling
    columns: AxisSampling
    paint: Paint
    mode: BlendMode
    is_on_opaque: bool = True
    projection: Projection | None = None

    def draw(self, canvas: NDArray[np.uint8], i: int, top: int = 0) -> None:
        """Blend frame i with a canvas, axes (y, x, 4), from line `top` of the picture, in place."""
        rows = self.rows.crop(top, top + len(canvas)).shift(-top)
        region = self._region(i, rows)
        if region is None:
            return
        if self.projection is None:
            BlockReader(self.array, region).read_whole(partial(self._draw, canvas, rows))
        else:
            axes = [k for k, each in enumerate(self.ranges) if each is not None]
            self._draw(canvas, rows, project(self.array, region, axes, self.projection))

    def _region(self, i: int, rows: AxisSampling) -> Region | None:
        """Return the region required for lines of frame i, or None if the layer is not visible."""
        lines = iter((self.columns, rows) if self.is_transposed else (rows, self.columns))
        region = []
        for each in self.ranges:
            if each is None:
                region.append(self._read_range(next(lines)))
            else:
                start, stop = each if each.ndim == 1 else each[i]
                region.append(slice(int(start), int(stop)))

        region += [slice(0, n) for n in self.array.shape[len(region) :]]
        is_visible = all(0 <= side.start < side.stop for side in region)
        return tuple(region) if is_visible else None

    def _read_range(self, line: AxisSampling) -> slice:
        """Return the range of samples to read, including neighbors for outlines."""
        needed, margin = line.needed, self._contour
        return slice(max(0, needed.start - margin), min(line.size, needed.stop + margin))

    @property
    def _contour(self) -> int:
        """Width of the outlines of labels, or 0 without outlines."""
        return self.paint.contour if isinstance(self.paint, Labeled) else 0

    def _draw(self, canvas: NDArray[np.uint8], rows: AxisSampling, pixels: NDArray[Any]) -> None:
        """Blend the pixels of a region with a canvas, band by band."""
        plane = self._plane(pixels, rows)
        for start, stop in _bands(rows, canvas.shape[1]):
            band = rows.crop(start, stop)
            begin = band.needed.start - rows.needed.start
            samples = plane[begin : begin + band.needed.stop - band.needed.start]
            part = canvas[start:stop, self.columns.first : self.columns.stop]
            self._draw_band(part, samples, band)

    def _plane(self, pixels: NDArray[Any], rows: AxisSampling) -> NDArray[Any]:
        """Return the required samples of one frame, axes (y, x) or (y, x, s)."""
        lead = len(self.ranges)
        axes = [k for k, index in enumerate(self.ranges) if index is None]
        shape = [pixels.shape[k] for k in axes] + list(pixels.shape[lead:])
        plane = pixels.reshape(shape)
        plane = plane.swapaxes(0, 1) if self.is_transposed else plane
        if not isinstance(self.paint, Labeled) or not self._contour:
            return plane

        # the neighbors that outlines required are cut off again
        lines = (rows, self.columns)
        inner = [line.needed.start - self._read_range(line).start for line in lines]
        cut = tuple(
            slice(start, start + line.needed.stop - line.needed.start)
            for start, line in zip(inner, lines, strict=True)
        )
        return draw_contours(plane, self._contour, self.paint.palette.background)[cut]

    def _draw_band(
        self, canvas: NDArray[np.uint8], samples: NDArray[Any], rows: AxisSampling
    ) -> None:
        """Blend the samples of a band with its canvas in place."""
        if self._is_copied:
            copy_colors(sample(samples, rows, self.columns), canvas)
            canvas[..., 3] = 255
        elif self._table_blend:
            self._table_blend.apply(canvas, self._make_lookup(samples, rows))
        else:
            blend(canvas, self._colors(samples, rows), self.mode)

    def _make_lookup(self, samples: NDArray[Any], rows: AxisSampling) -> Lookup:
        """Return a function for the entries of a color table at the pixels of a band."""
        assert not isinstance(self.paint, Color)
        # "clip" omits the check of indices, which takes half the time
        if self._is_enlarged:
            few = self.paint.index(samples)
            return lambda table: sample(table.take(few, mode="clip"), rows, self.columns)
        index = self.paint.index(sample(samples, rows, self.columns))
        return lambda table: table.take(index, mode="clip")

    def _colors(self, samples: NDArray[Any], rows: AxisSampling) -> NDArray[np.float32]:
        """Return the color r g b a, between 0 and 1, of each pixel of a band."""
        if self._is_enlarged:
            return sample(self.paint.colors(samples), rows, self.columns)
        return self.paint.colors(sample(samples, rows, self.columns))

    @property
    def _is_enlarged(self) -> bool:
        """True if each pixel shows one sample and there are fewer samples than pixels."""
        needed = self.columns.needed.stop - self.columns.needed.start
        return self.columns.weight is None and needed < len(self.columns.low)

    @cached_property
    def _is_copied(self) -> bool:
        """True if samples are colors and are displayed unchanged."""
        is_nearest = self.columns.weight is None
        covers = self.mode not in ("add", "minimum", "multiply")
        paint = self.paint
        return (
            isinstance(paint, Color)
            and is_nearest
            and covers
            and paint.is_exact(self.array.shape[-1])
        )

    @cached_property
    def _table_blend(self) -> TableBlend | None:
        """Blending of colors from a table, or None if pixels require arithmetic."""
        if isinstance(self.paint, Color):
            return None
        return make_table_blend(self.paint.table, self.mode, is_on_opaque=self.is_on_opaque)


@dataclass(frozen=True, kw_only=True)
class Compositor:
    """Draws the frames of layers.

    Parameters
    ----------
    layers : tuple of Layer
        Layers from bottom to top.
    shape : tuple of int
        Height and width of the canvas in pixels.
    background : tuple of int
        Color of the background, r g b, each 0 to 255.
    reduction : int
        Number of pixels along each axis that are averaged into one pixel of a frame.
    """

    layers: tuple[Layer, ...]
    shape: tuple[int, int]
    background: tuple[int, int, int]
    reduction: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a frame in pixels."""
        height, width = self.shape
        return max(1, height // self.reduction), max(1, width // self.reduction)

    def __call__(self, i: int) -> NDArray[np.uint8]:
        """Draw frame i, axes (y, x, 3), r g b, uint8."""
        if self.reduction > 1:
            return self._draw_reduced(i)
        canvas = self._canvas(i, 0, self.shape[0])
        frame = np.empty((*self.shape, 3), np.uint8)
        copy_colors(canvas, frame)
        return frame

    def _canvas(self, i: int, top: int, bottom: int) -> NDArray[np.uint8]:
        """Draw lines of frame i, axes (y, x, 4), uint8."""
        color = np.array([*self.background, 255], np.uint8).view(np.uint32)
        canvas = np.full((bottom - top, self.shape[1], 1), color, np.uint32).view(np.uint8)
        for layer in self.layers:
            layer.draw(canvas, i, top)
        return canvas

    def _draw_reduced(self, i: int) -> NDArray[np.uint8]:
        """Draw a reduced frame in parts, to limit the memory for its canvas."""
        height, width = self.size
        block = self.shape[0] // height
        lines = max(1, _CANVAS_BYTES // (block * self.shape[1] * 4))
        frame = np.empty((height, width, 3), np.uint8)
        for start in range(0, height, lines):
            stop = min(start + lines, height)
            canvas = self._canvas(i, start * block, stop * block)
            frame[start:stop] = _block_means(canvas, stop - start, width)
        return frame


def copy_colors(source: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
    """Copy r g b, without alpha, one color at a time: far faster than all three together."""
    lines = max(1, _BAND_PIXELS // max(1, source.shape[1]))
    for start in range(0, len(source), lines):
        for k in range(3):
            target[start : start + lines, :, k] = source[start : start + lines, :, k]


def _bands(rows: AxisSampling, width: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last line of each band of a picture covered by a layer."""
    step = max(1, _BAND_PIXELS // max(1, width))
    for start in range(rows.first, rows.stop, step):
        yield start, min(start + step, rows.stop)


def _block_means(canvas: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return the mean color of each of height x width blocks, rounded."""
    rows, columns = canvas.shape[0] // height, canvas.shape[1] // width
    sums = np.zeros((height, width, 3), np.uint32)
    for i in range(rows):
        for k in range(columns):
            sums += canvas[i::rows, k::columns, :3]
    count = rows * columns
    means: NDArray[np.uint32] = (sums + count // 2) // count
    return means.astype(np.uint8)
