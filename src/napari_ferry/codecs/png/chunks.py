"""Chunks of PNG files: PNG (third edition, W3C 2025), section 5."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from napari_ferry.arrays.file_window import FileWindow

SIGNATURE = b"\x89PNG\r\n\x1a\n"

MAX_CHUNK_BYTES = 2**31 - 1
"""Maximum number of bytes of data in a chunk."""

EXTRA_BYTES = 12
"""Bytes of a chunk besides its data: length, type and checksum."""

_TYPES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class DamagedError(Exception):
    """The chunks cannot be followed any further."""


class Chunk(NamedTuple):
    """Place of a chunk in a file.

    Parameters
    ----------
    kind : bytes
        Its type, such as ``b"IDAT"``.
    start : int
        Offset of its data in the file, in bytes.
    nbytes : int
        Size of its data, in bytes.
    """

    kind: bytes
    start: int
    nbytes: int


def make_chunk(kind: bytes, data: bytes) -> bytes:
    """Return the bytes of a chunk."""
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))


def find_chunks(window: FileWindow) -> Iterator[Chunk]:
    """Yield the chunks of a file up to the last one, ``IEND``, without reading their data.

    Raises
    ------
    DamagedError
        The file is cut off, or has other bytes in place of a chunk.
    """
    offset, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        head = window.read(offset, 8)
        nbytes = int.from_bytes(head[:4], "big")
        kind = head[4:]
        is_valid = nbytes <= MAX_CHUNK_BYTES and _TYPES.issuperset(kind)
        if len(head) == 8 and not is_valid:
            raise DamagedError(f"there is no chunk at byte {offset}")
        if len(head) < 8 or offset + EXTRA_BYTES + nbytes > window.size:
            raise DamagedError(f"it is cut off after {window.size} bytes")
        yield Chunk(kind, offset + 8, nbytes)
        offset += EXTRA_BYTES + nbytes


def read_chunk(window: FileWindow, chunk: Chunk) -> bytes:
    """Return the data of a chunk.

    Raises
    ------
    DamagedError
        The checksum of the chunk is wrong.
    """
    stored = window.read(chunk.start, chunk.nbytes + 4)
    data = stored[: chunk.nbytes]
    if zlib.crc32(data, zlib.crc32(chunk.kind)) != int.from_bytes(stored[chunk.nbytes :], "big"):
        name = chunk.kind.decode("ascii")
        raise DamagedError(f"the checksum of its chunk {name} at byte {chunk.start} is wrong")
    return data
