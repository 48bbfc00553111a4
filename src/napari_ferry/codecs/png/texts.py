"""Texts in PNG files (PNG, third edition, section 11.3.3)."""

from __future__ import annotations

import zlib

_MAX_TEXT_BYTES = 16 << 20
"""Maximum size of a compressed text to read, in bytes."""


def parse_text(kind: bytes, data: bytes) -> tuple[str, str]:
    """Return the keyword and the text of a chunk; both are empty if it is not valid.

    Parameters
    ----------
    kind : bytes
        Type of the chunk: ``tEXt``, ``zTXt`` or ``iTXt``.
    data : bytes
        Its data.
    """
    keyword, _, rest = data.partition(b"\0")
    if kind == b"tEXt":
        return keyword.decode("latin-1"), rest.decode("latin-1")
    if kind == b"zTXt":
        return keyword.decode("latin-1"), _inflate(rest[1:]).decode("latin-1")

    # compression flag and method, language, and translated keyword
    parts = rest[2:].split(b"\0", 2)
    if len(parts) != 3:
        return "", ""
    text = _inflate(parts[2]) if rest[:1] == b"\1" else parts[2]
    return keyword.decode("latin-1"), text.decode("utf-8", "replace")


def _inflate(data: bytes) -> bytes:
    """Decompress a text; a damaged one is empty, and a very long one is cut off."""
    try:
        return zlib.decompressobj().decompress(data, _MAX_TEXT_BYTES)
    except zlib.error:
        return b""
