"""Layers -> frames: each layer is read, painted and laid on those below it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, BlockReader, Region
from napari_ferry.rendering.blend import Mode, Stamp, blend, make_stamp
from napari_ferry.rendering.contour import contours
from napari_ferry.rendering.paint import Color, Labeled, Paint
from napari_ferry.rendering.sampling import Line, sample

_BAND_PIXELS = 1 << 16
"""Pixels that are painted at a time, so that what is made of them stays in a processor's cache."""


_CANVAS_BYTES = 64 << 20
"""Of a canvas that is reduced: larger ones are drawn in parts."""


@dataclass(frozen=True)
class Layer:
    """One image, ready to be drawn.

    Parameters
    ----------
    array : array
        Its samples.
    places : tuple
        For each of its axes but that of colors: ``None`` for the two that are seen, else the index
        that is drawn, or an array of the index at each frame, -1 where nothing is seen.
    is_turned : bool
        Whether the last of the two axes that are seen runs downwards.
    rows, columns : Line
        Which samples lie under which pixels.
    paint : Scalar, Color or Labeled
        What makes colors of samples.
    mode : Mode
        How they are laid on what is below.
    is_on_solid : bool
        Whether nothing of what is below is transparent.
    """

    array: Array
    places: tuple[int | NDArray[np.intp] | None, ...]
    is_turned: bool
    rows: Line
    columns: Line
    paint: Paint
    mode: Mode
    is_on_solid: bool = True

    def draw(self, canvas: NDArray[np.uint8], i: int, top: int = 0) -> None:
        """Lay frame i of the layer on a canvas, axes (y, x, 4), that begins at line `top`."""
        rows = self.rows.within(top, top + len(canvas)).moved(-top)
        region = self._region(i, rows)
        if region is not None:
            BlockReader(self.array, region).read_whole(partial(self._draw, canvas, rows))

    def _region(self, i: int, rows: Line) -> Region | None:
        """Return the region that lines of frame i need, ``None`` where nothing is seen."""
        lines = iter((self.columns, rows) if self.is_turned else (rows, self.columns))
        region = []
        for place in self.places:
            if place is None:
                region.append(self._needed(next(lines)))
                continue
            index = int(place if isinstance(place, int) else place[i])
            region.append(slice(index, index + 1))
        region += [slice(0, n) for n in self.array.shape[len(region) :]]
        is_seen = all(0 <= side.start < side.stop for side in region)
        return tuple(region) if is_seen else None

    def _needed(self, line: Line) -> slice:
        """Return the samples that are needed; outlines need their neighbors."""
        needs, more = line.needs, self._contour
        return slice(max(0, needs.start - more), min(line.size, needs.stop + more))

    @property
    def _contour(self) -> int:
        """Thickness of the outlines of labels, 0 where there are none."""
        return self.paint.contour if isinstance(self.paint, Labeled) else 0

    def _draw(self, canvas: NDArray[np.uint8], rows: Line, pixels: NDArray[Any]) -> None:
        seen = self._plane(pixels, rows)
        for start, stop in _bands(rows, canvas.shape[1]):
            band = rows.within(start, stop)
            begin = band.needs.start - rows.needs.start
            some = seen[begin : begin + band.needs.stop - band.needs.start]
            self._lay(canvas[start:stop, self.columns.first : self.columns.stop], some, band)

    def _plane(self, pixels: NDArray[Any], rows: Line) -> NDArray[Any]:
        """Return the samples of one frame, axes (y, x) or (y, x, s), as far as they are needed."""
        lead = len(self.places)
        shown = [k for k, place in enumerate(self.places) if place is None]
        shape = [pixels.shape[k] for k in shown] + list(pixels.shape[lead:])
        plane = pixels.reshape(shape)
        plane = plane.swapaxes(0, 1) if self.is_turned else plane
        if not isinstance(self.paint, Labeled) or not self._contour:
            return plane
        lines = (rows, self.columns)
        inner = [line.needs.start - self._needed(line).start for line in lines]
        cut = tuple(
            slice(a, a + line.needs.stop - line.needs.start)
            for a, line in zip(inner, lines, strict=True)
        )
        return contours(plane, self._contour, self.paint.palette.background)[cut]

    def _lay(self, canvas: NDArray[np.uint8], samples: NDArray[Any], rows: Line) -> None:
        """Lay a band on the canvas below it."""
        if self._is_copied:
            copy_colors(sample(samples, rows, self.columns), canvas)
            canvas[..., 3] = 255
        elif self._stamp:
            self._stamp.lay(canvas, self._looked_up(samples, rows, self._stamp.table))
        else:
            blend(canvas, self._colors(samples, rows), self.mode)

    def _looked_up(
        self, samples: NDArray[Any], rows: Line, table: NDArray[np.uint32]
    ) -> NDArray[np.uint32]:
        """Return the color of a table for each pixel of a band."""
        assert not isinstance(self.paint, Color)
        if self._is_enlarged:
            return sample(table.take(self.paint.index(samples)), rows, self.columns)
        return table.take(self.paint.index(sample(samples, rows, self.columns)))

    def _colors(self, samples: NDArray[Any], rows: Line) -> NDArray[np.float32]:
        """Return r g b a between 0 and 1 for each pixel of a band."""
        if self._is_enlarged:
            return sample(self.paint.colors(samples), rows, self.columns)
        return self.paint.colors(sample(samples, rows, self.columns))

    @property
    def _is_enlarged(self) -> bool:
        """Whether there are fewer samples than pixels, each of which is one sample."""
        needed = self.columns.needs.stop - self.columns.needs.start
        return self.columns.weight is None and needed < len(self.columns.low)

    @cached_property
    def _is_copied(self) -> bool:
        """Whether samples are colors that are shown as they are."""
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
    def _stamp(self) -> Stamp | None:
        """What lays colors that need no mixing."""
        if isinstance(self.paint, Color):
            return None
        return make_stamp(self.paint.table, self.mode, is_on_solid=self.is_on_solid)


@dataclass(frozen=True)
class Compositor:
    """Makes frames of layers.

    Parameters
    ----------
    layers : tuple of Layer
        From the bottom to the top.
    shape : tuple of int
        Height and width of what is drawn.
    background : tuple of int
        Its color, r g b, each 0 to 255.
    reduced : int
        How many pixels along each axis become one of a frame, their mean.
    """

    layers: tuple[Layer, ...]
    shape: tuple[int, int]
    background: tuple[int, int, int]
    reduced: int = 1

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a frame."""
        height, width = self.shape
        return max(1, height // self.reduced), max(1, width // self.reduced)

    def __call__(self, i: int) -> NDArray[np.uint8]:
        """Draw frame i: axes y x s, r g b of 8 bits."""
        if self.reduced > 1:
            return self._reduced(i)
        canvas = self._canvas(i, 0, self.shape[0])
        frame = np.empty((*self.shape, 3), np.uint8)
        copy_colors(canvas, frame)
        return frame

    def _canvas(self, i: int, top: int, bottom: int) -> NDArray[np.uint8]:
        """Draw lines of frame i, axes (y, x, 4)."""
        color = np.array([*self.background, 255], np.uint8).view(np.uint32)
        canvas = np.full((bottom - top, self.shape[1], 1), color, np.uint32).view(np.uint8)
        for layer in self.layers:
            layer.draw(canvas, i, top)
        return canvas

    def _reduced(self, i: int) -> NDArray[np.uint8]:
        """Draw frame i smaller than its samples, of which not all are in memory at a time."""
        height, width = self.size
        block = self.shape[0] // height
        together = max(1, _CANVAS_BYTES // (block * self.shape[1] * 4))
        frame = np.empty((height, width, 3), np.uint8)
        for start in range(0, height, together):
            stop = min(start + together, height)
            canvas = self._canvas(i, start * block, stop * block)
            frame[start:stop] = _means(canvas, stop - start, width)
        return frame


def copy_colors(source: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
    """Copy r g b of pixels that may have an alpha, too: far faster than all three at a time."""
    for k in range(3):
        target[..., k] = source[..., k]


def _bands(rows: Line, width: int) -> Iterator[tuple[int, int]]:
    """Yield first and last line of each band of a picture that a layer covers."""
    step = max(1, _BAND_PIXELS // max(1, width))
    for start in range(rows.first, rows.stop, step):
        yield start, min(start + step, rows.stop)


def _means(canvas: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return the mean color of each of height x width blocks."""
    rows, columns = canvas.shape[0] // height, canvas.shape[1] // width
    sums = np.zeros((height, width, 3), np.uint32)
    for i in range(rows):
        for k in range(columns):
            sums += canvas[i::rows, k::columns, :3]
    count = rows * columns
    means: NDArray[np.uint32] = (sums + count // 2) // count
    return means.astype(np.uint8)
