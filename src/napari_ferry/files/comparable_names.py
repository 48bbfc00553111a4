"""Names as the file systems of this platform compare them."""

from __future__ import annotations

import sys
import unicodedata


def comparable(name: str) -> str:
    """Return a name, or a path, in a form common to all spellings of one file."""
    if sys.platform in ("win32", "darwin"):
        return unicodedata.normalize("NFC", name).casefold()
    return name
