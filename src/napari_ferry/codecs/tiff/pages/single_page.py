"""Directories of files with one page, for a comparison of the layouts of many files.

TIFF 6.0 (Adobe, 1992), section 2, and BigTIFF.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from napari_ferry.codecs.tiff.pages.directory import MAX_ENTRIES
from napari_ferry.codecs.tiff.pages.page_kind import Segments
from napari_ferry.codecs.tiff.pages.page_table import (
    LAYOUT_TAGS,
    SEGMENT_TAGS,
    TYPE_SIZES,
    VALUE_TYPES,
)

_MAX_VALUES = 1 << 20
"""Maximum number of bytes of the values of an entry to compare."""

_LAYOUT = -1
_ROLES = dict.fromkeys(LAYOUT_TAGS, _LAYOUT)
_ROLES |= {tag: k for k, tags in enumerate(SEGMENT_TAGS) for tag in tags}
"""Role of each tag that is read: `_LAYOUT`, or the index of an array of `Segments`."""

_FIRST_READ = 4096


class SinglePage(NamedTuple):
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


def read_single_page(file: BinaryIO) -> SinglePage | None:
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
    return SinglePage(ifd, tuple(layout), Segments(*segments))


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
        return self.read(offset, nbytes) if nbytes < _MAX_VALUES else b""


def _only_entries(source: _Source, ifd: int, order: str, form: _Form) -> bytes:
    """Read the entries of the last directory of a chain, empty if another one follows."""
    head, entry, link = (
        struct.calcsize(order + part) for part in (form.head, form.entry, form.link)
    )
    raw = source.read(ifd, head)
    n = struct.unpack(order + form.head, raw)[0] if len(raw) == head else 0
    if not 0 < n < MAX_ENTRIES:
        return b""
    raw = source.read(ifd + head, n * entry + link)
    is_last = len(raw) == n * entry + link and not any(raw[n * entry :])
    return raw[: n * entry] if is_last else b""
