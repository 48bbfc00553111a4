"""Conversion of values of Python and numpy to plain JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_LISTS = (Sequence, set, frozenset)


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
