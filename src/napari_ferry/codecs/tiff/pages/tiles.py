"""Arrays over large pages, read by tiles or strips."""

from __future__ import annotations

import itertools
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arrays.array_protocol import Chunked
from napari_ferry.arrays.indexing import index_empty, join_key, new_axes_key, split_key
from napari_ferry.arrays.stamp import open_unchanged
from napari_ferry.codecs.tiff.pages.decode import check_segments, read_segment
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS, AxisMove, PageKind, Segments
from napari_ferry.codecs.tiff.pages.pages import Pages
from napari_ferry.codecs.tiff.pages.tifffile_log import silent_tifffile
from napari_ferry.codecs.tiff.pages.tile_index import as_slice, split_at_tiles, touched_indices
from napari_ferry.errors import share_collector

LARGE_PAGE = 32 << 20
"""Bytes of pixels above which a page without levels is read by tiles or strips."""

_CACHE_PAGES = 8
_BATCH = 64
_MIN_PARALLEL = 4
"""Number of tiles from which several threads decode them."""

_SHAPED = (0, 2, 3, 4)
"""Separate samples, y, x and samples among the five dimensions of tifffile."""


class _Page(NamedTuple):
    """Location of a page: the index of its file, and its number in the file."""

    file: int
    number: int


class Tiles(Chunked):
    """An array over large pages with the indexing of numpy, read by tiles or strips.

    It is thread-safe, caches the last few tiles, and is pickled as the paths of its files.

    Parameters
    ----------
    files : sequence of Pages or None
        The files; None for a missing file, whose frames are zero.
    table : array of int64, axes frame, (file, page)
        Location of each frame; negative for a missing page, whose frame is zero.
    lead, frame : sequence of int
        Shape of the leading axes, which count frames in C order, and of a frame.
    dtype : data type
        Type of the pixels; the pixels of the file are cast to it.
    move : AxisMove, optional
        Move of an axis of each page, such as color samples that are stored as planes.
    """

    is_stamped: ClassVar[Literal[True]] = True
    cache_bytes = 32 << 20

    def __init__(
        self,
        files: Sequence[Pages | None],
        table: NDArray[np.int64],
        lead: Sequence[int],
        frame: Sequence[int],
        dtype: DTypeLike,
        move: AxisMove | None = None,
    ) -> None:
        self.files = tuple(files)
        self.table = table
        self.lead = len(lead)
        self.shape = (*map(int, lead), *map(int, frame))
        self.dtype = np.dtype(dtype)
        self.move = move
        self._cache: OrderedDict[tuple[_Page, int], NDArray[Any]] = OrderedDict()
        self._cached_bytes = 0
        self._cached_segments: OrderedDict[_Page, Segments] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Tiles], tuple[Any, ...]]:
        lead, frame = self.shape[: self.lead], self.shape[self.lead :]
        return Tiles, (self.files, self.table, lead, frame, self.dtype, self.move)

    def __repr__(self) -> str:
        return f"Tiles(shape={self.shape}, dtype={self.dtype}, chunks={self.chunks})"

    @property
    def chunks(self) -> tuple[int, ...]:
        """Shape of a tile or strip, with the axes of the array."""
        kind = first_kind(self.files, self.table)
        if kind is None:
            return self.shape
        steps, shaped = (1, *kind.segment[1:], kind.shaped[4]), _stored_shape(kind)
        inner = (min(steps[k], shaped[k]) for k in _stored_axes(kind, self.move))
        return (*(1,) * self.lead, *inner)

    def astype(self, dtype: DTypeLike) -> Tiles:
        """Return the same pixels as another type."""
        lead, frame = self.shape[: self.lead], self.shape[self.lead :]
        return Tiles(self.files, self.table, lead, frame, dtype, self.move)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("The pixels are stored in a file: reading them makes a copy.")
        pixels: NDArray[Any] = self[...]
        return pixels.astype(self.dtype if dtype is None else dtype, copy=False)

    def close(self) -> None:
        """Release the cached tiles; no file is open between two uses."""
        with self._lock:
            self._cache.clear()
            self._cached_bytes = 0
            self._cached_segments.clear()

    def __getitem__(self, key: Any) -> Any:
        items, order = split_key(key, self.shape)
        nothing = index_empty(items, order, self)
        if nothing is not None:
            return nothing

        axes = zip(items, self.shape, range(self.ndim), strict=True)
        touched, selection = zip(*itertools.starmap(touched_indices, axes), strict=True)
        region = self._read_region(touched)
        if not all(isinstance(item, int | slice) for item in items):
            return region[join_key(selection, order)]
        pixels, added = region[selection], new_axes_key(items, order)
        return pixels[added] if added else pixels[()]

    def _read_region(self, index: Sequence[NDArray[np.intp]]) -> NDArray[Any]:
        """Read an open mesh of increasing indices, one array for each axis."""
        out = np.zeros([len(wanted) for wanted in index], self.dtype)
        if out.size:
            lead = index[: self.lead]
            flat = np.ravel_multi_index(np.ix_(*lead), self.shape[: self.lead]) if lead else 0
            frames = out.reshape(-1, *out.shape[self.lead :])
            for frame, i in zip(frames, np.ravel(flat).tolist(), strict=True):
                page = _Page(*self.table[i].tolist())
                source = self.files[page.file] if min(page) >= 0 else None
                if source is not None:
                    self._read_frame(frame, source, page, index[self.lead :])
        return out

    def _read_frame(
        self, out: NDArray[Any], source: Pages, page: _Page, index: Sequence[NDArray[np.intp]]
    ) -> None:
        """Read an open mesh of one page into `out`."""
        if page.number >= len(source):
            raise source.absent(page.number)
        kind = source.kind_of(page.number)
        axes, shaped = _stored_axes(kind, self.move), _stored_shape(kind)
        if tuple(shaped[k] for k in axes) != self.shape[self.lead :]:
            raise source.mismatched(page.number, kind.shape, self.shape[self.lead :])

        # tiles have four axes, some of which the frame may lack or have in another order
        whole = [np.zeros(1, np.intp)] * len(_SHAPED)
        for k, wanted in zip(axes, index, strict=True):
            whole[k] = wanted
        in_order = out.transpose(np.argsort(axes))
        missing = tuple(slice(None) if k in axes else None for k in range(len(_SHAPED)))
        self._fill(in_order[missing], source, page, kind, whole)

    def _fill(
        self,
        out: NDArray[Any],
        source: Pages,
        page: _Page,
        kind: PageKind,
        index: Sequence[NDArray[np.intp]],
    ) -> None:
        """Read an open mesh into `out`, axes separate samples, y, x, samples."""
        try:
            segments = self._segments(source, page, kind)
            runs = [split_at_tiles(index[k], step) for k, step in enumerate((1, *kind.segment[1:]))]
            samples = as_slice(index[3])
            _, _, ny, nx = kind.grid
            jobs = {(s.number * ny + y.number) * nx + x.number: (s, y, x) for s in runs[0]
                    for y in runs[1] for x in runs[2]}  # fmt: skip

            for number, pixels in self._decode(source, segments, page, kind, list(jobs)):
                s, y, x = jobs[number]
                target = out[s.target, y.target, x.target]
                target[...] = (
                    kind.fill if pixels is None else pixels[0][y.source][:, x.source][..., samples]
                )
        except TIFFFILE_ERRORS as error:
            raise source.damaged(page.number, error) from error

    def _decode(
        self, source: Pages, segments: Segments, page: _Page, kind: PageKind, numbers: Sequence[int]
    ) -> Iterator[tuple[int, NDArray[Any] | None]]:
        """Yield tiles with their number, cached tiles first; None for a tile without data."""
        missing = []
        for number in numbers:
            pixels = self._find_cached((page, number))
            if pixels is None:
                missing.append(number)
            else:
                yield number, pixels
        if not missing:
            return

        with open_unchanged(source.path, source.stamp) as file:
            for number, pixels in _decode_tiles(file, kind, segments, missing):
                if pixels is not None:
                    self._add_to_cache((page, number), pixels)
                yield number, pixels

    def _segments(self, source: Pages, page: _Page, kind: PageKind) -> Segments:
        """Return the tiles of a page, cached as large pages have a hundred thousand of them."""
        with self._lock:
            if page not in self._cached_segments:
                with open_unchanged(source.path, source.stamp) as file:
                    segments = source.segments(file, page.number)
                check_segments(kind, segments)
                self._cached_segments[page] = segments
                if len(self._cached_segments) > _CACHE_PAGES:
                    self._cached_segments.popitem(last=False)
            return self._cached_segments[page]

    def _find_cached(self, key: tuple[_Page, int]) -> NDArray[Any] | None:
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
            return self._cache.get(key)

    def _add_to_cache(self, key: tuple[_Page, int], pixels: NDArray[Any]) -> None:
        with self._lock:
            if key not in self._cache and pixels.nbytes <= self.cache_bytes:
                self._cache[key] = pixels
                self._cached_bytes += pixels.nbytes
                while self._cached_bytes > self.cache_bytes:
                    self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes


def first_kind(files: Sequence[Pages | None], table: NDArray[np.int64]) -> PageKind | None:
    """Return the kind of the first existing page, or None if no page exists."""
    is_file = np.array([file is not None for file in files])[table[:, 0]]
    existing = np.nonzero((table >= 0).all(1) & is_file)[0]
    if not existing.size:
        return None
    file, page = table[existing[0]].tolist()
    source = files[file]
    return source.kind_of(page) if source is not None and page < len(source) else None


def is_large(kind: PageKind) -> bool:
    """Return True if pages are too large to be cached, or are levels of a pyramid."""
    return kind.nbytes > LARGE_PAGE or bool(kind.subifds) or kind.is_reduced


def has_tiles(kind: PageKind, frame: Sequence[int], move: AxisMove | None) -> bool:
    """Return True if pages consist of several tiles or strips, readable one by one."""
    _, d, y, x = kind.grid
    if y * x <= 1 or d > 1 or kind.shaped[1] > 1:
        return False
    return tuple(_stored_shape(kind)[k] for k in _stored_axes(kind, move)) == tuple(frame)


def _stored_shape(kind: PageKind) -> tuple[int, ...]:
    """Return the lengths of separate samples, y, x and samples."""
    return tuple(kind.shaped[k] for k in _SHAPED)


def _stored_axes(kind: PageKind, move: AxisMove | None) -> tuple[int, ...]:
    """Return the stored axis of each axis of a frame: 0 separate samples, 1 y, 2 x, 3 samples."""
    stored = [k for k in range(4) if k in (1, 2) or (kind.shaped[0], 1, 1, kind.shaped[4])[k] > 1]
    if move:
        stored.insert(move.destination % len(stored), stored.pop(move.source))
    return tuple(stored)


def _decode_tiles(
    file: BinaryIO, kind: PageKind, segments: Segments, numbers: Sequence[int]
) -> Iterator[tuple[int, NDArray[Any] | None]]:
    """Read and decode tiles in batches, by several threads if there are many."""
    from concurrent.futures import ThreadPoolExecutor

    offsets, counts = segments

    def decode(data: bytes | None, number: int) -> NDArray[Any] | None:
        """Decode a tile or strip, without padding; ``None`` if it is missing."""
        with silent_tifffile():  # in each of the threads
            pixels, _, shape = kind.decode(data, number, **kind.tables)
        return None if pixels is None else pixels[tuple(map(slice, shape))]

    n_threads = min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(n_threads, initializer=share_collector()) as pool:
        for start in range(0, len(numbers), _BATCH):
            batch = numbers[start : start + _BATCH]
            read = [read_segment(file, kind, int(offsets[i]), int(counts[i])) for i in batch]
            run = map if len(batch) < _MIN_PARALLEL else pool.map
            yield from zip(batch, run(decode, read, batch), strict=True)
