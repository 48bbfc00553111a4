"""Arrays and groups of a Zarr store, and their attributes.

Version 3 has ``zarr.json``; version 2 has ``.zarray`` or ``.zgroup``, and ``.zattrs``. Consolidated
metadata repeat these, and are not read: copies may be outdated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_ferry.codecs.zarr.array import ZarrArray
from napari_ferry.codecs.zarr.array_metadata import parse_v2, parse_v3
from napari_ferry.codecs.zarr.chunk_damage import DamageError
from napari_ferry.codecs.zarr.completeness import is_complete
from napari_ferry.codecs.zarr.store import Store, join_keys
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.json_files import parse_json
from napari_ferry.image.record import KEY

SERIES_LAYOUT = "bioformats2raw.layout"
"""Attribute of the group of several images, numbered or listed as a series."""

_MOST_METADATA = 32 << 20
"""Maximum size of a metadata file to read, in bytes."""

_CHUNK_NAME = re.compile(r"\d+(\.\d+)+")


@dataclass(frozen=True, kw_only=True)
class Node:
    """An array or a group.

    Parameters
    ----------
    store : Store
        The store.
    key : str
        Key of the node, empty for the root.
    document : str
        Key of the file with its metadata.
    version : int
        Version of Zarr, 2 or 3.
    attributes : mapping
        Attributes of its user.
    array : mapping, optional
        Metadata of an array; ``None`` for a group.
    """

    store: Store
    key: str
    document: str
    version: int
    attributes: Mapping[str, Any]
    array: Mapping[str, Any] | None = None

    @property
    def label(self) -> str:
        """Name for messages: the name of the store, and the key."""
        return f"{self.store.name}/{self.key}" if self.key else self.store.name

    @property
    def ome(self) -> Mapping[str, Any]:
        """Attributes of OME-NGFF; since version 0.5 in an object ``ome``."""
        ome = self.attributes.get("ome")
        return ome if isinstance(ome, Mapping) else self.attributes

    def child(self, path: object) -> Node | None:
        """Return the node at a path in the metadata of this group, or ``None`` if it is missing.

        Raises
        ------
        DamageError
            The path is impossible.
        UnreadableFileError
            Its metadata are damaged.
        """
        return read_node(self.store, join_keys(self.key, path))

    def open_array(self, group: Node | None = None) -> ZarrArray:
        """Open the array of this node, and read only its metadata.

        Parameters
        ----------
        group : Node, optional
            The group of an image, whose attributes describe its arrays, too.

        Raises
        ------
        UnreadableFileError
            The node is a group, its metadata are damaged, or require unsupported features.
        """
        if self.array is None:
            raise UnreadableFileError(f"{self.label} is a group, expected an array.")
        try:
            metadata = (parse_v3 if self.version == 3 else parse_v2)(self.array)
            if metadata.separator is None:
                separator = find_separator(self.store, self.key, len(metadata.shape))
                metadata = replace(metadata, separator=separator or ".")
        except DamageError as error:
            raise UnreadableFileError(
                f"{self.label} cannot be opened: {error}; save it again with another setting, or "
                f"restore {self.document} from a copy."
            ) from error

        stamp = self.store.stamp(self.document)
        nodes = (self,) if group is None else (self, group)
        has_all = any(is_complete(each.attributes) for each in nodes)
        return ZarrArray(self.store, self.key, metadata, self.document, stamp, has_all)


def own_multiscales(node: Node) -> Sequence[Any]:
    """Return the multiscales in our record, for axes beyond OME-NGFF; usually none."""
    record = node.attributes.get(KEY)
    listed = record.get("multiscales") if isinstance(record, Mapping) else None
    return listed if isinstance(listed, list) else []


def read_node(store: Store, key: str) -> Node | None:
    """Return the array or the group of a key, or ``None`` if it is missing.

    Raises
    ------
    UnreadableFileError
        Its metadata are damaged.
    """
    prefix = f"{key}/" if key else ""
    document = _read_object(store, f"{prefix}zarr.json")
    if document is not None:
        return _parse_v3_node(store, key, document)

    array = _read_object(store, f"{prefix}.zarray")
    attributes = _read_object(store, f"{prefix}.zattrs")
    group = None if array is not None else _read_object(store, f"{prefix}.zgroup")
    found = {".zarray": array, ".zgroup": group, ".zattrs": attributes}
    name = next((name for name, content in found.items() if content is not None), None)
    if name is None:
        return None
    return Node(
        store=store,
        key=key,
        document=f"{prefix}{name}",
        version=2,
        attributes=attributes or {},
        array=array,
    )


def _parse_v3_node(store: Store, key: str, document: Mapping[str, Any]) -> Node:
    """Return the node of a ``zarr.json``."""
    name = f"{key}/zarr.json" if key else "zarr.json"
    kind, version = document.get("node_type"), document.get("zarr_format")
    if kind not in ("array", "group") or version != 3:
        raise UnreadableFileError(
            f"{store.name} cannot be opened: {name} has the format {version!r:.20} and the type "
            f"{kind!r:.20}, expected an array or a group of format 3; restore it from a copy."
        )

    attributes = document.get("attributes")
    return Node(
        store=store,
        key=key,
        document=name,
        version=3,
        attributes=attributes if isinstance(attributes, Mapping) else {},
        array=document if kind == "array" else None,
    )


def _read_object(store: Store, key: str) -> Mapping[str, Any] | None:
    """Return the JSON object in a file, or ``None`` if the file is missing."""
    data = read_document(store, key)
    return None if data is None else parse_object(store, key, data)


def read_document(store: Store, key: str) -> bytes | None:
    """Return the content of a document, or ``None`` if it is missing.

    Raises
    ------
    UnreadableFileError
        It is too large for a document, or may not be read.
    """
    try:
        return store.read(key, _MOST_METADATA)
    except ValueError as error:
        raise _damaged(store, key, str(error)) from error


def parse_object(store: Store, key: str, data: bytes) -> dict[str, Any]:
    """Return the JSON object in a document.

    Parameters
    ----------
    store : Store
        The store, for messages.
    key : str
        Key of the document, for messages.
    data : bytes
        Its content.

    Raises
    ------
    UnreadableFileError
        It is damaged.
    """
    try:
        value = parse_json(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _damaged(store, key, "it is not text in UTF-8") from error
    except ValueError as error:
        raise _damaged(store, key, str(error)) from error
    if not isinstance(value, dict):
        raise _damaged(store, key, "it is not an object of JSON")
    return value


def _damaged(store: Store, key: str, reason: str) -> UnreadableFileError:
    return UnreadableFileError(
        f"{store.name} is damaged: {key} cannot be read ({reason}); restore this file from a copy "
        "of the store."
    )


def find_separator(store: Store, key: str, ndim: int, first: str = ".") -> str | None:
    """Return the separator in the names of the chunks of an array of Zarr 2.

    It is a point by default, but zarr-python 2 wrote nested folders without saying so.

    Parameters
    ----------
    store : Store
        The store.
    key : str
        Key of the array.
    ndim : int
        Number of its axes.
    first : str
        The separator to look for first.

    Returns
    -------
    str or None
        ``"."`` or ``"/"``; ``None`` without chunks.
    """
    prefix = f"{key}/" if key else ""
    for separator in (first, "/" if first == "." else "."):
        if store.size(prefix + separator.join("0" * ndim)) is not None:
            return separator
    names = store.list_names(key)  # the first chunk is missing
    found = {
        "/" if name.isdecimal() else "."
        for name in names
        if name.isdecimal() or _CHUNK_NAME.fullmatch(name)
    }
    return first if first in found else next(iter(found), None)
