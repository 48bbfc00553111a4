"""The pages of one TIFF file: found by walking the chain of directories, read one at a time.

TIFF 6.0 (Adobe, 1992) and BigTIFF. Only the tags that say where pixels lie are looked at; each kind
of page is described once, by tifffile, which also decodes.
"""

from __future__ import annotations

import math
import mmap
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.blocks import as_bytes
from napari_ferry.errors import UnreadableFileError
from napari_ferry.tiff.walk import VALUE_TYPES, PageTable, Stamp, index_pages, open_unchanged, walk

TIFFFILE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)
"""What tifffile and imagecodecs raise on damaged files."""

COLOUR = (2, 5, 6, 8, 9, 10)
_MOST_GROWTH = 1 << 24
"""A page of more bytes than this, for each byte of the file, is a bomb; sparse ones have less."""


@dataclass(frozen=True)
class PageKind:
    """What pages of one kind have in common.

    Parameters
    ----------
    shape, axes, dtype
        Of one page, as it is stored; axes as lower-case letters.
    shaped : tuple of int
        tifffile's five dimensions: separate samples, depth, length, width, samples.
    is_colour : bool
        Whether its samples are those of a colour, not channels.
    raw_dtype : data type or None
        How the pixels lie in the file when they lie there as they are, in one piece.
    decode : callable
        tifffile's decoder of one strip or tile.
    tables : dict
        What JPEG decoders need besides.
    """

    shape: tuple[int, ...]
    axes: str
    dtype: np.dtype[Any]
    shaped: tuple[int, ...]
    is_colour: bool
    raw_dtype: np.dtype[Any] | None
    decode: Callable[..., Any]
    tables: dict[str, bytes | None]

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels of one page."""
        return math.prod(self.shape) * self.dtype.itemsize


class TiffPages:
    """All pages of one TIFF file; called with a page's number, it reads its pixels.

    Holds no open file. Pickles as its path.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    UnreadableFileError
        Not a TIFF file, or its chain of directories is broken at the start or runs in a circle.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stamp = Stamp.of(path)
        self._known: dict[int, PageKind] = {}
        self._lock = threading.Lock()
        self._table: PageTable | None = None

    def __reduce__(self) -> tuple[type[TiffPages], tuple[Path]]:
        return TiffPages, (self.path,)

    def __len__(self) -> int:
        return len(self.table.ifds)

    @property
    def table(self) -> PageTable:
        """Where the pages are; found when first needed."""
        with self._lock:
            if self._table is None:
                with open_unchanged(self.path, self.stamp) as file:
                    order, is_big, walked = walk(self.path, file)
                kinds, where = index_pages(walked, order, is_big)
                ifds = np.array([ifd for ifd, _ in walked], np.int64)
                self._table = PageTable(order, is_big, ifds, kinds, where)
            return self._table

    @property
    def kinds(self) -> NDArray[np.int64]:
        """The kind of each page, a number; counted in order of appearance."""
        return self.table.kinds

    def __call__(self, page: int) -> NDArray[Any]:
        """Read one page, axes as its kind says.

        Raises
        ------
        UnreadableFileError
            The file changed, or the page is damaged.
        """
        kind = self.kind(int(self.table.kinds[page]))
        with open_unchanged(self.path, self.stamp) as file:
            try:
                return _read_page(file, kind, *self.segments(file, page))
            except TIFFFILE_ERRORS as error:
                raise UnreadableFileError(
                    f"Page {page} of {self.path} is damaged ({error}): get a whole copy of the "
                    "file, or use its other pages."
                ) from error

    def kind(self, kind: int) -> PageKind:
        """Return what the pages of one kind have in common."""
        if kind not in self._known:
            first = int(np.argmax(self.table.kinds == kind))
            self._known[kind] = _page_kind(self.path, int(self.table.ifds[first]))
        return self._known[kind]

    def description(self, page: int) -> str:
        """Return the text that a page carries, empty when it has none."""
        import tifffile

        try:
            with tifffile.TiffFile(self.path) as tif:
                tif.filehandle.seek(int(self.table.ifds[page]))
                return str(tifffile.TiffPage(tif, index=0).description)
        except TIFFFILE_ERRORS as error:
            raise UnreadableFileError(
                f"Page {page} of {self.path} is damaged ({error}): get a whole copy of the file."
            ) from error

    def segments(
        self, file: BinaryIO | mmap.mmap, page: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the strips or tiles of a page lie, and how many bytes they have."""
        offsets, counts = (self._values(file, *self.table.where[page, k].tolist()) for k in (0, 1))
        return offsets, counts

    def raw_spans(self, pages: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Return where each page's pixels begin, or ``None`` unless all lie in one piece each."""
        kind = self.kind(int(self.kinds[pages[0]]))
        if kind.raw_dtype is None:
            return None
        single = (self.table.where[pages, 0, 1] == 1).all()
        if single:
            starts = self.table.where[pages, 0, 2]
            return starts if (starts + kind.nbytes <= self.stamp.nbytes).all() else None
        starts = np.empty(len(pages), np.int64)
        with open_unchanged(self.path, self.stamp) as file:
            for i, page in enumerate(pages):
                offsets, counts = self.segments(file, int(page))
                if (offsets[1:] != offsets[:-1] + counts[:-1]).any():
                    return None
                starts[i] = offsets[0]
        return starts if (starts + kind.nbytes <= self.stamp.nbytes).all() else None

    def _values(
        self, file: BinaryIO | mmap.mmap, kind: int, count: int, value: int
    ) -> NDArray[np.int64]:
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


def _page_kind(path: Path, ifd: int) -> PageKind:
    """Let tifffile describe the page at an offset."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as tif:
            tif.filehandle.seek(ifd)
            page = tifffile.TiffPage(tif, index=0)
            if page.dtype is None or 0 in page.shape or not page.shape:
                raise ValueError(f"shape {page.shape}, type {page.dtype}")
            if page.nbytes > _MOST_GROWTH * tif.filehandle.size:
                raise ValueError(f"pages of {page.nbytes} bytes in {tif.filehandle.size}")
            raw = page.is_final and page.bitspersample % 8 == 0
            return PageKind(
                tuple(int(n) for n in page.shape),
                page.axes.lower(),
                np.dtype(page.dtype).newbyteorder("="),
                tuple(page.shaped),
                page.photometric in COLOUR,
                np.dtype(page.dtype).newbyteorder(tif.byteorder) if raw else None,
                page.decode,
                {"jpegtables": page.jpegtables, "jpegheader": page.jpegheader},
            )
    except TIFFFILE_ERRORS as error:
        raise UnreadableFileError(
            f"{path} is damaged or of a kind that is not known ({error}): get a whole copy, or "
            "save it as plain TIFF with the program that wrote it."
        ) from error


def _read_page(
    file: BinaryIO, kind: PageKind, offsets: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[Any]:
    """Read and decode the strips or tiles of one page."""
    if kind.raw_dtype is not None and (offsets[1:] == offsets[:-1] + counts[:-1]).all():
        pixels = np.empty(kind.shape, kind.raw_dtype)
        file.seek(int(offsets[0]))
        if file.readinto(as_bytes(pixels)) != pixels.nbytes:  # type: ignore[attr-defined]
            raise ValueError("it ends before its last pixel")
        return pixels.astype(kind.dtype, copy=False)
    out = np.zeros(kind.shaped, kind.dtype)
    for i, (offset, count) in enumerate(zip(offsets.tolist(), counts.tolist(), strict=True)):
        file.seek(offset)
        data = file.read(count) if count else None
        if data is not None and len(data) < count:
            raise ValueError("it ends before its last pixel")
        segment, (s, d, y, x, _), shape = kind.decode(data, i, **kind.tables)
        if segment is not None:
            place = out[s, d : d + shape[0], y : y + shape[1], x : x + shape[2]]
            place[...] = segment[tuple(slice(n) for n in place.shape)]
    return out.reshape(kind.shape)
