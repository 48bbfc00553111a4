"""Patterns of file names: ``*`` for any text, and fields such as ``{t}`` for axes over files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from napari_ferry.files.natural_order import natural_sorted

_FIELD = re.compile(r"\{([A-Za-z]\w*)\}")
_SPECIAL = re.compile(r"(\*|\{[A-Za-z]\w*\})")


class Match(NamedTuple):
    """A file of a pattern, with the texts of its fields."""

    path: Path
    fields: Mapping[str, str]


def is_pattern(path: Path) -> bool:
    """Return True for a path with ``*`` or a field, unless there is a file of exactly this name."""
    return _SPECIAL.search(str(path)) is not None and not os.path.lexists(path)


def field_names(path: Path) -> list[str]:
    """Return the names of the fields of a pattern, from left to right.

    >>> field_names(Path("pos_{i}/img_{t}.{c}.tif"))
    ['i', 't', 'c']
    """
    return list(dict.fromkeys(_FIELD.findall(str(path))))


def find_matches(pattern: Path) -> list[Match]:
    """Return the files and folders of a pattern in natural order, without hidden ones."""
    first = next(k for k, part in enumerate(pattern.parts) if _SPECIAL.search(part))
    matches = [Match(Path(*pattern.parts[:first]), {})]
    for k, part in enumerate(pattern.parts[first:], first):
        is_last = k == len(pattern.parts) - 1
        matches = [found for match in matches for found in _extend(match, part, is_last=is_last)]
    return natural_sorted(matches, lambda match: str(match.path))


def _extend(match: Match, part: str, *, is_last: bool) -> Sequence[Match]:
    """Return the entries of a folder matched by the next part of a pattern."""
    if not _SPECIAL.search(part):
        path = match.path / part
        return [Match(path, match.fields)] if path.exists() else []
    if not match.path.is_dir():
        return []
    wanted = re.compile(_to_expression(part), re.DOTALL)
    found = []
    with os.scandir(match.path) as entries:
        for entry in entries:
            fits = wanted.fullmatch(entry.name)
            if fits and not entry.name.startswith(".") and (is_last or entry.is_dir()):
                # a field in a folder and in a file must have the same text
                own = fits.groupdict()
                if all(match.fields.get(name, text) == text for name, text in own.items()):
                    found.append(Match(match.path / entry.name, {**match.fields, **own}))
    return found


def _to_expression(part: str) -> str:
    """Return the regular expression of one part of a pattern."""
    seen: set[str] = set()
    pieces = []
    for piece in _SPECIAL.split(part):
        field = _FIELD.fullmatch(piece)
        if field is None:
            pieces.append(".*" if piece == "*" else re.escape(piece))
        else:
            pieces.append(f"(?P={field[1]})" if field[1] in seen else f"(?P<{field[1]}>.+?)")
            seen.add(field[1])
    return "".join(pieces)
