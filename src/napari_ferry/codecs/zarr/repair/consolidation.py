"""Consolidated metadata: copies of the documents of a store in one of them.

zarr-python reads the copies alone, so outdated ones hide the content of the documents.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from napari_ferry.codecs.zarr.document_digests import COPIES
from napari_ferry.codecs.zarr.node import Node
from napari_ferry.codecs.zarr.repair.documents import Documents, Entry
from napari_ferry.codecs.zarr.repair.finite_values import repair_copied_numbers
from napari_ferry.files.short_texts import list_few


def repair_copies(documents: Documents, groups: Sequence[Node], nodes: Sequence[Node]) -> None:
    """Update consolidated metadata to agree with the documents.

    Parameters
    ----------
    documents : Documents
        Documents of the store.
    groups : sequence of Node
        Groups that may have consolidated metadata.
    nodes : sequence of Node
        Arrays and groups whose copies are compared.
    """
    for group in groups:
        prefix = f"{group.key}/" if group.key else ""
        key = f"{prefix}{'zarr.json' if group.version == 3 else '.zmetadata'}"
        copies = _copies_in(documents.value(key))
        if copies is None:
            continue

        changed = [
            name
            for node in nodes
            if node.version == group.version
            for name, value in _documents_of(documents, node, group.key).items()
            if _renew(copies, name, value)
        ]
        if changed:
            names = list_few(changed)
            documents.note(key, f"copies in {key} (consolidated metadata): {names} -> up to date")
        repair_copied_numbers(documents, key)


def _copies_in(document: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the copies in a document by their names, or ``None`` if it has none."""
    if document is None:
        return None
    holder = document.get(COPIES) if "zarr_format" in document else document
    copies = holder.get("metadata") if isinstance(holder, dict) else None
    return copies if isinstance(copies, dict) else None


def _documents_of(documents: Documents, node: Node, group: str) -> dict[str, Any]:
    """Return the documents of a node by the names of their copies in a group around it."""
    entry = Entry(documents, node)
    prefix = f"{group}/" if group else ""
    names = {
        key: key.removeprefix(prefix).removesuffix("/zarr.json")
        for key in (entry.metadata_key, entry.attributes_key)
        if key.startswith(prefix)
    }
    found = {name: documents.value(key) for key, name in names.items() if name != "zarr.json"}
    return {name: value for name, value in found.items() if value is not None}


def _renew(copies: dict[str, Any], name: str, value: Mapping[str, Any]) -> bool:
    """Replace a copy that differs from its document; return True if replaced."""
    old = copies.get(name, {})  # attributes without a document are empty
    if isinstance(old, dict) and _comparable(old) == _comparable(value):
        return False
    new = {key: item for key, item in value.items() if key != COPIES}
    kept = {COPIES: old[COPIES]} if isinstance(old, dict) and COPIES in old else {}
    copies[name] = {**copy.deepcopy(new), **kept}
    return True


def _comparable(document: Mapping[str, Any]) -> str:
    """Return a normalized text, equal for documents with the same meaning."""
    own = {k: v for k, v in document.items() if k != COPIES and v not in ({}, [], None)}
    return json.dumps(own, sort_keys=True)
