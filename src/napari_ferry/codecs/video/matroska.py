"""Matroska and WebM files: the size in their header (RFC 8794 and RFC 9559)."""

from __future__ import annotations

from pathlib import Path

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def is_truncated_matroska(path: Path) -> bool:
    """Return True for a Matroska or WebM file shorter than its segment.

    RFC 8794, section 4, and RFC 9559, section 5.1.
    """
    with path.open("rb") as file:
        header = file.read(256)
    if header[:4] != _EBML:
        return False
    nbytes, offset = _read_vint(header, 4)
    offset += nbytes
    if header[offset : offset + 4] != _SEGMENT:
        return False

    nbytes, start = _read_vint(header, offset + 4)
    is_known = nbytes != (1 << 7 * (start - offset - 4)) - 1
    return is_known and path.stat().st_size < start + nbytes


def _read_vint(data: bytes, offset: int) -> tuple[int, int]:
    """Read an EBML number; return its value and the offset of its end."""
    length = 9 - max(data[offset], 1).bit_length()
    value = int.from_bytes(data[offset : offset + length], "big") & ((1 << 7 * length) - 1)
    return value, offset + length
