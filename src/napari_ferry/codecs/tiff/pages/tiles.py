"""Arrays over large pages, of which only the tiles or strips that are asked for are read."""

from __future__ import annotations

import itertools
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_ferry.arrays.indexing import arranged, new_axes, nothing_of, split_key
from napari_ferry.arrays.stack import Chunked
from napari_ferry.codecs.tiff.pages.decode import check_segments, read_segment
from napari_ferry.codecs.tiff.pages.ifd_chain import open_unchanged
from napari_ferry.codecs.tiff.pages.page_kind import TIFFFILE_ERRORS, PageKind
from napari_ferry.codecs.tiff.pages.pages import Pages
from napari_ferry.codecs.tiff.pages.tile_index import as_slice, cut_runs, touched_by
from napari_ferry.errors import UnreadableFileError

LARGE_PAGE = 32 << 20
"""Bytes of pixels above which a page is read by tiles or strips."""

_CACHE_BYTES = 32 << 20
_CACHE_PAGES = 8
_BATCH = 64
_FEW = 4


Places = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Where the tiles or strips of a page lie, and how many bytes they have."""


class Tiles(Chunked):
    """An array over large pages, with numpy's indexing; reads the tiles or strips it touches.

    Making one costs the same whatever its size. It is thread-safe, keeps the last few tiles, and
    pickles as the paths of its files.

    Parameters
    ----------
    files : sequence of Pages or None
        ``None`` stands for a file that is missing; its frames are zero.
    table : array of int64, axes frame, (file, page)
        Negative where no page is named; such frames are zero.
    lead, frame : sequence of int
        Shape of the leading axes, which count frames in C order, and of a frame.
    dtype : data type
        Of the pixels; those of the file are cast to it.
    move : (int, int), optional
        An axis of each page that goes elsewhere, such as color samples stored as planes.
    """

    def __init__(
        self,
        files: Sequence[Pages | None],
        table: NDArray[np.int64],
        lead: Sequence[int],
        frame: Sequence[int],
        dtype: DTypeLike,
        move: tuple[int, int] | None = None,
    ) -> None:
        self.files = tuple(files)
        self.table = table
        self.lead = len(lead)
        self.shape = (*map(int, lead), *map(int, frame))
        self.dtype = np.dtype(dtype)
        self.move = move
        self._cache: OrderedDict[tuple[int, int, int], NDArray[Any]] = OrderedDict()
        self._cached = 0
        self._places: OrderedDict[tuple[int, int], Places] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Tiles], tuple[Any, ...]]:
        lead, frame = self.shape[: self.lead], self.shape[self.lead :]
        return Tiles, (self.files, self.table, lead, frame, self.dtype, self.move)

    def __repr__(self) -> str:
        return f"Tiles(shape={self.shape}, dtype={self.dtype}, chunks={self.chunks})"

    @property
    def chunks(self) -> tuple[int, ...]:
        kind = first_kind(self.files, self.table)
        if kind is None:
            return self.shape
        steps = (1, *kind.segment[1:], kind.shaped[4])
        inner = (min(steps[k], kind.shaped[(0, 2, 3, 4)[k]]) for k in _places(kind, self.move))
        return (*(1,) * self.lead, *inner)

    def astype(self, dtype: DTypeLike) -> Tiles:
        """Return the same pixels as another type."""
        lead, frame = self.shape[: self.lead], self.shape[self.lead :]
        return Tiles(self.files, self.table, lead, frame, dtype, self.move)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("The pixels lie in a file: reading them makes a copy.")
        pixels: NDArray[Any] = self[...]
        return pixels.astype(self.dtype if dtype is None else dtype, copy=False)

    def __getitem__(self, key: Any) -> Any:
        items, order = split_key(key, self.shape)
        nothing = nothing_of(items, order, self)
        if nothing is not None:
            return nothing
        touched, left = zip(*itertools.starmap(touched_by, self._axes(items)), strict=True)
        region = self._read_box(touched)
        if not all(isinstance(item, int | slice) for item in items):
            return region[arranged(left, order)]
        pixels, added = region[left], new_axes(items, order)
        return pixels[added] if added else pixels[()]

    def _axes(self, items: Sequence[Any]) -> Iterator[tuple[Any, int, int]]:
        return zip(items, self.shape, range(self.ndim), strict=True)

    def _read_box(self, index: Sequence[NDArray[np.intp]]) -> NDArray[Any]:
        """Read an open mesh of increasing indices."""
        out = np.zeros([len(wanted) for wanted in index], self.dtype)
        if out.size:
            lead = index[: self.lead]
            flat = np.ravel_multi_index(np.ix_(*lead), self.shape[: self.lead]) if lead else 0
            frames = out.reshape(-1, *out.shape[self.lead :])
            for frame, i in zip(frames, np.ravel(flat).tolist(), strict=True):
                which, page = self.table[i].tolist()
                if which >= 0 and page >= 0 and self.files[which] is not None:
                    self._read_frame(frame, which, page, index[self.lead :])
        return out

    def _read_frame(
        self, out: NDArray[Any], which: int, page: int, index: Sequence[NDArray[np.intp]]
    ) -> None:
        """Read an open mesh of one page into `out`."""
        source = self.files[which]
        assert source is not None
        if page >= len(source):
            raise UnreadableFileError(
                f"{source.path} has {len(source)} pages, page {page} was named: it is cut off or "
                "was replaced; get a whole copy."
            )
        kind = source.kind_of(page)
        places = _places(kind, self.move)
        shaped = [kind.shaped[k] for k in (0, 2, 3, 4)]
        if tuple(shaped[k] for k in places) != self.shape[self.lead :]:
            raise UnreadableFileError(
                f"Page {page} of {source.path} is {kind.shape}, expected "
                f"{self.shape[self.lead :]}: it belongs to another image."
            )
        whole = [np.zeros(1, np.intp)] * 4
        for axis, place in enumerate(places):
            whole[place] = index[axis]
        turned = out.transpose(np.argsort(places))
        grown = turned[tuple(slice(None) if k in places else None for k in range(4))]
        self._fill(grown, source, (which, page), kind, whole)

    def _fill(
        self,
        out: NDArray[Any],
        source: Pages,
        place: tuple[int, int],
        kind: PageKind,
        index: Sequence[NDArray[np.intp]],
    ) -> None:
        """Read an open mesh into `out`, axes separate samples, y, x, samples."""
        try:
            segments = self._segments(source, place, kind)
            runs = [cut_runs(index[k], step) for k, step in enumerate((1, *kind.segment[1:]))]
            samples = as_slice(index[3])
            _, _, ny, nx = kind.grid
            jobs = {(s.number * ny + y.number) * nx + x.number: (s, y, x) for s in runs[0]
                    for y in runs[1] for x in runs[2]}  # fmt: skip
            for number, pixels in self._decoded(source, segments, place, kind, list(jobs)):
                s, y, x = jobs[number]
                target = out[s.target, y.target, x.target]
                target[...] = (
                    kind.fill if pixels is None else pixels[0][y.source][:, x.source][..., samples]
                )
        except TIFFFILE_ERRORS as error:
            raise source.damaged(place[1], error) from error

    def _decoded(
        self,
        source: Pages,
        segments: Places,
        place: tuple[int, int],
        kind: PageKind,
        numbers: Sequence[int],
    ) -> Iterator[tuple[int, NDArray[Any] | None]]:
        """Give tiles by number, ``None`` for those that the file leaves out."""
        missing = []
        for number in numbers:
            pixels = self._recall((*place, number))
            if pixels is None:
                missing.append(number)
            else:
                yield number, pixels
        if not missing:
            return
        with open_unchanged(source.path, source.stamp) as file:
            for number, pixels in _decode(file, kind, segments, missing):
                if pixels is not None:
                    self._remember((*place, number), pixels)
                yield number, pixels

    def _segments(self, source: Pages, place: tuple[int, int], kind: PageKind) -> Places:
        """Return where the tiles of a page lie; large pages have a hundred thousand of them."""
        with self._lock:
            if place not in self._places:
                with open_unchanged(source.path, source.stamp) as file:
                    found = source.segments(file, place[1])
                check_segments(kind, *found)
                self._places[place] = found
                if len(self._places) > _CACHE_PAGES:
                    self._places.popitem(last=False)
            return self._places[place]

    def _recall(self, key: tuple[int, int, int]) -> NDArray[Any] | None:
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
            return self._cache.get(key)

    def _remember(self, key: tuple[int, int, int], pixels: NDArray[Any]) -> None:
        with self._lock:
            if key not in self._cache and pixels.nbytes <= _CACHE_BYTES:
                self._cache[key] = pixels
                self._cached += pixels.nbytes
                while self._cached > _CACHE_BYTES:
                    self._cached -= self._cache.popitem(last=False)[1].nbytes


def first_kind(files: Sequence[Pages | None], table: NDArray[np.int64]) -> PageKind | None:
    """Return what the first page is that is there."""
    is_file = np.array([file is not None for file in files])[table[:, 0]]
    there = np.nonzero((table >= 0).all(1) & is_file)[0]
    which, page = table[there[0]].tolist() if there.size else (0, 0)
    source = files[which]
    return source.kind_of(page) if there.size and source and page < len(source) else None


def has_tiles(kind: PageKind, frame: Sequence[int], move: tuple[int, int] | None) -> bool:
    """Whether pages of a kind are large and in pieces, and frames are such pages."""
    _, d, y, x = kind.grid
    if kind.nbytes <= LARGE_PAGE or y * x <= 1 or d > 1 or kind.shaped[1] > 1:
        return False
    shaped = [kind.shaped[k] for k in (0, 2, 3, 4)]
    return tuple(shaped[k] for k in _places(kind, move)) == tuple(frame)


def _places(kind: PageKind, move: tuple[int, int] | None) -> tuple[int, ...]:
    """Return which of separate samples, y, x and samples each axis of a frame is, by number."""
    stored = [k for k in range(4) if k in (1, 2) or (kind.shaped[0], 1, 1, kind.shaped[4])[k] > 1]
    if move:
        stored.insert(move[1] % len(stored), stored.pop(move[0]))
    return tuple(stored)


def _decode(
    file: BinaryIO,
    kind: PageKind,
    segments: Places,
    numbers: Sequence[int],
) -> Iterator[tuple[int, NDArray[Any] | None]]:
    """Read and decode tiles, many of them by several threads, some at a time."""
    from concurrent.futures import ThreadPoolExecutor

    offsets, counts = segments

    def decode(data: bytes | None, number: int) -> NDArray[Any] | None:
        pixels, _, shape = kind.decode(data, number, **kind.tables)
        return None if pixels is None else pixels[tuple(map(slice, shape))]

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(numbers), _BATCH):
            batch = numbers[start : start + _BATCH]
            read = [read_segment(file, kind, int(offsets[i]), int(counts[i])) for i in batch]
            run = map if len(batch) < _FEW else pool.map
            yield from zip(batch, run(decode, read, batch), strict=True)
