"""Recognition of text, such as tables of numbers, by its bytes."""

from __future__ import annotations

from napari_ferry.codecs.binary.layout.source import Source

_PART_BYTES = 4096
_PRINTED = bytes([9, 10, 12, 13, *range(32, 127)])
_SINGLE_LINES = (b"{", b"[", b"<")
"""Beginnings of JSON and XML."""

_LEAST_LETTER = 160
"""First printable character beyond ASCII in ISO 8859."""

_MAX_LINE = 200
"""Mean length of a line above which characters beyond ASCII are taken for samples."""

_MARKS = (b"\xff\xfe", b"\xfe\xff")


def text_problem(name: str, source: Source) -> str:
    """Return a sentence about a file of text; empty for other files."""
    if not is_text(source):
        return ""
    return (
        f"{name} is text, not the samples of an image: open it in an editor or as a table, or give "
        "the offset of its first sample."
    )


def is_text(source: Source) -> bool:
    """Return True if the beginning, the middle and the end of a file are lines of text.

    The text may be ASCII, or UTF-8 or UTF-16 with a byte order mark or mostly in ASCII, or have a
    few letters in a code page of eight bits. JSON and XML may be a single line.
    """
    starts = (0, source.size // 2, max(0, source.size - _PART_BYTES))
    parts = [source.read(start, _PART_BYTES) for start in starts]
    head = parts[0]
    if head[:2] in _MARKS and len(head) > 2:
        codec = "utf-16-le" if head[:2] == _MARKS[0] else "utf-16-be"
        text = head[2 : len(head) // 2 * 2].decode(codec, "replace")
        return "\n" in text and _is_printed(text.encode("utf-8"))
    if not any(end in head for end in b"\r\n") and not head.lstrip().startswith(_SINGLE_LINES):
        return False
    return all(map(_is_printed, parts)) or all(map(_is_in_code_page, parts))


def _is_printed(part: bytes) -> bool:
    """Return True if all bytes are printable, or part of a few characters in UTF-8."""
    others = part.translate(None, _PRINTED).removeprefix(b"\xef\xbb\xbf")
    if not others:
        return True
    if min(others) < 128 or 8 * len(others) > len(part):
        return False

    # the first and the last character may be cut off
    inside = part.lstrip(bytes(range(128, 192)))
    return any(_is_utf8(inside[: len(inside) - cut]) for cut in range(4))


def _is_in_code_page(part: bytes) -> bool:
    """Return True for lines of text with a few printable characters of eight bits."""
    others = part.translate(None, _PRINTED)
    n_lines = part.count(b"\n") + part.count(b"\r")
    is_rare = 64 * len(others) <= len(part) <= _MAX_LINE * n_lines
    return is_rare and (not others or min(others) >= _LEAST_LETTER)


def _is_utf8(part: bytes) -> bool:
    try:
        part.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
