"""All arrays and groups of a store."""

from __future__ import annotations

from napari_ferry.codecs.zarr.chunk_damage import DamageError
from napari_ferry.codecs.zarr.node import Node, read_node
from napari_ferry.codecs.zarr.store import join_keys
from napari_ferry.errors import UnreadableFileError
from napari_ferry.files.natural_order import natural_sorted

_MOST_NAMES = 200_000
"""Maximum number of files and folders to examine, apart from chunks."""

_MOST_DEPTH = 12


def find_nodes(root: Node, remarks: list[str]) -> list[Node]:
    """Return a node, and all arrays and groups below it, without listing folders of chunks.

    Parameters
    ----------
    root : Node
        The node.
    remarks : list of str
        Sentences about damaged documents are added to it.

    Raises
    ------
    UnreadableFileError
        There are too many.
    """
    found: dict[str, Node] = {}
    waiting = [(root, 0)]
    n_seen = 0
    while waiting:
        node, depth = waiting.pop()

        if node.key in found:
            continue
        found[node.key] = node
        if node.array is not None or depth >= _MOST_DEPTH:
            continue

        keys = _child_keys(node)
        n_seen += len(keys)
        if n_seen > _MOST_NAMES:
            raise UnreadableFileError(
                f"{root.label} has more than {_MOST_NAMES} arrays, groups or files: repair a group "
                "in it."
            )
        children = [_read(node, key, remarks) for key in keys]
        waiting += [(child, depth + 1) for child in reversed(children) if child is not None]
    return list(found.values())


def _child_keys(node: Node) -> list[str]:
    """Return the keys of the entries of a group, and of listed arrays further below."""
    names = [name for name in natural_sorted(node.store.list_names(node.key)) if name[0] != "."]
    keys = [join_keys(node.key, name) for name in names]
    for path in _listed_paths(node):
        try:
            keys.append(join_keys(node.key, path))
        except DamageError:
            continue
    return keys


def _listed_paths(node: Node) -> list[object]:
    """Return the paths of the levels of the images of a group."""
    listed = node.ome.get("multiscales")
    images = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    datasets = [each.get("datasets") for each in images]
    levels = [level for each in datasets if isinstance(each, list) for level in each]
    return [level.get("path") for level in levels if isinstance(level, dict)]


def _read(node: Node, key: str, remarks: list[str]) -> Node | None:
    try:
        return read_node(node.store, key)
    except UnreadableFileError as error:
        remarks.append(str(error))
        return None
