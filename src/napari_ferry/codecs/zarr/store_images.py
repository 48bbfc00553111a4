"""Images in a store: one, the fields of a plate, a series, or plain arrays.

https://ngff.openmicroscopy.org/0.5/, sections "plate", "well" and "bioformats2raw.layout".
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count, takewhile
from pathlib import PurePosixPath
from typing import Any

from napari_ferry.codecs.zarr.chunk_damage import DamageError
from napari_ferry.codecs.zarr.multiscales import (
    is_image,
    open_groups,
    open_image,
    open_label_group,
    warn_left_out,
)
from napari_ferry.codecs.zarr.node import SERIES_LAYOUT, Node, read_node
from napari_ferry.codecs.zarr.plain import open_arrays, open_plain
from napari_ferry.errors import UnreadableFileError, warn
from napari_ferry.files.natural_order import natural_sorted
from napari_ferry.image import Image

_MOST_NODES = 10_000
"""Maximum number of arrays and groups to examine in a store without OME-NGFF metadata."""

_MOST_DEPTH = 8


def open_node(node: Node, name: str) -> list[Image]:
    """Open all images of an array or a group.

    Parameters
    ----------
    node : Node
        The array or group.
    name : str
        Name of an image without a name of its own.

    Raises
    ------
    UnreadableFileError
        It contains no image, or its metadata are damaged.

    Warns
    -----
    FerryWarning
        Something is left out or assumed.
    """
    if node.array is not None:
        return [open_plain(node, name)]
    images = _open_ome(node, name)
    return _open_group(node) if images is None else images


def _open_ome(node: Node, name: str) -> list[Image] | None:
    """Open the images of a group of OME-NGFF, or return ``None`` for another group."""
    ome = node.ome
    if isinstance(ome.get("plate"), Mapping):
        return _open_plate(node)
    if isinstance(ome.get("well"), Mapping):
        return _open_well(node, node.key or name)
    if is_image(node):
        return open_image(node, name)
    if SERIES_LAYOUT in ome or SERIES_LAYOUT in node.attributes:
        return _open_series(node, name)
    return open_label_group(node, node.label) or None


def _open_plate(node: Node) -> list[Image]:
    """Open all fields of all wells of a plate."""
    wells = node.ome["plate"].get("wells")
    listed = (
        [each for each in wells if isinstance(each, Mapping)] if isinstance(wells, list) else []
    )

    images: list[Image] = []
    problems: list[str] = []
    for each in listed:
        path = each.get("path")
        try:
            well = node.child(path)
            if well is None or not isinstance(well.ome.get("well"), Mapping):
                raise DamageError(f"well {path} is missing")
            images += _open_well(well, str(path))
        except (DamageError, UnreadableFileError) as error:
            problems.append(str(error).rstrip("."))

    if not images:
        reason = f" ({problems[0]})" if problems else ""
        raise UnreadableFileError(
            f"{node.label} is a plate without a well that can be opened{reason}: get a complete "
            "copy of the store."
        )
    warn_left_out(node.label, "wells", problems)
    return images


def _open_well(node: Node, name: str) -> list[Image]:
    """Open all fields of a well, named by their paths."""
    listed = node.ome["well"].get("images")
    fields = (
        [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    )
    paths = [each.get("path") for each in fields]
    if not paths:
        raise UnreadableFileError(f"{node.label} is a well that lists no images.")
    return open_groups(node, paths, [f"{name}/{path}" for path in paths], "field")


def _open_series(node: Node, name: str) -> list[Image]:
    """Open the images of a file converted by bioformats2raw."""
    group = read_node(node.store, f"{node.key}/OME" if node.key else "OME")
    listed = None if group is None else group.ome.get("series")
    if isinstance(listed, list):
        paths: list[Any] = listed
    else:  # without the list, images are numbered from 0
        present = (str(i) for i in count())
        paths = list(takewhile(lambda path: node.child(path) is not None, present))
    if not paths:
        raise UnreadableFileError(
            f"{node.label} lists no series of images, expected groups 0, 1 and so on: get a "
            "complete copy of the store."
        )
    names = [name if len(paths) == 1 else f"{name} {path}" for path in paths]
    return open_groups(node, paths, names, "series")


def _open_group(node: Node) -> list[Image]:
    """Open the arrays and images below a group without metadata of OME-NGFF."""
    if node.store.name.lower().endswith(".ome.zarr"):
        warn(f"{node.label} has no metadata of OME-NGFF: its arrays are opened one by one.")

    images: list[Image] = []
    arrays: list[Node] = []
    for each in _walk(node):
        if each.array is not None:
            arrays.append(each)
        else:
            images += _open_ome(each, PurePosixPath(each.key).name) or []
    if arrays:
        images += open_arrays(arrays, node.label)

    if not images:
        raise UnreadableFileError(
            f"{node.label} holds no images: expected OME-Zarr, or arrays with at least two axes; "
            "check whether the store is complete."
        )
    return images


def _walk(node: Node) -> list[Node]:
    """Return the arrays and the groups of OME-NGFF below a group, in natural order.

    Links may lead to a group above, so that depth and number are limited.

    Raises
    ------
    UnreadableFileError
        There are too many.
    """
    found: list[Node] = []
    waiting = [(node, 0)]
    n_seen = 0
    while waiting:
        group, depth = waiting.pop()
        names = natural_sorted(group.store.list_names(group.key))
        n_seen += len(names)
        if n_seen > _MOST_NODES:
            raise UnreadableFileError(
                f"{node.label} has more than {_MOST_NODES} arrays, groups or files: open a group "
                "in it."
            )

        inner = [child for name in names if (child := _child_of(group, name)) is not None]
        found += [child for child in inner if child.array is not None or _is_ome(child)]
        groups = [child for child in inner if child.array is None and not _is_ome(child)]
        if depth < _MOST_DEPTH:
            waiting += [(child, depth + 1) for child in reversed(groups)]
    return found


def _child_of(group: Node, name: str) -> Node | None:
    return (
        None if name.startswith(".") else read_node(group.store, f"{group.key}/{name}".lstrip("/"))
    )


def _is_ome(node: Node) -> bool:
    """Return True for a group of OME-NGFF with images."""
    ome = node.ome
    is_plate = isinstance(ome.get("plate"), Mapping) or isinstance(ome.get("well"), Mapping)
    return is_plate or is_image(node) or SERIES_LAYOUT in ome or SERIES_LAYOUT in node.attributes
