"""Frames of an animated PNG as composed by a browser, read in any order.

A frame may store only its changes, so its composition begins at the last frame that depends on no
other, or after the frame that was composed last.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, BinaryIO, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import reading
from napari_ferry.arrays.array_protocol import Closable
from napari_ferry.codecs.png.picture_decode import decode_picture
from napari_ferry.codecs.png.pixel_layout import PixelLayout
from napari_ferry.codecs.png.png_table import CLEARS, RESTORES, Picture, PngTable


class AnimationReader(Closable):
    """Reader of the composed frames of an animation; thread-safe, without an open file.

    Parameters
    ----------
    table : PngTable
        Content of the file.
    layout : PixelLayout
        Samples of the frames.
    """

    is_stamped: ClassVar[Literal[True]] = True

    def __init__(self, table: PngTable, layout: PixelLayout) -> None:
        self.table = table
        self.layout = layout
        self.starts = _find_starts(table, has_alpha=layout.samples == 4)
        self._last: tuple[int, NDArray[Any]] | None = None
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[AnimationReader], tuple[PngTable, PixelLayout]]:
        return AnimationReader, (self.table, self.layout)

    def close(self) -> None:
        """Release the canvas; no file is open between two calls."""
        with self._lock:
            self._last = None

    def __call__(self, i: int) -> NDArray[Any]:
        """Compose frame i.

        Raises
        ------
        UnreadableFileError
            The file does not exist, has changed, or has a damaged frame.
        """
        with reading(self.table.path), self.table.open() as file:
            if self.starts[i] == i and _covers(self.table, self.table.pictures[i]):
                return self._decode(file, i)
            with self._lock:  # one thread at a time: the others need the same earlier frames
                return self._compose(file, i)

    def _decode(self, file: BinaryIO, i: int) -> NDArray[Any]:
        return decode_picture(file, self.table, self.table.pictures[i], self.layout)

    def _compose(self, file: BinaryIO, i: int) -> NDArray[Any]:
        """Compose frame i from an earlier one, and keep the canvas after it."""
        first, canvas = self.starts[i], np.zeros(self.layout.shape, self.layout.dtype)
        if self._last is not None and first <= self._last[0] < i:
            first, canvas = self._last[0] + 1, self._last[1]

        painted = canvas
        for j in range(first, i + 1):
            painted = self._paint(file, j, canvas)
            canvas = _dispose(self.table.pictures[j], canvas, painted)
        self._last = i, canvas
        return painted.copy()

    def _paint(self, file: BinaryIO, i: int, canvas: NDArray[Any]) -> NDArray[Any]:
        """Return a canvas with frame i on it; the given canvas is not modified."""
        picture, pixels, painted = self.table.pictures[i], self._decode(file, i), canvas.copy()
        area = _area(picture)
        if picture.blends and self.layout.samples == 4:
            pixels = _blend(pixels, canvas[area])
        painted[area] = pixels
        return painted


def may_be_clear(table: PngTable) -> bool:
    """Return True if some pixels of an animation may be covered by no frame."""
    is_covered = False
    for picture in table.pictures:
        is_painted = is_covered or _covers(table, picture)
        if not is_painted:
            return True
        if picture.disposal != RESTORES:
            is_covered = picture.disposal != CLEARS
    return False


def _find_starts(table: PngTable, *, has_alpha: bool) -> Sequence[int]:
    """Return for each frame the first frame of its composition on a clear canvas."""
    starts: list[int] = []
    is_clear = True
    for i, picture in enumerate(table.pictures):
        covers = _covers(table, picture)
        is_whole = covers and not (picture.blends and has_alpha)
        starts.append(i if is_clear or is_whole else starts[-1])
        if picture.disposal != RESTORES:
            is_clear = covers and picture.disposal == CLEARS
    return starts


def _covers(table: PngTable, picture: Picture) -> bool:
    """Return True if a picture has the size of the canvas."""
    return (picture.width, picture.height) == (table.header.width, table.header.height)


def _area(picture: Picture) -> tuple[slice, slice]:
    rows = slice(picture.top, picture.top + picture.height)
    return rows, slice(picture.left, picture.left + picture.width)


def _dispose(picture: Picture, before: NDArray[Any], painted: NDArray[Any]) -> NDArray[Any]:
    """Return the canvas for the next frame."""
    if picture.disposal == RESTORES:
        return before
    if picture.disposal == CLEARS:
        painted = painted.copy()
        painted[_area(picture)] = 0
    return painted


def _blend(pixels: NDArray[Any], under: NDArray[Any]) -> NDArray[Any]:
    """Blend RGBA over RGBA, as in section 13.16 of the specification, in 64-bit floats."""
    most = np.iinfo(pixels.dtype).max
    alpha = pixels[..., 3:] / most
    behind = under[..., 3:] / most * (1 - alpha)
    total = alpha + behind
    colors = pixels[..., :3] * alpha + under[..., :3] * behind
    blended = np.empty_like(pixels)
    blended[..., :3] = np.rint(np.divide(colors, total, out=np.zeros_like(colors), where=total > 0))
    blended[..., 3:] = np.rint(total * most)
    return blended
