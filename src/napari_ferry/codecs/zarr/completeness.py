"""Completeness of a store: a missing chunk is a loss if all of them were saved.

Zarr defines missing chunks as fill values, and other programs leave out chunks of these. Our record
in the attributes of an array or a group states if all of them were written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_ferry.image.record import KEY

COMPLETE = "complete"
"""Field of our record, which is true if every chunk or shard of the arrays has a file."""


def is_complete(attributes: Mapping[str, Any]) -> bool:
    """Return True if all chunks were written, according to our record in attributes."""
    record = attributes.get(KEY)
    return isinstance(record, Mapping) and record.get(COMPLETE) is True
