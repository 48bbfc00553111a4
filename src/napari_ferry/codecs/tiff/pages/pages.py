"""Pages of one TIFF file, found through its chain of directories and read one at a time.

TIFF 6.0 (Adobe, 1992) and BigTIFF. Only the tags with the location of the pixels are read for
each page; each kind of page is described once, by tifffile, which also decodes.
"""

from __future__ import annotations

import os
import struct
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.file_window import FileWindow
from napari_ferry.arrays.stamp import Stamp, changed, open_unchanged
from napari_ferry.codecs.tiff.pages.damage import DamageError, reason_of
from napari_ferry.codecs.tiff.pages.decode import read_page
from napari_ferry.codecs.tiff.pages.ifd_chain import read_ifd_chain, warn_lost
from napari_ferry.codecs.tiff.pages.lost_directories import restore_directories
from napari_ferry.codecs.tiff.pages.page_kind import (
    TIFFFILE_ERRORS,
    PageKind,
    Segments,
    read_page_kind,
    read_page_segments,
)
from napari_ferry.codecs.tiff.pages.page_table import (
    COUNTS,
    DESCRIPTION,
    MISSING,
    OFFSETS,
    VALUE_TYPES,
    PageTable,
    contiguous_starts,
    index_pages,
)
from napari_ferry.codecs.tiff.pages.subifds import read_subifds
from napari_ferry.errors import UnreadableFileError


class Pages(ABC):
    """Pages of one TIFF file; a call with the number of a page reads its pixels.

    It does not keep the file open.
    """

    path: Path
    stamp: Stamp

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def kinds(self) -> NDArray[np.int64]:
        """Number of the kind of each page, counted in order of appearance."""

    @abstractmethod
    def kind(self, number: int) -> PageKind:
        """Return the kind with a number."""

    @abstractmethod
    def segments(self, file: BinaryIO, page: int) -> Segments:
        """Return the strips or tiles of a page."""

    def __call__(self, page: int) -> NDArray[Any]:
        """Read one page, with the axes and dtype of its kind.

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
        """Read one page of the opened file, into `out` if given; see `read_page`.

        Raises
        ------
        UnreadableFileError
            The page is damaged.
        """
        try:
            return read_page(file, self.kind_of(page), self.segments(file, page), out)
        except TIFFFILE_ERRORS as error:
            raise self.damaged(page, error) from error

    def kind_of(self, page: int) -> PageKind:
        """Return the kind of one page."""
        return self.kind(int(self.kinds[page]))

    def damaged(self, page: int, error: Exception) -> UnreadableFileError:
        """Return the error for an undecodable page."""
        reason = reason_of(error, "its pixels cannot be decoded")
        return UnreadableFileError(
            f"Page {page} of {self.path.name} is damaged{reason}: get a complete copy of the "
            f"file{', or use its other pages' if len(self) > 1 else ''}."
        )

    def absent(self, page: int) -> UnreadableFileError:
        """Return the error for a number beyond the last page."""
        return UnreadableFileError(
            f"{self.path.name} has {len(self)} pages, but page {page} was requested: the file is "
            "cut off or was replaced; get a complete copy of the file."
        )

    def mismatched(
        self, page: int, shape: tuple[int, ...], expected: tuple[int, ...]
    ) -> UnreadableFileError:
        """Return the error for a page of another shape than its image."""
        return UnreadableFileError(
            f"Page {page} of {self.path.name} has the shape {shape}, expected {expected}: it "
            "belongs to another image; get a complete copy of the file, or use its other pages."
        )

    def pixel_offsets(self, pages: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Return the offset of the pixels of each page, in bytes.

        None unless the pixels of every page are stored uncompressed in one block.

        Parameters
        ----------
        pages : array of int64, axis page
            Numbers of pages of one kind.
        """
        kind = self.kind_of(int(pages[0]))
        if kind.raw_dtype is None:
            return None
        try:
            starts = self._contiguous_starts(pages)
        except ValueError:  # lists of strips beyond the end, reported when such a page is read
            return None
        if starts is None or (starts <= 0).any():
            return None
        return starts if (starts + kind.nbytes <= self.stamp.nbytes).all() else None

    def _contiguous_starts(self, pages: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Return the offset of the first strip of each page, or None for pages with gaps."""
        starts = np.empty(len(pages), np.int64)
        with open_unchanged(self.path, self.stamp) as file:
            for i, page in enumerate(pages.tolist()):
                offsets, counts = self.segments(file, page)
                if (offsets[1:] != offsets[:-1] + counts[:-1]).any():
                    return None
                starts[i] = offsets[0]
        return starts


class TiffPages(Pages):
    """All pages in the chain of one TIFF file, or the pages below them.

    It is pickled as its path and its stamp.

    Parameters
    ----------
    path : Path
        The file.
    subifd : int, optional
        Index among the pages below each page of the chain; by default, the pages of the chain.
    stamp : Stamp, optional
        The stamp required when the file is read; by default, its current stamp.

    Raises
    ------
    UnreadableFileError
        Not a TIFF file, or its chain of directories is broken at the start or circular.
    """

    def __init__(self, path: Path, subifd: int | None = None, stamp: Stamp | None = None) -> None:
        self.path = path
        self.subifd = subifd
        self.stamp = stamp or Stamp.of(path)
        self._known: dict[int, PageKind] = {}
        self._lock = threading.Lock()
        self._table: PageTable | None = None

    def __reduce__(self) -> tuple[type[TiffPages], tuple[Path, int | None, Stamp]]:
        return TiffPages, (self.path, self.subifd, self.stamp)

    def __len__(self) -> int:
        return len(self.table.ifds)

    @property
    def is_indexed(self) -> bool:
        """Return True if the locations of the pages have been read."""
        return self._table is not None

    @property
    def table(self) -> PageTable:
        """Locations of the pages, read on first use."""
        with self._lock:
            if self._table is None:
                with open_unchanged(self.path, self.stamp) as file:
                    data = FileWindow(file)
                    chain = restore_directories(read_ifd_chain(self.path, file), data)
                    if chain.lost:
                        warn_lost(self.path, len(chain.entries))
                    if self.subifd is not None:
                        chain = read_subifds(file, chain, self.subifd)
                    table = index_pages(chain, data)
                    if not self.stamp.matches(os.fstat(file.fileno())):
                        raise changed(self.path)
                    self._table = table
            return self._table

    @property
    def kinds(self) -> NDArray[np.int64]:
        """Number of the kind of each page."""
        return self.table.kinds

    def kind(self, number: int) -> PageKind:
        """Return the kind with a number, read from its first page."""
        if number not in self._known:
            if number == MISSING:
                raise UnreadableFileError(
                    f"{self.path.name} has smaller versions of only some of its pages: get a "
                    "complete copy of the file, or use its full resolution."
                )
            first = int(np.argmax(self.table.kinds == number))
            self._known[number] = read_page_kind(self.path, int(self.table.ifds[first]))
        return self._known[number]

    def descriptions(self) -> Iterator[str]:
        """Yield the description of each page, empty if it has none.

        Only this tag is read, so a file of 100,000 pages takes about a second. No writer makes
        descriptions that overlap; they are left out once their sum is longer than the file.
        """
        field, room = ("Q", 8) if self.table.is_big else ("I", 4)
        last, text, left = (-1, -1), "", self.stamp.nbytes
        with open_unchanged(self.path, self.stamp) as file:
            data = FileWindow(file)
            for _, count, value in self.table.entries[:, DESCRIPTION].tolist():
                if (count, value) != last:
                    # the text is stored in the field itself if it fits
                    raw = struct.pack(self.table.order + field, value % (1 << 8 * room))
                    if count > room:
                        left -= count
                        raw = data.read(value, count) if left >= 0 else b""
                    text = raw[:count].rstrip(b"\0").decode("utf-8", "replace")
                    last = count, value
                yield text

    def segments(self, file: BinaryIO, page: int) -> Segments:
        """Return the offsets and sizes of the strips or tiles of a page."""
        entries = [self.table.entries[page, tag].tolist() for tag in (OFFSETS, COUNTS)]
        if not all(count for _, count, _ in entries):
            return read_page_segments(self.path, int(self.table.ifds[page]))
        return Segments(*(self._values(file, *entry) for entry in entries))

    def _contiguous_starts(self, pages: NDArray[np.int64]) -> NDArray[np.int64] | None:
        _, counts, firsts = self.table.entries[pages, OFFSETS].T
        if (counts == 1).all():
            return np.asarray(firsts)
        with open_unchanged(self.path, self.stamp) as file:
            return contiguous_starts(FileWindow(file), self.table, pages)

    def _values(self, file: BinaryIO, kind: int, count: int, value: int) -> NDArray[np.int64]:
        """Read the values of an entry, from its field or from the offset in its field."""
        if count == 1:
            return np.array([value], np.int64)
        dtype = np.dtype(self.table.order + VALUE_TYPES[kind])
        is_inline = count * dtype.itemsize <= (8 if self.table.is_big else 4)
        if is_inline:
            raw = struct.pack(self.table.order + ("Q" if self.table.is_big else "I"), value)
        else:
            if count * dtype.itemsize > self.stamp.nbytes:
                raise DamageError(f"{count} strips in a file of {self.stamp.nbytes} bytes")
            file.seek(value)
            raw = file.read(count * dtype.itemsize)
        return np.frombuffer(raw, dtype, count).astype(np.int64)
