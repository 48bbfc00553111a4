"""The frames of a GIF as a browser shows them, read in any order.

A frame may hold only what changes, so that what is shown needs the frames before it. Composition
begins at the last frame that needs none, or at a canvas that is remembered; those are kept at
equal distances, within a fixed memory.
"""

from __future__ import annotations

import math
import threading
import warnings
from collections import OrderedDict
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import reading
from napari_ferry.codecs.gif.pixels import BadCodeError, read_colors, read_indices, shown
from napari_ferry.codecs.gif.scan import CLEARS, NO_INDEX, RESTORES, Row, Table
from napari_ferry.errors import FerryWarning, UnreadableFileError

_KEPT_BYTES = 64 << 20
_LEAST_DISTANCE = 8
_RECENT = 4


class Composed:
    """Gives frame i of a GIF as it is shown; thread-safe, and without an open file between calls.

    Parameters
    ----------
    table : Table
        Where the frames lie.
    samples : int
        1 for gray, uint8 with axes (y, x); 3 or 4 for colors, axes (y, x, s).
    """

    def __init__(self, table: Table, samples: int) -> None:
        self.table = table
        self.samples = samples
        self.starts, self.origins = find_starts(table)
        canvas_bytes = table.width * table.height * (1 if samples == 1 else 4)
        most = max(1, _KEPT_BYTES // canvas_bytes)
        self.recent = min(_RECENT, most)
        self.distance = max(_LEAST_DISTANCE, math.ceil(len(table) / most))
        self._kept: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._recent: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Composed], tuple[Table, int]]:
        return Composed, (self.table, self.samples)

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
            The file is gone or changed, or a frame of it is damaged.
        """
        stop = first + len(out)
        with reading(self.table.path), self.table.path.open("rb") as file:
            if (self.starts[first:stop] == np.arange(first, stop)).all():
                self._read_alone(file, first, out)
                return
            with self._lock:  # in turns: frames that another thread composes are needed here
                canvas = self._canvas_before(file, first)
                for k in range(len(out)):
                    painted = self._paint(file, first + k, canvas)
                    self._put(painted, out[k])
                    canvas = self._dispose(first + k, canvas, painted)

    def _read_alone(self, file: BinaryIO, first: int, out: NDArray[Any]) -> None:
        """Read frames that need no others, and remember what the one after them needs."""
        canvas = painted = self._clear()
        for k in range(len(out)):
            painted = self._paint(file, first + k, canvas)
            self._put(painted, out[k])
        last = first + len(out) - 1
        if last + 1 < len(self.starts) and self.starts[last + 1] == last:
            with self._lock:
                self._dispose(last, canvas, painted)

    def _shape(self) -> tuple[int, ...]:
        height, width = self.table.height, self.table.width
        return (height, width) if self.samples == 1 else (height, width, self.samples)

    def _clear(self) -> NDArray[Any]:
        dtype = np.uint8 if self.samples == 1 else np.uint32
        return np.zeros((self.table.height, self.table.width), dtype)

    def _put(self, canvas: NDArray[Any], out: NDArray[Any]) -> None:
        if self.samples == 1:
            out[...] = canvas
        else:
            out[...] = canvas.view(np.uint8).reshape(*canvas.shape, 4)[..., : self.samples]

    def _canvas_before(self, file: BinaryIO, i: int) -> NDArray[Any]:
        """Return what frame i is painted on."""
        start = int(self.origins[i])
        remembered = [j for kept in (self._kept, self._recent) for j in kept if start < j <= i]
        at = max(remembered, default=start)
        canvas = self._clear()
        if remembered:
            canvas = self._kept[at] if at in self._kept else self._recent[at]
        for j in range(at, i):
            needs_pixels = self.table.row(j).disposal not in (CLEARS, RESTORES)
            painted = self._paint(file, j, canvas) if needs_pixels else canvas
            canvas = self._dispose(j, canvas, painted)
        return canvas

    def _paint(self, file: BinaryIO, i: int, canvas: NDArray[Any]) -> NDArray[Any]:
        """Return a canvas with frame i on it; the given one stays as it is."""
        row = self.table.row(i)
        place = _place(row, self.table)
        if 0 in canvas[place].shape:
            return canvas
        try:
            indices, known = read_indices(file, row)
        except BadCodeError as error:
            raise UnreadableFileError(
                f"Frame {i} of {self.table.path} is damaged, and so is what follows from it: read "
                f"the frames before it, or copy the file anew from where it came."
            ) from error
        if known is not None:
            warnings.warn(
                f"Frame {i} of {self.table.path} lacks {np.count_nonzero(~known)} pixels, or they "
                "cannot be decoded: what was there before shows in their place.",
                FerryWarning,
                stacklevel=5,
            )
        height, width = canvas[place].shape
        indices, mask = indices[:height, :width], shown(row, indices, known)
        colors = read_colors(file, row, self.samples)
        if mask is None and indices.shape == canvas.shape:
            return colors[indices]
        painted = canvas.copy()
        if mask is None:
            painted[place] = colors[indices]
        else:
            np.copyto(painted[place], colors[indices], where=mask[:height, :width])
        return painted

    def _dispose(self, i: int, canvas: NDArray[Any], painted: NDArray[Any]) -> NDArray[Any]:
        """Return what the frame after i is painted on, and remember it."""
        row = self.table.row(i)
        following = painted
        if row.disposal == RESTORES:
            following = canvas
        elif row.disposal == CLEARS:
            following = canvas.copy()
            following[_place(row, self.table)] = 0
        self._remember(i + 1, following)
        return following

    def _remember(self, i: int, canvas: NDArray[Any]) -> None:
        if i % self.distance == 0:
            self._kept[i] = canvas
        self._recent[i] = canvas
        self._recent.move_to_end(i)
        while len(self._recent) > self.recent:
            self._recent.popitem(last=False)


def _place(row: Row, table: Table) -> tuple[slice, slice]:
    """Return the part of the canvas that a frame is laid on."""
    bottom, right = row.top + row.height, row.left + row.width
    return slice(row.top, min(bottom, table.height)), slice(row.left, min(right, table.width))


def find_starts(table: Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the composition of each frame can begin.

    Returns
    -------
    starts : numpy.ndarray
        The last frame at which it can, for this frame alone: itself where it is painted on a
        clear canvas, or covers all of it.
    origins : numpy.ndarray
        The same for this frame and those after it. A frame that covers everything, and after
        which what stood before is restored, is no origin.
    """
    covers = covers_canvas(table)
    disposal = table.column("disposal")
    opaque = covers & (table.column("transparent") == NO_INDEX)
    clear = np.array(_clear_before(disposal.tolist(), covers.tolist()))
    index = np.arange(len(table))
    lasting = clear | (opaque & (disposal != RESTORES))
    origins = np.maximum.accumulate(np.where(lasting, index, 0))
    return np.where(clear | opaque, index, origins), origins


def covers_canvas(table: Table) -> NDArray[np.bool_]:
    """Return which frames are as large as the canvas."""
    left, top = table.column("left"), table.column("top")
    is_wide = (left == 0) & (table.column("width") >= table.width)
    covers: NDArray[np.bool_] = is_wide & (top == 0) & (table.column("height") >= table.height)
    return covers


def _clear_before(disposal: list[int], covers: list[bool]) -> list[bool]:
    """Return which frames are painted on a canvas that is clear."""
    found, clear = [], True
    for method, covering in zip(disposal, covers, strict=True):
        found.append(clear)
        clear = (method == CLEARS and covering) or (clear and method in (CLEARS, RESTORES))
    return found


def may_show_through(table: Table) -> bool:
    """Whether some pixel of some frame may be transparent, as far as the blocks tell.

    The first frame is decoded where it could have transparent pixels, and they decide: many
    programs allow for transparency and do not use it.
    """
    covers = covers_canvas(table)
    opaque = covers & (table.column("transparent") == NO_INDEX)
    opaque[0] = opaque[0] or (covers[0] and _is_opaque(table))
    is_solid = False
    for covering, method in zip(opaque.tolist(), table.column("disposal").tolist(), strict=True):
        before, is_solid = is_solid, is_solid or covering
        if not is_solid:
            return True
        if method == CLEARS:
            is_solid = False
        elif method == RESTORES:
            is_solid = before
    return False


def _is_opaque(table: Table) -> bool:
    """Whether every pixel of the first frame is painted."""
    row = table.row(0)
    with table.path.open("rb") as file:
        try:
            painted = shown(row, *read_indices(file, row))
        except BadCodeError:
            return True  # said when it is read
    return painted is None or bool(painted.all())
