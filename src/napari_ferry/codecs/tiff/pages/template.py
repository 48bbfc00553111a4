"""What a file has to be for its pixels to be read where those of another file lie.

TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array
from napari_ferry.arrays.blocks import as_bytes, c_strides
from napari_ferry.arrays.memmap import position
from napari_ferry.codecs.tiff.pages.page_table import (
    LAYOUT_TAGS,
    SEGMENT_TAGS,
    TYPE_SIZES,
    VALUE_TYPES,
)

_MOST_COMPARED = 1 << 20
"""Bytes beside the pixels above which files are not compared byte by byte."""

_LAYOUT = -1
_ROLES = dict.fromkeys(LAYOUT_TAGS, _LAYOUT)
_ROLES |= {tag: k for k, tags in enumerate(SEGMENT_TAGS) for tag in tags}
"""What the tags that are looked at are for: the layout, or the place of the pixels."""

_FIRST_READ = 4096
_MOST_ENTRIES = 1024


@dataclass(frozen=True)
class Template:
    """All bytes of a file but its pixels, which lie in it as they are.

    Parameters
    ----------
    nbytes : int
        Size of the file.
    head, tail : bytes
        What stands before the pixels, and behind them.
    starts : tuple of int
        Where each frame begins.
    """

    nbytes: int
    head: bytes
    tail: bytes
    starts: tuple[int, ...]

    @classmethod
    def of(cls, path: Path, array: Array, lead: int) -> Template | None:
        """Return the template of a file that was mapped; ``None`` where it has none.

        Parameters
        ----------
        path : Path
            The file.
        array : array
            Its pixels, as it was opened.
        lead : int
            Number of axes before those of a frame.
        """
        if not isinstance(array, np.ndarray):
            return None
        start = position(array)
        if start is None:
            return None
        frame = array.shape[lead:]
        if array.strides[lead:] != c_strides(frame, array.itemsize):
            return None
        places = np.indices(array.shape[:lead]).reshape(lead, array.size // math.prod(frame)).T
        starts = start + places @ np.array(array.strides[:lead], np.int64)
        begin, pixels = int(starts.min()), array.nbytes
        nbytes = path.stat().st_size
        if int(starts.max()) + pixels // len(starts) != begin + pixels:
            return None
        if nbytes - pixels > _MOST_COMPARED:
            return None
        with path.open("rb") as file:
            head = file.read(begin)
            file.seek(begin + pixels)
            return cls(nbytes, head, file.read(), tuple(starts.tolist()))

    def fits(self, file: BinaryIO) -> bool:
        """Whether a file of the same size is the same but for its pixels."""
        if file.read(len(self.head)) != self.head:
            return False
        if self.tail:
            file.seek(self.nbytes - len(self.tail))
        return not self.tail or file.read(len(self.tail)) == self.tail

    def read_into(self, file: BinaryIO, first: int, out: NDArray[Any]) -> None:
        """Read frames of a file that fits, into an array in C order; its first axis counts them.

        Raises
        ------
        ValueError
            The file has just become shorter.
        """
        frame_bytes = out.nbytes // len(out)
        starts = self.starts[first : first + len(out)]
        if starts == tuple(range(starts[0], starts[0] + out.nbytes, frame_bytes)):
            read_into(file, starts[0], out)
        else:
            for start, place in zip(starts, out, strict=True):
                read_into(file, start, place)


def read_into(file: BinaryIO, start: int, out: NDArray[Any]) -> None:
    """Fill an array in C order with the bytes that begin at `start` in a file.

    Raises
    ------
    ValueError
        The file ends before.
    """
    file.seek(start)
    n = file.readinto(out.data)  # type: ignore[attr-defined]
    rest = as_bytes(out)[n:] if n < out.nbytes else b""
    while rest:  # the system may give less than was asked for
        n = file.readinto(rest)  # type: ignore[attr-defined]
        if not n:
            raise ValueError("it ends before its last pixel")
        rest = rest[n:]


class Directory(NamedTuple):
    """The only page of a file.

    Parameters
    ----------
    ifd : int
        Where its directory begins.
    layout : tuple
        What says how its pixels are stored; equal for pages of one kind.
    offsets, counts : array of int64, axis segment
        Where its strips or tiles begin, and their bytes.
    """

    ifd: int
    layout: tuple[Any, ...]
    offsets: NDArray[np.int64]
    counts: NDArray[np.int64]


def read_directory(file: BinaryIO) -> Directory | None:
    """Read the directory of a file that has one page; ``None`` for any other file.

    Unlike tifffile this looks at nothing but where pixels are and how, which takes a tenth of the
    time.
    """
    file.seek(0)
    source = _Source(file, file.read(_FIRST_READ))
    order = _ORDERS.get(source.first[:4])
    if order is None or len(source.first) < 16:
        return None
    is_big = source.first[2:4] in (b"+\0", b"\0+")
    form = _Form(order, "Q", "HHQ8s", "Q", 8) if is_big else _Form(order, "H", "HHI4s", "I", 4)
    (ifd,) = struct.unpack_from(order + form.link, source.first, form.start)
    entries = _only_entries(source, ifd, form)
    layout: list[Any] = [order, is_big]
    segments = [np.empty(0, np.int64)] * 2
    for tag, kind, count, field in struct.iter_unpack(order + form.entry, entries):
        role = _ROLES.get(tag)
        if role is None:
            continue
        values = source.values(form, kind, count, field)
        if role == _LAYOUT:
            layout.append((tag, kind, count, values))
            continue
        layout.append((tag, count))
        dtype = VALUE_TYPES.get(kind, "u4")
        if len(values) == count * np.dtype(dtype).itemsize:
            segments[role] = np.frombuffer(values, order + dtype).astype(np.int64)
    if not segments[0].size or segments[0].shape != segments[1].shape:
        return None
    return Directory(ifd, tuple(layout), *segments)


_ORDERS = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}


class _Form(NamedTuple):
    """How directories are written, TIFF or BigTIFF: formats of `struct`."""

    order: str
    head: str
    entry: str
    link: str
    start: int


class _Source(NamedTuple):
    """A file, the beginning of which was read."""

    file: BinaryIO
    first: bytes

    def read(self, place: int, nbytes: int) -> bytes:
        """Return bytes of the file, fewer at its end."""
        if place + nbytes <= len(self.first):
            return self.first[place : place + nbytes]
        self.file.seek(place)
        return self.file.read(nbytes)

    def values(self, form: _Form, kind: int, count: int, field: bytes) -> bytes:
        """Return the bytes of a tag's values, which its field holds or points to."""
        nbytes = count * TYPE_SIZES.get(kind, 1)
        if nbytes <= len(field):
            return field[:nbytes]
        (place,) = struct.unpack(form.order + form.link, field)
        return self.read(place, nbytes) if nbytes < _MOST_COMPARED else b""


def _only_entries(source: _Source, ifd: int, form: _Form) -> bytes:
    """Return the entries of a directory that no other follows; empty for any other."""
    head, entry, link = (
        struct.calcsize(form.order + part) for part in (form.head, form.entry, form.link)
    )
    raw = source.read(ifd, head)
    n = struct.unpack(form.order + form.head, raw)[0] if len(raw) == head else 0
    if not 0 < n < _MOST_ENTRIES:
        return b""
    raw = source.read(ifd + head, n * entry + link)
    is_last = len(raw) == n * entry + link and not any(raw[n * entry :])
    return raw[: n * entry] if is_last else b""
