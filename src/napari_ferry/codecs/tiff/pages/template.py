"""Files with the same layout as another file, whose pixels are read from the same offsets.

TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import math
import operator
import os
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array
from napari_ferry.arrays.blocks import as_bytes, c_strides
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.codecs.tiff.pages.damage import DamageError
from napari_ferry.codecs.tiff.pages.page_kind import Segments
from napari_ferry.codecs.tiff.pages.page_table import (
    LAYOUT_TAGS,
    SEGMENT_TAGS,
    TYPE_SIZES,
    VALUE_TYPES,
)

_MAX_COMPARED = 1 << 20
"""Bytes apart from the pixels above which files are not compared byte by byte."""

_LAYOUT = -1
_ROLES = dict.fromkeys(LAYOUT_TAGS, _LAYOUT)
_ROLES |= {tag: k for k, tags in enumerate(SEGMENT_TAGS) for tag in tags}
"""Role of each tag that is read: `_LAYOUT`, or the index of an array of `Segments`."""

_FIRST_READ = 4096
_MAX_ENTRIES = 1024


@dataclass(frozen=True, kw_only=True)
class Template:
    """All bytes of an uncompressed file except its pixels.

    Parameters
    ----------
    nbytes : int
        Size of the file.
    head, tail : bytes
        Bytes before and after the pixels.
    starts : tuple of int
        Offset of each frame, in bytes.
    """

    nbytes: int
    head: bytes
    tail: bytes
    starts: tuple[int, ...]

    @classmethod
    def of(cls, path: Path, array: Array, lead: int) -> Template | None:
        """Make the template of a file, or None if its pixels are not one block.

        Parameters
        ----------
        path : Path
            The file.
        array : array
            Its pixels, as it was opened.
        lead : int
            Number of axes before those of a frame.
        """
        if not isinstance(array, FileArray):
            return None
        frame = array.shape[lead:]
        if array.strides[lead:] != c_strides(frame, array.dtype.itemsize):
            return None

        # the frames may have any order, but must fill one block without gaps
        index = np.indices(array.shape[:lead]).reshape(lead, array.size // math.prod(frame)).T
        starts = array.start + index @ np.array(array.strides[:lead], np.int64)
        begin, pixels = int(starts.min()), array.nbytes
        if int(starts.max()) + pixels // len(starts) != begin + pixels:
            return None

        nbytes = path.stat().st_size
        if nbytes - pixels > _MAX_COMPARED:
            return None
        with path.open("rb") as file:
            head = file.read(begin)
            file.seek(begin + pixels)
            tail = file.read()
        return cls(nbytes=nbytes, head=head, tail=tail, starts=tuple(starts.tolist()))

    def read_all_into(self, file: BinaryIO, out: NDArray[Any]) -> bool:
        """Read all frames of a file of the same size in one call, with the bytes that must match.

        Parameters
        ----------
        file : binary file
            Open for reading.
        out : array, axes frame, and those of a frame
            Target for the frames, in C order.

        Returns
        -------
        bool
            False if the frames must be read otherwise; the target is undefined then.
        """
        if not self._are_in_order or out.nbytes + self._other_bytes != self.nbytes:
            return False
        head, tail = bytearray(len(self.head)), bytearray(len(self.tail))
        count = os.preadv(file.fileno(), [head, as_bytes(out), tail], 0)
        return count == self.nbytes and head == self.head and tail == self.tail

    @cached_property
    def _are_in_order(self) -> bool:
        """True if the frames are stored in order, and the system reads into several buffers."""
        return hasattr(os, "preadv") and all(map(operator.lt, self.starts, self.starts[1:]))

    @property
    def _other_bytes(self) -> int:
        """Number of bytes that are not pixels."""
        return len(self.head) + len(self.tail)

    def fits(self, file: BinaryIO) -> bool:
        """Return True if a file of the same size differs only in its pixels."""
        if file.read(len(self.head)) != self.head:
            return False
        if self.tail:
            file.seek(self.nbytes - len(self.tail))
        return not self.tail or file.read(len(self.tail)) == self.tail

    def read_into(self, file: BinaryIO, first: int, out: NDArray[Any]) -> None:
        """Read consecutive frames of a fitting file.

        Parameters
        ----------
        file : binary file
            Open for reading.
        first : int
            Number of the first frame.
        out : array, axes frame, and those of a frame
            Target, in C order.

        Raises
        ------
        ValueError
            The file has become shorter in the meantime.
        """
        frame_bytes = out.nbytes // len(out)
        starts = self.starts[first : first + len(out)]
        if starts == tuple(range(starts[0], starts[0] + out.nbytes, frame_bytes)):
            read_into(file, starts[0], out)
        else:
            for start, frame in zip(starts, out, strict=True):
                read_into(file, start, frame)


def read_into(file: BinaryIO, start: int, out: NDArray[Any]) -> None:
    """Fill an array in C order with the bytes from an offset of a file.

    Raises
    ------
    DamageError
        The file ends too early.
    """
    file.seek(start)
    n = file.readinto(out.data)  # type: ignore[attr-defined]
    rest = as_bytes(out)[n:] if n < out.nbytes else b""
    while rest:  # the system may return fewer bytes than requested
        n = file.readinto(rest)  # type: ignore[attr-defined]
        if not n:
            raise DamageError("it ends before its last pixel")
        rest = rest[n:]


class Directory(NamedTuple):
    """The only page of a file.

    Parameters
    ----------
    ifd : int
        Offset of its directory, in bytes.
    layout : tuple
        Entries for the storage of the pixels; equal for pages of one kind.
    segments : Segments
        Its strips or tiles.
    """

    ifd: int
    layout: tuple[Any, ...]
    segments: Segments


def read_directory(file: BinaryIO) -> Directory | None:
    """Read the directory of a file with one page, or None for any other file.

    Only the entries for the layout and location of the pixels are read, which takes a tenth of the
    time that tifffile needs.
    """
    file.seek(0)
    source = _Source(file, file.read(_FIRST_READ))
    order = _ORDERS.get(source.first[:4])
    if order is None or len(source.first) < 16:
        return None
    is_big = source.first[2:4] in (b"+\0", b"\0+")
    form = _BIG if is_big else _CLASSIC
    (ifd,) = struct.unpack_from(order + form.link, source.first, form.start)

    layout: list[Any] = [order, is_big]
    segments = [np.empty(0, np.int64)] * len(SEGMENT_TAGS)
    for tag, kind, count, field in struct.iter_unpack(
        order + form.entry, _only_entries(source, ifd, order, form)
    ):
        role = _ROLES.get(tag)
        if role is None:
            continue
        values = source.values(order + form.link, kind, count, field)
        if role == _LAYOUT:
            layout.append((tag, kind, count, values))
            continue

        # files of one layout may have their pixels at other offsets
        layout.append((tag, count))
        dtype = VALUE_TYPES.get(kind, "u4")
        if len(values) == count * np.dtype(dtype).itemsize:
            segments[role] = np.frombuffer(values, order + dtype).astype(np.int64)

    if not segments[0].size or segments[0].shape != segments[1].shape:
        return None
    return Directory(ifd, tuple(layout), Segments(*segments))


_ORDERS = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}


@dataclass(frozen=True, kw_only=True)
class _Form:
    """Binary form of directories, as formats of `struct` without byte order.

    Parameters
    ----------
    head, entry, link : str
        The number of entries, an entry, and the offset of the next directory.
    start : int
        Position of the offset of the first directory in the file.
    """

    head: str
    entry: str
    link: str
    start: int


_CLASSIC = _Form(head="H", entry="HHI4s", link="I", start=4)
_BIG = _Form(head="Q", entry="HHQ8s", link="Q", start=8)


class _Source(NamedTuple):
    """A file and its first bytes, read only once."""

    file: BinaryIO
    first: bytes

    def read(self, offset: int, nbytes: int) -> bytes:
        """Read bytes of the file, fewer at its end."""
        if offset + nbytes <= len(self.first):
            return self.first[offset : offset + nbytes]
        self.file.seek(offset)
        return self.file.read(nbytes)

    def values(self, link: str, kind: int, count: int, field: bytes) -> bytes:
        """Return the bytes of the values of an entry, from its field or from the offset in it.

        Parameters
        ----------
        link : str
            Format of an offset.
        kind, count : int
            Type and number of the values.
        field : bytes
            The field.
        """
        nbytes = count * TYPE_SIZES.get(kind, 1)
        if nbytes <= len(field):
            return field[:nbytes]
        (offset,) = struct.unpack(link, field)
        return self.read(offset, nbytes) if nbytes < _MAX_COMPARED else b""


def _only_entries(source: _Source, ifd: int, order: str, form: _Form) -> bytes:
    """Read the entries of the last directory of a chain, empty if another one follows."""
    head, entry, link = (
        struct.calcsize(order + part) for part in (form.head, form.entry, form.link)
    )
    raw = source.read(ifd, head)
    n = struct.unpack(order + form.head, raw)[0] if len(raw) == head else 0
    if not 0 < n < _MAX_ENTRIES:
        return b""
    raw = source.read(ifd + head, n * entry + link)
    is_last = len(raw) == n * entry + link and not any(raw[n * entry :])
    return raw[: n * entry] if is_last else b""
