"""Messages about several files that differ only in the name of the file."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = "NAME"
"""Replaces the name of the file in the texts to compare."""


def group_similar(named: Iterable[tuple[str, str]]) -> list[tuple[str, int]]:
    """Return the first of each group of similar messages, and the size of the group.

    Parameters
    ----------
    named : iterable of (str, str)
        Name of a file, and a message about it.

    >>> group_similar([("a.tif", "a is gray."), ("b.tif", "b is gray."), ("b.tif", "Odd.")])
    [('a is gray.', 2), ('Odd.', 1)]
    """
    groups: dict[str, tuple[str, int]] = {}
    for name, text in named:
        stem = name.partition(".")[0] or name
        spelled = rf"(?<!\w)(?:{re.escape(name)}|{re.escape(stem)})(?!\w)"
        key = re.sub(spelled, _NAME, text)
        first, count = groups.get(key, (text, 0))
        groups[key] = first, count + 1
    return [*groups.values()]
