"""The pages of one TIFF file: found by walking the chain of directories, read one at a time.

TIFF 6.0 (Adobe, 1992) and BigTIFF. Only the tags that say where pixels lie are looked at; each kind
of page is described once, by tifffile, which also decodes.
"""

from __future__ import annotations

import mmap
import struct
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.pages.decode import read_page
from napari_ferry.codecs.tiff.pages.ifd_chain import Stamp, map_file, open_unchanged, walk
from napari_ferry.codecs.tiff.pages.page_kind import (
    TIFFFILE_ERRORS,
    PageKind,
    page_kind,
    page_segments,
)
from napari_ferry.codecs.tiff.pages.page_table import (
    VALUE_TYPES,
    PageTable,
    index_pages,
    one_piece_starts,
)
from napari_ferry.codecs.tiff.pages.subifds import below
from napari_ferry.errors import UnreadableFileError


class Pages(ABC):
    """Pages of one TIFF file; called with a page's number, it reads its pixels.

    Holds no open file.
    """

    path: Path
    stamp: Stamp

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def kinds(self) -> NDArray[np.int64]:
        """The kind of each page, a number; counted in order of appearance."""

    @abstractmethod
    def kind(self, kind: int) -> PageKind:
        """Return what the pages of one kind have in common."""

    @abstractmethod
    def segments(self, file: BinaryIO, page: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the strips or tiles of a page lie, and how many bytes they have."""

    def __call__(self, page: int) -> NDArray[Any]:
        """Read one page, axes as its kind says.

        Raises
        ------
        UnreadableFileError
            The file changed, or the page is damaged.
        """
        with self.open() as file:
            return self.read(file, page)

    def open(self) -> BinaryIO:
        """Open the file for `read`.

        Raises
        ------
        UnreadableFileError
            The file changed.
        """
        return open_unchanged(self.path, self.stamp)

    def read(self, file: BinaryIO, page: int, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Read one page of the opened file, to where it is wanted as `read_page` has it.

        Raises
        ------
        UnreadableFileError
            The page is damaged.
        """
        try:
            return read_page(file, self.kind_of(page), *self.segments(file, page), out)
        except TIFFFILE_ERRORS as error:
            raise self.damaged(page, error) from error

    def kind_of(self, page: int) -> PageKind:
        """Return the kind of one page."""
        return self.kind(int(self.kinds[page]))

    def damaged(self, page: int, error: Exception) -> UnreadableFileError:
        """Say in one sentence that a page cannot be decoded."""
        return UnreadableFileError(
            f"Page {page} of {self.path} is damaged ({error}): get a whole copy of the "
            "file, or use its other pages."
        )

    def raw_spans(self, pages: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Return where each page's pixels begin, or ``None`` unless all lie in one piece each."""
        kind = self.kind_of(int(pages[0]))
        if kind.raw_dtype is None:
            return None
        try:
            starts = self._starts(pages)
        except ValueError:  # lists of strips lie behind the end; each page says so when it is read
            return None
        if starts is None or (starts <= 0).any():
            return None
        return starts if (starts + kind.nbytes <= self.stamp.nbytes).all() else None

    def _starts(self, pages: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Return where the first strip of each page lies, if the others follow at once."""
        starts = np.empty(len(pages), np.int64)
        with open_unchanged(self.path, self.stamp) as file:
            for i, page in enumerate(pages.tolist()):
                offsets, counts = self.segments(file, page)
                if (offsets[1:] != offsets[:-1] + counts[:-1]).any():
                    return None
                starts[i] = offsets[0]
        return starts


class TiffPages(Pages):
    """All pages of the chain of one TIFF file, or those below them.

    Pickles as its path, and as what the file was when it was opened.

    Parameters
    ----------
    path : Path
        The file.
    below : int, optional
        Which of the pages below each page of the chain is meant, counted from 0.
    stamp : Stamp, optional
        What the file has to be when it is read; what it is now when absent.

    Raises
    ------
    UnreadableFileError
        Not a TIFF file, or its chain of directories is broken at the start or runs in a circle.
    """

    def __init__(self, path: Path, below: int | None = None, stamp: Stamp | None = None) -> None:
        self.path = path
        self.below = below
        self.stamp = stamp or Stamp.of(path)
        self._known: dict[int, PageKind] = {}
        self._lock = threading.Lock()
        self._table: PageTable | None = None

    def __reduce__(self) -> tuple[type[TiffPages], tuple[Path, int | None, Stamp]]:
        return TiffPages, (self.path, self.below, self.stamp)

    def __len__(self) -> int:
        return len(self.table.ifds)

    @property
    def table(self) -> PageTable:
        """Where the pages are; found when first needed."""
        with self._lock:
            if self._table is None:
                with open_unchanged(self.path, self.stamp) as file:
                    order, is_big, walked = walk(self.path, file)
                    if self.below is not None:
                        walked = below(file, walked, order, is_big, self.below)
                    with map_file(file) as data:
                        self._table = _table(walked, order, is_big, data)
            return self._table

    @property
    def kinds(self) -> NDArray[np.int64]:
        return self.table.kinds

    def kind(self, kind: int) -> PageKind:
        if kind not in self._known:
            if kind < 0:
                raise UnreadableFileError(
                    f"{self.path} has smaller versions of some of its pages only: get a whole "
                    "copy of the file, or use its full resolution."
                )
            first = int(np.argmax(self.table.kinds == kind))
            self._known[kind] = page_kind(self.path, int(self.table.ifds[first]))
        return self._known[kind]

    def descriptions(self) -> Iterator[str]:
        """Yield the text of each page, empty where it has none.

        Only the tag itself is read, so that a file of 100,000 pages takes about a second. Texts
        that overlap, which no writer makes, are left out once they are longer than the file.
        """
        field, room = ("Q", 8) if self.table.is_big else ("I", 4)
        last, text, left = (-1, -1), "", self.stamp.nbytes
        with open_unchanged(self.path, self.stamp) as file, map_file(file) as data:
            for _, count, value in self.table.where[:, 2].tolist():
                if (count, value) != last:
                    raw = struct.pack(self.table.order + field, value % (1 << 8 * room))
                    if count > room:
                        left -= count
                        raw = data[value : value + count] if left >= 0 else b""
                    text = raw[:count].rstrip(b"\0").decode("utf-8", "replace")
                    last = count, value
                yield text

    def segments(self, file: BinaryIO, page: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        if not self.table.where[page, :2, 1].all():
            return page_segments(self.path, int(self.table.ifds[page]))
        offsets, counts = (self._values(file, *self.table.where[page, k].tolist()) for k in (0, 1))
        return offsets, counts

    def _starts(self, pages: NDArray[np.int64]) -> NDArray[np.int64] | None:
        counts, firsts = self.table.where[pages, 0, 1:].T
        if (counts == 1).all():
            return np.asarray(firsts)
        with open_unchanged(self.path, self.stamp) as file, map_file(file) as data:
            return one_piece_starts(data, self.table, pages)

    def _values(self, file: BinaryIO, kind: int, count: int, value: int) -> NDArray[np.int64]:
        """Read the values of a tag: in place when there is one, else where it points."""
        if count == 1:
            return np.array([value], np.int64)
        dtype = np.dtype(self.table.order + VALUE_TYPES[kind])
        inline = count * dtype.itemsize <= (8 if self.table.is_big else 4)
        if inline:
            raw = struct.pack(self.table.order + ("Q" if self.table.is_big else "I"), value)
        else:
            if count * dtype.itemsize > self.stamp.nbytes:
                raise ValueError(f"{count} strips in a file of {self.stamp.nbytes} bytes")
            file.seek(value)
            raw = file.read(count * dtype.itemsize)
        return np.frombuffer(raw, dtype, count).astype(np.int64)


def _table(walked: list[tuple[int, bytes]], order: str, is_big: bool, data: mmap.mmap) -> PageTable:
    """Index pages; those that are not there are of the kind -1."""
    ifds = np.array([ifd for ifd, _ in walked], np.int64)
    there = np.nonzero(ifds)[0]
    kinds = np.full(len(ifds), -1, np.int64)
    where = np.zeros((len(ifds), 3, 3), np.int64)
    if there.size:
        kinds[there], where[there] = index_pages([walked[i] for i in there], order, is_big, data)
    return PageTable(order, is_big, ifds, kinds, where)
