"""Arrays over the pages of TIFF files: evenly spaced pixels, tiles, or frames."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, Frames
from napari_ferry.arrays.array_protocol import Closable, close
from napari_ferry.arrays.blocks import c_strides
from napari_ferry.arrays.file_array import FileArray, open_file_array
from napari_ferry.arrays.frames import PartReader, ReadFrame
from napari_ferry.codecs.tiff.pages.empty_segments import warn_empty_segments
from napari_ferry.codecs.tiff.pages.page_kind import AxisMove
from napari_ferry.codecs.tiff.pages.pages import Pages
from napari_ferry.codecs.tiff.pages.tifffile_log import silent_tifffile
from napari_ferry.codecs.tiff.pages.tiles import Tiles, first_kind, has_tiles, is_large


@dataclass(frozen=True, kw_only=True)
class PageReader(Closable):
    """Reader of frames from pages of one or several files, in any order.

    Parameters
    ----------
    files : tuple of Pages or None
        The files; None for a missing file, whose frames are zero.
    table : array of int64, axes frame, (file, page)
        Location of each frame; negative for a missing page, whose frame is zero.
    shape, dtype
        Of a frame.
    move : AxisMove, optional
        Move of an axis of each page, such as color samples that are stored as planes.
    tiles : Tiles, optional
        The same frames, axes frame and the axes of a frame, if parts of a page can be decoded.
    """

    is_stamped: ClassVar[Literal[True]] = True

    files: tuple[Pages | None, ...]
    table: NDArray[np.int64]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    move: AxisMove | None = None
    tiles: Tiles | None = None

    def close(self) -> None:
        """Release the cached tiles."""
        if self.tiles is not None:
            self.tiles.close()

    def read_part(self, i: int, index: tuple[int | slice, ...]) -> NDArray[Any] | None:
        """Return part of a frame by reading its tiles or strips, or ``None`` if it has only one."""
        return None if self.tiles is None else np.asarray(self.tiles[(i, *index)])

    def read_into(self, first: int, out: NDArray[Any]) -> None:
        """Read consecutive frames into an array.

        Each file is opened once for consecutive frames.

        Parameters
        ----------
        first : int
            Number of the first frame.
        out : array, axes frame, and those of a frame
            Target, in C order.
        """
        table = self.table[first : first + len(out)]
        cuts = np.nonzero(np.diff(table[:, 0]))[0] + 1
        for rows, frames in zip(np.split(table, cuts), np.split(out, cuts), strict=True):
            file, pages = rows[0, 0], rows[:, 1]
            source = self.files[file] if file >= 0 else None
            if source is not None and out.dtype == self.dtype and self._can_read(source, pages):
                _read_pages(source, pages, frames)
            else:
                for k, frame in enumerate(frames):
                    frame[...] = self(first + k)
            first += len(rows)

    def _can_read(self, source: Pages, pages: NDArray[np.int64]) -> bool:
        """Return True if all pages exist and can be decoded directly into frames."""
        if self.move or pages.min() < 0 or pages.max() >= len(source):
            return False
        kinds = [source.kind(number) for number in np.unique(source.kinds[pages]).tolist()]
        size = math.prod(self.shape)
        return all(kind.dtype == self.dtype and math.prod(kind.shape) == size for kind in kinds)

    def __call__(self, i: int) -> NDArray[Any]:
        file, page = self.table[i].tolist()
        source = self.files[file] if file >= 0 else None
        if source is None or page < 0:
            return np.zeros(self.shape, self.dtype)
        if page >= len(source):
            raise source.absent(page)

        pixels = source(page)
        if self.move:
            pixels = np.moveaxis(pixels, *self.move)
        if pixels.size != math.prod(self.shape):
            raise source.mismatched(page, pixels.shape, self.shape)
        return np.asarray(pixels.reshape(self.shape), self.dtype)


def _read_pages(source: Pages, pages: NDArray[np.int64], frames: NDArray[Any]) -> None:
    """Decode pages of one file directly into frames."""
    with source.open() as file, silent_tifffile():
        for page, frame in zip(pages.tolist(), frames, strict=True):
            source.read(file, page, frame.reshape(source.kind_of(page).shape))


@dataclass(frozen=True)
class PageReaders(Closable):
    """Reader of the frames of several readers, one after the other.

    Parameters
    ----------
    readers : tuple of callable
        Each reads its own frames, counted from 0.
    ends : tuple of int
        Number of frames up to the end of each reader.
    """

    readers: tuple[ReadFrame, ...]
    ends: tuple[int, ...]

    def __call__(self, i: int) -> NDArray[Any]:
        reader, own = self._find(i)
        return reader(own)

    def read_part(self, i: int, index: tuple[int | slice, ...]) -> NDArray[Any] | None:
        """Return a part of frame i, or ``None`` if its reader reads whole frames only."""
        reader, own = self._find(i)
        return reader.read_part(own, index) if isinstance(reader, PartReader) else None

    def _find(self, i: int) -> tuple[ReadFrame, int]:
        """Return the reader of a frame, and the number of the frame there."""
        k = bisect.bisect_right(self.ends, i)
        return self.readers[k], i - (self.ends[k - 1] if k else 0)

    def close(self) -> None:
        """Close the readers."""
        close(*self.readers)


@dataclass(frozen=True)
class BoolReader(Closable):
    """Reader of bool frames stored as 0 and 1."""

    read: ReadFrame

    def __call__(self, i: int) -> NDArray[Any]:
        return self.read(i).astype(bool)

    def read_part(self, i: int, index: tuple[int | slice, ...]) -> NDArray[Any] | None:
        """Return a part of frame i as bool, or ``None`` if the reader reads whole frames only."""
        part = self.read.read_part(i, index) if isinstance(self.read, PartReader) else None
        return None if part is None else part.astype(bool)

    def close(self) -> None:
        """Close the reader of the numbers."""
        close(self.read)


def open_frames(
    path: Path, start: int, spacing: int, n: int, frame: Sequence[int], dtype: np.dtype[Any]
) -> FileArray:
    """Open evenly spaced frames of a file, read at each use.

    Parameters
    ----------
    path : Path
        The file.
    start, spacing : int
        Offset of the first frame, and distance between the starts of frames, in bytes.
    n : int
        Number of frames.
    frame : sequence of int
        Shape of a frame.
    dtype : data type
        Type of the pixels, with their byte order.

    Returns
    -------
    FileArray
        Axes frame, and the axes of a frame.
    """
    strides = (spacing, *c_strides(frame, dtype.itemsize))
    return open_file_array(path, start, (n, *frame), strides, dtype)


def pages_array(
    files: Sequence[Pages | None],
    table: NDArray[np.int64],
    lead: Sequence[int],
    frame: Sequence[int],
    dtype: np.dtype[Any],
    *,
    move: AxisMove | None = None,
) -> Array:
    """Make an array over pages.

    It is a `FileArray` of evenly spaced pixels, `Tiles` of large pages, of which only the requested
    tiles or strips are read, or else `Frames`.

    Parameters
    ----------
    files, table
        As for `PageReader`.
    lead, frame : sequence of int
        Shape of the leading axes, and of a frame.
    dtype : data type
        Type of the pixels.
    move : AxisMove, optional
        As for `PageReader`.

    Warns
    -----
    FerryWarning
        Strips or tiles are missing; see `warn_empty_segments`.
    """
    shape = (*lead, *frame)
    source = files[0] if len(files) == 1 else None
    if source is not None and move is None and (table >= 0).all():
        even = _open_even_pages(source, table[:, 1], tuple(frame))
        if even is not None:
            return even.reshape(shape)

    kind = first_kind(files, table)
    warn_empty_segments(files, table)
    is_tiled = kind is not None and has_tiles(kind, frame, move)
    if kind and is_tiled and is_large(kind):
        return Tiles(files, table, lead, frame, dtype, move)

    files = tuple(files)
    tiles = Tiles(files, table, (len(table),), frame, dtype, move) if is_tiled else None
    reader = PageReader(
        files=files, table=table, shape=tuple(frame), dtype=dtype, move=move, tiles=tiles
    )
    return Frames(reader, shape, dtype, len(lead))


def _open_even_pages(
    source: Pages, pages: NDArray[np.int64], frame: tuple[int, ...]
) -> FileArray | None:
    """Open evenly spaced pages of one file; None if this is not possible."""
    if pages.max() >= len(source) or len(np.unique(source.kinds[pages])) > 1:
        return None
    kind = source.kind(int(source.kinds[pages[0]]))
    starts = source.pixel_offsets(pages)
    if starts is None or kind.raw_dtype is None or math.prod(kind.shape) != math.prod(frame):
        return None

    steps = np.diff(starts)
    spacing = int(steps[0]) if steps.size else kind.nbytes
    if (steps != spacing).any() or spacing < kind.nbytes:
        return None
    return open_frames(source.path, int(starts[0]), spacing, len(pages), frame, kind.raw_dtype)
