"""Pages below pages: the directories listed in the tag SubIFDs (330) of a page.

TIFF Technical Note 1 (Adobe, 1995). OME-TIFF stores the levels of a pyramid there.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from napari_ferry.codecs.tiff.pages.directory import MAX_ENTRIES
from napari_ferry.codecs.tiff.pages.ifd_chain import IfdChain

_SUBIFDS = 330
_EIGHT_BYTE_TYPES = (16, 18)


def read_subifds(file: BinaryIO, chain: IfdChain, k: int) -> IfdChain:
    """Read the directory of the `k`-th page below each page.

    Parameters
    ----------
    file : binary file
        Open for reading.
    chain : IfdChain
        The directories of the pages themselves.
    k : int
        Index among the pages below a page.

    Returns
    -------
    IfdChain
        One directory for each page; at offset 0 and without entries if a page has no such page.
    """
    order, is_big = chain.order, chain.is_big
    offsets = [_subifd_offset(file, entries, order, is_big, k) for entries in chain.entries]
    below = [_read_entries(file, offset, order, is_big) for offset in offsets]
    offsets = [offset if entries else 0 for offset, entries in zip(offsets, below, strict=True)]
    return IfdChain(order, is_big, offsets, below)


def _subifd_offset(file: BinaryIO, entries: bytes, order: str, is_big: bool, k: int) -> int:
    """Return the offset of the `k`-th directory below a page, or 0 if it does not exist."""
    entry = struct.Struct(order + ("HHQ" if is_big else "HHI"))
    step, field = (20, 8) if is_big else (12, 4)
    for start in range(0, len(entries), step):
        tag, kind, count = entry.unpack_from(entries, start)
        if tag != _SUBIFDS or k >= count:
            continue

        # the entry contains its values if they fit, and their offset otherwise
        size, code = (8, "Q") if kind in _EIGHT_BYTE_TYPES else (4, "I")
        value = entries[start + step - field : start + step]
        if count * size > field:
            file.seek(struct.unpack(order + ("Q" if is_big else "I"), value)[0] + k * size)
            value = file.read(size)
        else:
            value = value[k * size : (k + 1) * size]
        return int(struct.unpack(order + code, value)[0]) if len(value) == size else 0
    return 0


def _read_entries(file: BinaryIO, offset: int, order: str, is_big: bool) -> bytes:
    """Read the raw entries of a directory, empty if it is incomplete."""
    head, step = (8, 20) if is_big else (2, 12)
    file.seek(offset)
    raw = file.read(head) if offset else b""
    n = struct.unpack(order + ("Q" if is_big else "H"), raw)[0] if len(raw) == head else 0
    entries = file.read(n * step) if 0 < n < MAX_ENTRIES else b""
    return entries if len(entries) == n * step else b""
