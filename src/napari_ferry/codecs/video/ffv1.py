"""Checksums in the frames of FFV1 (RFC 9043, 4.9).

FFmpeg replaces the damaged parts of a frame by parts of the previous one, and only logs this.
"""

from __future__ import annotations

import zlib

_FOOTER_BYTES = 8
"""Size of a slice in three bytes, its status, and its checksum in four bytes."""

_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
"""Byte -> byte with its bits in reverse order."""

_ALL = 0xFFFFFFFF


def has_valid_checksums(data: bytes) -> bool:
    """Return True if each slice of a frame matches its checksum.

    Parameters
    ----------
    data : bytes
        A packet, with or without checksums.
    """
    slices = _split_slices(data)
    return bool(slices) and not any(map(_remainder, slices))


def _split_slices(data: bytes) -> list[bytes]:
    """Return the slices with their footers; an empty list if these do not fill the packet."""
    slices = []
    end = len(data)
    while end:
        size = int.from_bytes(data[end - _FOOTER_BYTES : end - _FOOTER_BYTES + 3], "big")
        start = end - _FOOTER_BYTES - size
        if start < 0 or not size:
            return []
        slices.append(data[start:end])
        end = start
    return slices


def _remainder(data: bytes) -> int:
    """Return the checksum of data and their checksum at the end, 0 if it is right.

    The polynomial is the same as in zlib, but the most significant bit of each byte comes first,
    and the checksum starts with 0.
    """
    return zlib.crc32(data.translate(_REVERSED), _ALL) ^ _ALL
