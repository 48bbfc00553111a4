"""JSON text from files that may come from anyone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_MAX_DEPTH = 100
"""Levels of lists and objects in a JSON text; metadata of microscopes have fewer than ten."""


def parse_json(text: str, *, allow_duplicates: bool = True) -> Any:
    """Parse JSON from an untrusted file.

    Parameters
    ----------
    text : str
        Text to parse.
    allow_duplicates : bool
        False to refuse an object with a duplicate key, of which Python would use the last.

    Raises
    ------
    ValueError
        The text is not JSON, is nested too deeply, or contains a duplicate key.
    """
    try:
        value = json.loads(text, object_pairs_hook=None if allow_duplicates else _unique)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}, column {error.colno} is not JSON") from error
    except ValueError as error:
        if "set_int_max_str_digits" not in str(error):
            raise
        raise ValueError("it contains a number of too many digits") from error
    if _is_deep(value):
        raise ValueError("it is nested too deeply")
    return value


def _is_deep(value: object) -> bool:
    """Return True for a value of more than `_MAX_DEPTH` levels, too deep for recursion."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(_MAX_DEPTH):
        items = [each.values() if isinstance(each, dict) else each for each in level]
        level = [item for each in items for item in each if isinstance(item, dict | list)]
        if not level:
            return False
    return True


def load_json(path: Path, *, max_bytes: int, allow_duplicates: bool = True) -> Any:
    """Parse a JSON file of limited size.

    Parameters
    ----------
    path : Path
        File in UTF-8.
    max_bytes : int
        Size of the largest file to read, in bytes.
    allow_duplicates : bool
        As for `parse_json`.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        The file is larger, or `parse_json` refuses its text.
    """
    nbytes = path.stat().st_size
    if nbytes > max_bytes:
        raise ValueError(f"{nbytes} bytes are too many")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it is not text in UTF-8") from error
    return parse_json(text, allow_duplicates=allow_duplicates)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON.

    Raises
    ------
    ValueError
        A duplicate key.
    """
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("it contains a duplicate key")
    return dict(pairs)
