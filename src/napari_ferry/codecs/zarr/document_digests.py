"""Digests of the metadata documents of a store, in our record in the attributes of its root.

JSON has no checksum of its own: without digests, a changed letter in the name of a field would
silently lose its content. Digests do not depend on white space and the order of fields, and leave
out consolidated metadata, which are copies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import xxhash

from napari_ferry.codecs.zarr.node import parse_object, read_document
from napari_ferry.codecs.zarr.store import Store
from napari_ferry.errors import UnreadableFileError
from napari_ferry.image.record import KEY

DOCUMENTS = "documents"
"""Field of our record: the digest of each document by its key."""

COPIES = "consolidated_metadata"
"""Field of a document with copies of the documents below it."""

_ROOTS = ("zarr.json", ".zattrs")


def digests_of(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the digest of each document by its key."""
    return {key: _digest(key, document) for key, document in documents.items()}


def add_digests(attributes: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    """Return the attributes of the root with the digests of all documents."""
    return {**attributes, KEY: {**attributes.get(KEY, {}), DOCUMENTS: dict(digests)}}


def find_digests(key: str, root: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the digests in the document of the root, or ``None`` if it has none.

    The names around them may be damaged, so any names count.
    """
    own = {name: value for name, value in root.items() if name != COPIES}
    attributes = [own] if key == ".zattrs" else filter(_is_object, own.values())
    records = (record for each in attributes for record in filter(_is_object, each.values()))
    return next(filter(_is_object, (record.get(DOCUMENTS) for record in records)), None)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def find_changes(store: Store) -> Iterator[str]:
    """Yield a message about each document changed after our save.

    Parameters
    ----------
    store : Store
        A store; one that another program wrote has no digests, and is not checked.
    """
    for key in _ROOTS:
        root = _read(store, key)
        if isinstance(root, str):
            yield root
        digests = find_digests(key, root) if isinstance(root, Mapping) else None

        for name, digest in (digests or {}).items():
            found = root if name == key else _read(store, name)
            if isinstance(found, str):
                yield found
            elif found is None:
                yield f"{store.name} is damaged: {name} is missing; restore it from a copy."
            elif _digest(name, found) != digest:
                yield (
                    f"{store.name}: {name} has changed since the store was saved; unless this was "
                    "intended, restore it from a copy."
                )


def _read(store: Store, key: str) -> Mapping[str, Any] | str | None:
    """Return the object in a document, ``None`` if it is missing, or a message about damage."""
    try:
        data = read_document(store, key)
        return None if data is None else parse_object(store, key, data)
    except UnreadableFileError as error:
        return str(error)


def _digest(key: str, document: Mapping[str, Any]) -> str:
    own = {name: value for name, value in document.items() if name != COPIES}
    if key == ".zattrs":
        own = _without_digests(own)
    elif key == "zarr.json" and isinstance(own.get("attributes"), Mapping):
        own["attributes"] = _without_digests(own["attributes"])
    return xxhash.xxh3_64_hexdigest(json.dumps(own, sort_keys=True).encode())


def _without_digests(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of the root as they were before the digests were added."""
    own = {
        name: {field: each for field, each in value.items() if field != DOCUMENTS}
        if isinstance(value, Mapping)
        else value
        for name, value in attributes.items()
    }
    return {name: value for name, value in own.items() if value != {}}
