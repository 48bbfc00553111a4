"""Metadata documents of a store, changed in memory."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_ferry.codecs.zarr.node import Node, parse_object, read_document
from napari_ferry.codecs.zarr.store import FolderStore
from napari_ferry.errors import escape_surrogates
from napari_ferry.image.json_values import to_json
from napari_ferry.saving.document_repair import Repair, RepairedDocument

_INDENT = re.compile(rb'\{\r?\n( +)"')
_MAX_TEXT = 100
"""Maximum number of characters of a value to show."""


@dataclass
class _Document:
    """A document: its bytes, and its value to change in place."""

    before: bytes | None
    value: dict[str, Any]
    is_changed: bool = False


@dataclass
class Documents:
    """Documents of a store, read when they are needed, and the changes made in them.

    Parameters
    ----------
    store : FolderStore
        The store.
    """

    store: FolderStore
    changes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    _documents: dict[str, _Document | None] = field(default_factory=dict)

    def value(self, key: str) -> dict[str, Any] | None:
        """Return the object in a document, to be changed in place; ``None`` if it is missing.

        Raises
        ------
        UnreadableFileError
            The document is damaged.
        """
        if key not in self._documents:
            data = read_document(self.store, key)
            value = None if data is None else parse_object(self.store, key, data)
            self._documents[key] = None if value is None else _Document(data, value)
        document = self._documents[key]
        return None if document is None else document.value

    def create(self, key: str) -> dict[str, Any]:
        """Return the object of a document; create it if it is missing."""
        value = self.value(key)
        if value is None:
            value = {}
            self._documents[key] = _Document(None, value)
        return value

    def note(self, key: str, change: str) -> None:
        """Note a change made in a document."""
        document = self._documents[key]
        assert document is not None
        document.is_changed = True
        self.changes.append(change)

    @property
    def changed(self) -> list[str]:
        """Keys of the changed documents."""
        return [key for key, each in self._documents.items() if each and each.is_changed]

    def to_repair(self) -> Repair:
        """Return all changes; consolidated metadata are written last, as they repeat the others."""
        changed = {key: each for key, each in self._documents.items() if each and each.is_changed}
        keys = sorted(changed, key=lambda key: (-key.count("/"), key == ".zmetadata", key))
        return Repair(
            changes=tuple(self.changes),
            remarks=tuple(dict.fromkeys(self.remarks)),
            documents=tuple(
                RepairedDocument(
                    path=Path(self.store.folder, key),
                    before=changed[key].before,
                    text=_to_text(changed[key]),
                )
                for key in keys
            ),
        )


@dataclass(frozen=True)
class Entry:
    """The documents of one array or group.

    Parameters
    ----------
    documents : Documents
        Documents of the store.
    node : Node
        The array or group, as it was read.
    """

    documents: Documents
    node: Node

    @property
    def metadata_key(self) -> str:
        """Key of the document with the metadata of the array or group, not of its attributes."""
        names = {2: ".zgroup" if self.node.array is None else ".zarray", 3: "zarr.json"}
        return self._key(names[self.node.version])

    @property
    def attributes_key(self) -> str:
        """Key of the document with the attributes."""
        return self._key("zarr.json" if self.node.version == 3 else ".zattrs")

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes of the user, to be changed in place."""
        value = self.documents.create(self.attributes_key)
        if self.node.version == 2:
            return value
        attributes = value.get("attributes")
        if not isinstance(attributes, dict):
            attributes = value["attributes"] = {}
        return attributes

    @property
    def ome(self) -> dict[str, Any]:
        """Attributes of OME-NGFF, to be changed in place."""
        ome = self.attributes.get("ome")
        return ome if isinstance(ome, dict) else self.attributes

    def change(self, text: str) -> None:
        """Note a change of the attributes."""
        self.documents.note(self.attributes_key, f"{self._prefix}{text}")

    def change_metadata(self, text: str) -> None:
        """Note a change of the document with the metadata of the array or group."""
        self.documents.note(self.metadata_key, f"{self._prefix}{text}")

    def remark(self, text: str) -> None:
        """Note something unknown or beyond repair."""
        self.documents.remarks.append(f"{self._prefix}{text}")

    @property
    def _prefix(self) -> str:
        return f"{self.node.key}: " if self.node.key else ""

    def _key(self, name: str) -> str:
        return f"{self.node.key}/{name}" if self.node.key else name


def show_value(value: object) -> str:
    """Return a value of a document as a short text.

    >>> show_value("0.5"), show_value([1.0, 0.5]), show_value(float("nan"))
    ("'0.5'", '[1.0, 0.5]', 'NaN')
    """
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 3]}..."


def _to_text(document: _Document) -> str:
    """Return the text of a document, indented as before."""
    found = _INDENT.match((document.before or b"").lstrip())
    indent = len(found[1]) if found else (None if document.before else 2)
    text = json.dumps(to_json(document.value), indent=indent, ensure_ascii=False, allow_nan=False)
    text = escape_surrogates(text)
    return f"{text}\n" if (document.before or b"").endswith(b"\n") else text
