"""The pages below pages: directories that the tag SubIFDs (330) of a page names.

TIFF Technical Note 1 (Adobe, 1995). OME-TIFF keeps the levels of a pyramid there.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import BinaryIO

_SUBIFDS = 330


def below(
    file: BinaryIO, walked: Sequence[tuple[int, bytes]], order: str, is_big: bool, k: int
) -> list[tuple[int, bytes]]:
    """Return the `k`-th page below each page: where its directory begins, and its raw entries.

    Parameters
    ----------
    file : binary file
        Open for reading.
    walked : sequence of (int, bytes)
        The pages themselves; see `ifd_chain.walk`.
    order, is_big
        Byte order, and whether this is BigTIFF.

    Returns
    -------
    list of (int, bytes)
        One for each page; ``(0, b"")`` where there is none.
    """
    places = [_place(file, entries, order, is_big, k) for _, entries in walked]
    found = [_entries(file, place, order, is_big) for place in places]
    return [(place if raw else 0, raw) for place, raw in zip(places, found, strict=True)]


def _place(file: BinaryIO, entries: bytes, order: str, is_big: bool, k: int) -> int:
    """Return where the `k`-th directory below a page begins, 0 when there is none."""
    entry = struct.Struct(order + ("HHQ" if is_big else "HHI"))
    step, field = (20, 8) if is_big else (12, 4)
    for start in range(0, len(entries), step):
        tag, kind, count = entry.unpack_from(entries, start)
        if tag != _SUBIFDS or k >= count:
            continue
        size = 8 if kind in (16, 18) else 4
        value = entries[start + step - field : start + step]
        if count * size > field:
            file.seek(struct.unpack(order + ("Q" if is_big else "I"), value)[0] + k * size)
            value = file.read(size)
        else:
            value = value[k * size : (k + 1) * size]
        return int(struct.unpack(order + "IQ"[size == 8], value)[0]) if len(value) == size else 0
    return 0


def _entries(file: BinaryIO, place: int, order: str, is_big: bool) -> bytes:
    """Return the raw entries of a directory, none where there is no whole one."""
    head, step = (8, 20) if is_big else (2, 12)
    file.seek(place)
    raw = file.read(head) if place else b""
    n = struct.unpack(order + ("Q" if is_big else "H"), raw)[0] if len(raw) == head else 0
    entries = file.read(n * step) if 0 < n < 4096 else b""
    return entries if len(entries) == n * step else b""
