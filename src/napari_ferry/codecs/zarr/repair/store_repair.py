"""Repair of the metadata of a store, or of an array or group in it."""

from __future__ import annotations

from pathlib import Path

from napari_ferry.codecs.zarr.multiscales import is_image
from napari_ferry.codecs.zarr.node import Node, read_node
from napari_ferry.codecs.zarr.repair.chunk_names import repair_separator
from napari_ferry.codecs.zarr.repair.consolidation import repair_copies
from napari_ferry.codecs.zarr.repair.digests import renew_digests
from napari_ferry.codecs.zarr.repair.documents import Documents, Entry
from napari_ferry.codecs.zarr.repair.finite_values import repair_numbers
from napari_ferry.codecs.zarr.repair.image_repair import image_entries, repair_images
from napari_ferry.codecs.zarr.repair.node_search import find_nodes
from napari_ferry.codecs.zarr.repair.plain_arrays import make_image, name_axes
from napari_ferry.codecs.zarr.repair.request import Request
from napari_ferry.codecs.zarr.store import METADATA_FILES, FolderStore
from napari_ferry.errors import InvalidImageError, UnreadableFileError
from napari_ferry.saving.document_repair import Repair


def plan_repair(folder: Path, request: Request) -> Repair:
    """Return the changes of metadata to make a store valid; nothing is written.

    Parameters
    ----------
    folder : Path
        Folder of the store, or of an array or group in it.
    request : Request
        Values of the user.

    Raises
    ------
    UnreadableFileError
        It is not a store, or damaged beyond repair.
    InvalidImageError
        The values of the user do not fit.
    """
    store = FolderStore(str(_root_of(folder)))
    key = folder.relative_to(store.folder).as_posix()
    root = read_node(store, "" if key == "." else key)
    if root is None:
        raise UnreadableFileError(
            f"{folder.name} is not a Zarr store: expected {', '.join(METADATA_FILES)} in it; get a "
            "complete copy."
        )
    documents = Documents(store)
    nodes = find_nodes(root, documents.remarks)
    _repair_nodes(documents, root, nodes, request)
    renew_digests(documents)
    repair_copies(documents, [*_ancestors(root), *_groups(nodes)], nodes)
    return documents.to_repair()


def _root_of(folder: Path) -> Path:
    """Return the folder of the outermost group around an array or group."""
    while any((folder.parent / name).is_file() for name in METADATA_FILES):
        folder = folder.parent
    return folder


def _repair_nodes(documents: Documents, root: Node, nodes: list[Node], request: Request) -> None:
    """Repair the documents of arrays and groups."""
    entries = [Entry(documents, node) for node in nodes]
    images = image_entries(entries)
    if request.ome and not any(is_image(node) for node in nodes):
        make_image(entries[0], nodes, request)
        images = entries[:1]

    if images:
        repair_images(images, request)
    elif any(is_image(node) for node in nodes) and request != Request():
        raise InvalidImageError(
            f"{root.label} has no image of OME-Zarr 0.1 to 0.5, so that its values cannot be "
            "replaced: save it as another file with convert."
        )
    else:
        name_axes([entry for entry in entries if entry.node.array is not None], request)

    for entry in entries:
        repair_separator(entry)
        repair_numbers(entry)


def _ancestors(node: Node) -> list[Node]:
    """Return the groups around a node, the innermost first."""
    found = []
    key = node.key
    while key:
        key = key.rpartition("/")[0]
        group = read_node(node.store, key)
        if group is not None:
            found.append(group)
    return found


def _groups(nodes: list[Node]) -> list[Node]:
    return [node for node in nodes if node.array is None]
