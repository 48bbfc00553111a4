"""Numbers of Python outside JSON: NaN and infinity.

Most programs that are not written in Python cannot read a document with such a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from napari_ferry.codecs.zarr.document_digests import COPIES
from napari_ferry.codecs.zarr.repair.documents import Documents, Entry, show_value

_MAX_LINES = 3
"""Maximum number of values of a document to show one by one."""


def repair_numbers(entry: Entry) -> None:
    """Replace NaN and infinity in the documents of an array or a group."""
    keys = dict.fromkeys((entry.metadata_key, entry.attributes_key))
    for key in keys:
        value = entry.documents.value(key)
        if value is not None:
            own = {name: item for name, item in value.items() if name != COPIES}
            _replace(entry.documents, key, own, value)


def repair_copied_numbers(documents: Documents, key: str) -> None:
    """Replace NaN and infinity in consolidated metadata."""
    value = documents.value(key)
    if value is not None:
        _replace(documents, key, value, value)


def _replace(documents: Documents, key: str, shown: Any, root: dict[str, Any]) -> None:
    """Replace the numbers found in an object, and note the changes."""
    found = list(_find(shown, root))
    lines = []
    for path, owner, name in found:
        old = owner[name]
        owner[name] = _fill_text(old) if name == "fill_value" else None
        lines.append(f"{path} of {key}: {show_value(old)} (not JSON) -> {show_value(owner[name])}")
    for line in lines[: _MAX_LINES if len(lines) > _MAX_LINES + 1 else None]:
        documents.note(key, line)
    if len(lines) > _MAX_LINES + 1:
        documents.note(key, f"{len(lines) - _MAX_LINES} more such numbers of {key} -> null")


def _fill_text(number: float) -> str:
    """Return a fill value as Zarr writes it."""
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _find(value: Any, owner: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield path, owner and key of each number outside JSON; `owner` is the object to change."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for name, item in items:
        inner = f"{path}.{name}" if path else str(name)
        if isinstance(item, float) and not math.isfinite(item):
            yield inner, owner, name
        elif isinstance(item, dict | list):
            yield from _find(item, item, inner)
