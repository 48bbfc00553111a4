"""Arrays over the pages of TIFF files: mapped where pixels lie evenly, else read by frame."""

from __future__ import annotations

import bisect
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array, Frames
from napari_ferry.arrays.blocks import c_strides
from napari_ferry.arrays.frames import ReadFrame
from napari_ferry.arrays.memmap import Mapped, map_strided
from napari_ferry.codecs.tiff.pages.pages import Pages
from napari_ferry.codecs.tiff.pages.tiles import Tiles, first_kind, has_tiles
from napari_ferry.errors import UnreadableFileError


@dataclass(frozen=True)
class Planes:
    """Reads frames that are pages, in any order, of one or several files.

    Parameters
    ----------
    files : sequence of Pages or None
        ``None`` stands for a file that is missing; its frames are zero.
    table : array of int64, axes frame, (file, page)
        Negative where no page is named; such frames are zero.
    move : (int, int), optional
        An axis of each page that goes elsewhere, such as color samples stored as planes.
    """

    files: tuple[Pages | None, ...]
    table: NDArray[np.int64]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    move: tuple[int, int] | None = None

    def read_into(self, first: int, out: NDArray[Any]) -> None:
        """Read frames from `first` on into an array in C order; its first axis counts them.

        Each file is opened once for frames that follow each other in it.
        """
        table = self.table[first : first + len(out)]
        cuts = np.nonzero(np.diff(table[:, 0]))[0] + 1
        for some, places in zip(np.split(table, cuts), np.split(out, cuts), strict=True):
            source = self.files[some[0, 0]] if some[0, 0] >= 0 else None
            if (
                source is None
                or self.move
                or out.dtype != self.dtype
                or not self._fits(source, some[:, 1])
            ):
                for k, place in enumerate(places):
                    place[...] = self(first + k)
            else:
                with source.open() as file:
                    for page, place in zip(some[:, 1].tolist(), places, strict=True):
                        kind = source.kind_of(page)
                        source.read(file, page, place.reshape(kind.shape))
            first += len(some)

    def _fits(self, source: Pages, pages: NDArray[np.int64]) -> bool:
        """Whether pages are there and can be read straight to where frames go."""
        if pages.min() < 0 or pages.max() >= len(source):
            return False
        kinds = [source.kind(kind) for kind in np.unique(source.kinds[pages]).tolist()]
        size = math.prod(self.shape)
        return all(kind.dtype == self.dtype and math.prod(kind.shape) == size for kind in kinds)

    def __call__(self, i: int) -> NDArray[Any]:
        which, page = self.table[i].tolist()
        source = self.files[which] if which >= 0 else None
        if source is None or page < 0:
            return np.zeros(self.shape, self.dtype)
        if page >= len(source):
            raise UnreadableFileError(
                f"{source.path} has {len(source)} pages, page {page} was named: it is cut off or "
                "was replaced; get a whole copy."
            )
        pixels = source(page)
        if self.move:
            pixels = np.moveaxis(pixels, *self.move)
        if pixels.size != math.prod(self.shape):
            raise UnreadableFileError(
                f"Page {page} of {source.path} is {pixels.shape}, expected {self.shape}: "
                "it belongs to another image."
            )
        return np.asarray(pixels.reshape(self.shape), self.dtype)


@dataclass(frozen=True)
class Joined:
    """Reads the frames of several readers, one after the other.

    Parameters
    ----------
    readers : tuple of callable
        Each reads its own frames, counted from 0.
    ends : tuple of int
        The number of frames up to the end of each.
    """

    readers: tuple[ReadFrame, ...]
    ends: tuple[int, ...]

    def __call__(self, i: int) -> NDArray[Any]:
        k = bisect.bisect_right(self.ends, i)
        return self.readers[k](i - (self.ends[k - 1] if k else 0))


@dataclass(frozen=True)
class AsBool:
    """Reads truth values that were stored as 0 and 1."""

    read: ReadFrame

    def __call__(self, i: int) -> NDArray[Any]:
        return self.read(i).astype(bool)


def map_frames(
    path: Path, start: int, spacing: int, n: int, frame: Sequence[int], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Map `n` frames that lie evenly spaced in a file, read-only.

    Returns
    -------
    numpy.ndarray
        Axes frame, and those of a frame; a view of a memory map.
    """
    if spacing == math.prod(frame) * dtype.itemsize or n == 1:
        # a `Path` would be resolved, link by link, which takes as long as mapping
        return Mapped(os.fspath(path), dtype, "r", start, (n, *frame))
    return map_strided(
        path, start, (n, *frame), (spacing, *c_strides(frame, dtype.itemsize)), dtype
    )


def pages_array(
    files: Sequence[Pages | None],
    table: NDArray[np.int64],
    lead: Sequence[int],
    frame: Sequence[int],
    dtype: np.dtype[Any],
    *,
    move: tuple[int, int] | None = None,
) -> Array:
    """Return an array over pages: one memory map where they lie evenly spaced, else `Frames`.

    Of large pages, only the tiles or strips that are asked for are read.

    Parameters
    ----------
    files, table
        As for `Planes`.
    lead, frame : sequence of int
        Shape of the leading axes, and of a frame.
    dtype : data type
        Of the pixels.
    move : (int, int), optional
        As for `Planes`.
    """
    shape = (*lead, *frame)
    source = files[0] if len(files) == 1 else None
    if source is not None and move is None and (table >= 0).all():
        mapped = _map_pages(source, table[:, 1], tuple(frame))
        if mapped is not None:
            return mapped.reshape(shape)
    kind = first_kind(files, table)
    if kind and has_tiles(kind, frame, move):
        return Tiles(files, table, lead, frame, dtype, move)
    read = Planes(tuple(files), table, tuple(frame), dtype, move)
    return Frames(read, shape, dtype, len(lead))


def _map_pages(
    source: Pages, pages: NDArray[np.int64], frame: tuple[int, ...]
) -> NDArray[Any] | None:
    if pages.max() >= len(source) or len(np.unique(source.kinds[pages])) > 1:
        return None
    kind = source.kind(int(source.kinds[pages[0]]))
    starts = source.raw_spans(pages)
    if starts is None or kind.raw_dtype is None or math.prod(kind.shape) != math.prod(frame):
        return None
    steps = np.diff(starts)
    spacing = int(steps[0]) if steps.size else kind.nbytes
    if (steps != spacing).any() or spacing < kind.nbytes:
        return None
    return map_frames(source.path, int(starts[0]), spacing, len(pages), frame, kind.raw_dtype)
