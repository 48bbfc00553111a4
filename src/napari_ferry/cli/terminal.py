"""Lines for a terminal, whatever is in the names and texts of files."""

from __future__ import annotations

import io
import re
import sys

_CONTROL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that drive a terminal, change the direction of writing, or have no encoding."""


def show(text: object) -> None:
    """Print text on the standard output."""
    print(to_printable(str(text)))


def report(text: object) -> None:
    """Print a message on the standard error stream, after the name of the program."""
    print(f"napari-ferry: {to_printable(str(text))}", file=sys.stderr)


def to_printable(text: str) -> str:
    r"""Return text with control characters as escapes.

    >>> to_printable("\x1b[2Jcells")
    '\\x1b[2Jcells'
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def accept_all_characters() -> None:
    """Escape characters outside the encoding of an output, instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
