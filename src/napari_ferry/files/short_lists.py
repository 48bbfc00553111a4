"""Lists of names in sentences, cut short."""

from __future__ import annotations

from collections.abc import Sequence


def list_few(names: Sequence[str], most: int = 3) -> str:
    """Return the first of some names, and the number of the others.

    >>> list_few(["a.tif", "b.tif"]), list_few(["a.tif", "b.tif", "c.tif"], 1)
    ('a.tif, b.tif', 'a.tif and 2 more')
    """
    others = len(names) - most
    return ", ".join(names[:most]) + (f" and {others} more" if others > 0 else "")
