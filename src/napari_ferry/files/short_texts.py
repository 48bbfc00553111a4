"""Lists of names and numbers of things in sentences, kept short."""

from __future__ import annotations

from collections.abc import Sequence


def list_few(names: Sequence[str], most: int = 3) -> str:
    """Return the first of some names, and the number of the others.

    >>> list_few(["a.tif", "b.tif"]), list_few(["a.tif", "b.tif", "c.tif"], 1)
    ('a.tif, b.tif', 'a.tif and 2 more')
    """
    others = len(names) - most
    return ", ".join(names[:most]) + (f" and {others} more" if others > 0 else "")


def count_things(count: int, thing: str) -> str:
    """Return a number of things; the plural of the word is formed with "s".

    >>> count_things(1, "frame"), count_things(1200, "frame")
    ('1 frame', '1,200 frames')
    """
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
