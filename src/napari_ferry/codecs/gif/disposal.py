"""Frames of a GIF as composed by a browser, read in any order.

A frame may store only its changes, so its composition needs the frames before it. Composition
starts at the last frame that depends on no other, or at a cached canvas. Canvases are cached at
regular intervals, within a fixed amount of memory.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from typing import Any, BinaryIO, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import reading
from napari_ferry.arrays.array_protocol import Closable
from napari_ferry.codecs.gif.pixels import BadCodeError, painted_mask, read_colors, read_indices
from napari_ferry.codecs.gif.scan import CLEARS, NO_INDEX, RESTORES, FrameRow, FrameTable
from napari_ferry.errors import UnreadableFileError, warn

_CACHE_BYTES = 64 << 20
_PAINTED_PIXELS = 1 << 20
"""Pixels painted at once: the colors of a whole frame would be one more canvas in memory."""

_LEAST_INTERVAL = 8
"""Minimum distance of cached canvases, in frames."""

_MOST_RECENT = 4
"""Number of recent canvases cached in addition to canvases at regular intervals."""


class FrameComposer(Closable):
    """Reader of the composed frames of a GIF; thread-safe, without an open file between calls.

    Parameters
    ----------
    table : FrameTable
        The frames of the file.
    samples : int
        1 for gray, uint8 with axes (y, x); 3 or 4 for colors, axes (y, x, s).
    """

    is_stamped: ClassVar[Literal[True]] = True

    def __init__(self, table: FrameTable, samples: int) -> None:
        self.table = table
        self.samples = samples
        self.starts = find_starts(table)

        canvas_bytes = table.width * table.height * (1 if samples == 1 else 4)
        capacity = max(1, _CACHE_BYTES // canvas_bytes)
        self.recent_capacity = min(_MOST_RECENT, capacity)
        self.interval = max(_LEAST_INTERVAL, math.ceil(len(table) / capacity))
        self._checkpoints: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._recent: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[FrameComposer], tuple[FrameTable, int]]:
        return FrameComposer, (self.table, self.samples)

    def close(self) -> None:
        """Release the cached canvases; no file is open between two calls."""
        with self._lock:
            self._checkpoints.clear()
            self._recent.clear()

    def __call__(self, i: int) -> NDArray[Any]:
        out = np.empty((1, *self._shape()), np.uint8)
        self.read_into(i, out)
        frame: NDArray[Any] = out[0]
        return frame

    def read_into(self, first: int, out: NDArray[Any]) -> None:
        """Compose frames from `first` on into an array, axes (frames, y, x[, s]), uint8.

        Raises
        ------
        UnreadableFileError
            The file does not exist, has changed, or has a damaged frame.
        """
        stop = first + len(out)
        with reading(self.table.path), self.table.open() as file:
            if (self.starts.single[first:stop] == np.arange(first, stop)).all():
                self._read_independent(file, first, out)
                return

            with self._lock:  # one thread at a time: the others need the same earlier frames
                canvas = self._canvas_before(file, first)
                for k in range(len(out)):
                    painted = self._paint(file, first + k, canvas)
                    self._store(painted, out[k])
                    canvas = self._dispose(first + k, canvas, painted)

    def _read_independent(self, file: BinaryIO, first: int, out: NDArray[Any]) -> None:
        """Read independent frames, and cache the canvas for the next frame."""
        canvas = painted = self._clear_canvas()
        for k in range(len(out)):
            painted = self._paint(file, first + k, canvas)
            self._store(painted, out[k])

        last = first + len(out) - 1
        single = self.starts.single
        if last + 1 < len(single) and single[last + 1] == last:
            with self._lock:
                self._dispose(last, canvas, painted)

    def _shape(self) -> tuple[int, ...]:
        height, width = self.table.height, self.table.width
        return (height, width) if self.samples == 1 else (height, width, self.samples)

    def _clear_canvas(self) -> NDArray[Any]:
        dtype = np.uint8 if self.samples == 1 else np.uint32
        return np.zeros((self.table.height, self.table.width), dtype)

    def _store(self, canvas: NDArray[Any], out: NDArray[Any]) -> None:
        """Copy a canvas, with colors packed as uint32, to a frame, axes (y, x[, s]), uint8."""
        if self.samples == 1:
            out[...] = canvas
        else:
            out[...] = canvas.view(np.uint8).reshape(*canvas.shape, 4)[..., : self.samples]

    def _canvas_before(self, file: BinaryIO, i: int) -> NDArray[Any]:
        """Return the canvas before frame i is painted."""
        start = int(self.starts.following[i])
        cached = [j for cache in (self._checkpoints, self._recent) for j in cache if start < j <= i]
        first = max(cached, default=start)
        canvas = self._clear_canvas()
        if cached:
            is_checkpoint = first in self._checkpoints
            canvas = self._checkpoints[first] if is_checkpoint else self._recent[first]
        for j in range(first, i):
            needs_pixels = self.table.row(j).disposal not in (CLEARS, RESTORES)
            painted = self._paint(file, j, canvas) if needs_pixels else canvas
            canvas = self._dispose(j, canvas, painted)
        return canvas

    def _paint(self, file: BinaryIO, i: int, canvas: NDArray[Any]) -> NDArray[Any]:
        """Return a canvas with frame i on it; the given canvas is not modified."""
        row = self.table.row(i)
        area = _frame_area(row, self.table)
        if 0 in canvas[area].shape:
            return canvas
        indices, known = self._read_indices(file, i, row)
        mask = painted_mask(row, indices, known)

        # the part of a frame outside the canvas is not visible
        height, width = canvas[area].shape
        indices = indices[:height, :width]
        colors = read_colors(file, row, self.samples)
        if mask is None and indices.shape == canvas.shape:
            return colors[indices]

        painted = canvas.copy()
        mask = np.broadcast_to(True, indices.shape) if mask is None else mask[:height, :width]
        for y in range(0, height, step := max(1, _PAINTED_PIXELS // width)):
            rows = slice(y, y + step)
            np.copyto(painted[area][rows], colors[indices[rows]], where=mask[rows])
        return painted

    def _read_indices(
        self, file: BinaryIO, i: int, row: FrameRow
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
        """Decode frame i; warn about missing pixels."""
        try:
            indices, known = read_indices(file, row)
        except BadCodeError as error:
            others = "read the frames before it, or " if i else ""
            raise UnreadableFileError(
                f"Frame {i} of {self.table.path.name} is damaged, and so are the frames that "
                f"depend on it: {others}get a complete copy of the file."
            ) from error

        if known is not None:
            warn(
                f"Frame {i} of {self.table.path.name} has {np.count_nonzero(~known)} missing or "
                "undecodable pixels: they show the previous content of the canvas."
            )
        return indices, known

    def _dispose(self, i: int, canvas: NDArray[Any], painted: NDArray[Any]) -> NDArray[Any]:
        """Return the canvas after the disposal of frame i, and cache it."""
        row = self.table.row(i)
        following = painted
        if row.disposal == RESTORES:
            following = canvas
        elif row.disposal == CLEARS:
            following = canvas.copy() if painted is canvas else painted  # which is not needed again
            following[...] = canvas
            following[_frame_area(row, self.table)] = 0
        self._cache(i + 1, following)
        return following

    def _cache(self, i: int, canvas: NDArray[Any]) -> None:
        if i % self.interval == 0:
            self._checkpoints[i] = canvas
        self._recent[i] = canvas
        self._recent.move_to_end(i)
        while len(self._recent) > self.recent_capacity:
            self._recent.popitem(last=False)


def _frame_area(row: FrameRow, table: FrameTable) -> tuple[slice, slice]:
    """Return the area of a frame on the canvas, axes (y, x)."""
    bottom, right = row.top + row.height, row.left + row.width
    return slice(row.top, min(bottom, table.height)), slice(row.left, min(right, table.width))


class StartFrames(NamedTuple):
    """Frame at the start of the composition of each frame, int64.

    Parameters
    ----------
    single : numpy.ndarray
        The latest start for this frame alone: the frame itself if it is painted on a clear canvas
        or covers the whole canvas.
    following : numpy.ndarray
        The latest start for this frame and the frames after it. A frame that covers the whole
        canvas is not a start if the previous content is restored after it.
    """

    single: NDArray[np.int64]
    following: NDArray[np.int64]


def find_starts(table: FrameTable) -> StartFrames:
    """Find the frame to start from for the composition of each frame."""
    covers = covers_canvas(table)
    disposal = table.column("disposal")
    is_opaque = covers & (table.column("transparent") == NO_INDEX)
    is_clear = np.array(_clear_before(disposal.tolist(), covers.tolist()))
    index = np.arange(len(table))
    is_start = is_clear | (is_opaque & (disposal != RESTORES))
    following = np.maximum.accumulate(np.where(is_start, index, 0))
    return StartFrames(np.where(is_clear | is_opaque, index, following), following)


def covers_canvas(table: FrameTable) -> NDArray[np.bool_]:
    """Return a mask of the frames as large as the canvas."""
    left, top = table.column("left"), table.column("top")
    is_wide = (left == 0) & (table.column("width") >= table.width)
    covers: NDArray[np.bool_] = is_wide & (top == 0) & (table.column("height") >= table.height)
    return covers


def _clear_before(disposal: list[int], covers: list[bool]) -> list[bool]:
    """Return True for each frame painted on a clear canvas."""
    is_clear_before, is_clear = [], True
    for method, is_covering in zip(disposal, covers, strict=True):
        is_clear_before.append(is_clear)
        is_clear = (method == CLEARS and is_covering) or (is_clear and method in (CLEARS, RESTORES))
    return is_clear_before


def may_be_transparent(table: FrameTable) -> bool:
    """Return True if a composed frame may have transparent pixels, according to the blocks.

    Many programs declare transparency without using it. Therefore the first frame is decoded if
    it declares transparency, and its pixels decide.
    """
    covers = covers_canvas(table)
    opaque = covers & (table.column("transparent") == NO_INDEX)
    opaque[0] = opaque[0] or (covers[0] and _is_opaque(table))
    is_solid = False
    for is_opaque, method in zip(opaque.tolist(), table.column("disposal").tolist(), strict=True):
        was_solid, is_solid = is_solid, is_solid or is_opaque
        if not is_solid:
            return True
        if method == CLEARS:
            is_solid = False
        elif method == RESTORES:
            is_solid = was_solid
    return False


def _is_opaque(table: FrameTable) -> bool:
    """Return True if every pixel of the first frame is painted."""
    row = table.row(0)
    with table.open() as file:
        try:
            mask = painted_mask(row, *read_indices(file, row))
        except BadCodeError:
            return True  # the frame is refused when it is read
    return mask is None or bool(mask.all())
