"""Names of the files of chunks in Zarr 2: ``0.0`` or ``0/0``."""

from __future__ import annotations

from napari_ferry.codecs.zarr.node import find_separator
from napari_ferry.codecs.zarr.repair.documents import Entry, show_value

_KEY = "dimension_separator"
_NAMES = {"/": "in nested folders, such as 0/0", ".": "in one folder, such as 0.0"}


def repair_separator(entry: Entry) -> None:
    """Write the separator in the names of its chunks into the metadata of an array of Zarr 2.

    Without this, or with a wrong value, the chunks are not found, and the array is empty.
    """
    node = entry.node
    document = None if node.version == 3 else entry.documents.value(entry.metadata_key)
    shape = None if document is None or node.array is None else document.get("shape")
    if document is None or not isinstance(shape, list) or len(shape) < 2:
        return
    given = document.get(_KEY)
    assumed = "." if given is None else given
    if assumed not in (*_NAMES,):  # such an array is not opened at all
        return
    found = find_separator(entry.documents.store, node.key, len(shape), assumed)
    if found in (None, assumed):
        return
    document[_KEY] = found
    old = "missing" if given is None else show_value(given)
    entry.change_metadata(
        f"names of the chunks ({_KEY}): {old} -> {show_value(found)} (they are {_NAMES[found]})"
    )
