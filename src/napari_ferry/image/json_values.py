"""Plain JSON values: conversion from Python and numpy, and parsing of files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_LISTS = (Sequence, set, frozenset)
_MAX_DEPTH = 100
"""Levels of lists and objects in a JSON text; metadata of microscopes have fewer than ten."""


def to_json(value: object) -> Any:
    """Return `value` as plain JSON values: numpy scalars and arrays become numbers and lists.

    Values without JSON are left out of mappings and become ``None`` elsewhere, as do numbers that
    are not finite; `json_losses` names them.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items() if _has_json(item)}
    if isinstance(value, _LISTS) and not isinstance(value, bytes):
        return [to_json(item) for item in value]
    return None


def json_losses(value: object, path: str = "") -> dict[str, str]:
    """Return the changes of a value in JSON: dotted paths and descriptions.

    >>> json_losses({"a": {"b": object()}, "c": [1, float("nan")], 5: "d"})
    {'a.b': 'cannot be stored: it is not text, a number or a list', 'c.1': 'is not finite: null \
is stored', '5': 'has an int as its key: the key becomes text'}
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return {path: "is not finite: null is stored"}
    if not _has_json(value):
        return {path: "cannot be stored: it is not text, a number or a list"}

    losses: dict[str, str] = {}
    if isinstance(value, Mapping):
        for key, item in value.items():
            item_path = f"{path}.{key}" if path else str(key)
            if not isinstance(key, str):
                losses[item_path] = (
                    f"has {_with_article(type(key).__name__)} as its key: the key becomes text"
                )
            losses |= json_losses(item, item_path)
    elif isinstance(value, _LISTS) and not isinstance(value, str):
        for i, item in enumerate(value):
            losses |= json_losses(item, f"{path}.{i}" if path else str(i))
    return losses


def _has_json(value: object) -> bool:
    """Return True if a value has a form in JSON, regardless of its items."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.item() if value.ndim == 0 else []
    if value is None or isinstance(value, bool | int | float | str | Mapping):
        return True
    return isinstance(value, _LISTS) and not isinstance(value, bytes)


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


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
