"""One directory of a TIFF file, read by its offset.

TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

MAX_ENTRIES = 4096
"""Number of entries from which on a directory is taken for damaged."""

NO_DIRECTORY = -1
"""Offset after a directory that does not exist."""


class Directory(NamedTuple):
    """One directory of a TIFF file.

    Parameters
    ----------
    entries : bytes
        Its raw entries, fewer than it has in a file that is cut off.
    next : int
        Offset of the directory after it, in bytes; 0 after the last one, `NO_DIRECTORY` if this one
        does not exist or is cut off.
    """

    entries: bytes
    next: int


def read_directory(file: BinaryIO, ifd: int, order: str, is_big: bool) -> Directory:
    """Read one directory.

    Parameters
    ----------
    file : binary file
        Open for reading.
    ifd : int
        Offset of the directory, in bytes.
    order : str
        Byte order, ``"<"`` or ``">"``.
    is_big : bool
        True for BigTIFF.
    """
    head, entry, link = ("Q", 20, "Q") if is_big else ("H", 12, "I")
    size = 8 if is_big else 2
    file.seek(max(0, ifd))
    raw = file.read(size)
    n = struct.unpack(order + head, raw)[0] if len(raw) == size else 0

    is_possible = 0 < n < MAX_ENTRIES
    raw = file.read(min(n, MAX_ENTRIES) * entry + struct.calcsize(order + link))
    entries, following = raw[: n * entry], raw[n * entry :]
    if not is_possible or len(following) != struct.calcsize(order + link):
        return Directory(entries, NO_DIRECTORY)
    return Directory(entries, int(struct.unpack(order + link, following)[0]))
