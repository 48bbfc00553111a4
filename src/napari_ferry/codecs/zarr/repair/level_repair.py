"""Levels of the pyramids of images: their existence and order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from napari_ferry.codecs.zarr.array import ZarrArray
from napari_ferry.codecs.zarr.chunk_damage import DamageError
from napari_ferry.codecs.zarr.multiscales import is_level
from napari_ferry.codecs.zarr.node import Node
from napari_ferry.codecs.zarr.repair.documents import Entry, show_value
from napari_ferry.errors import UnreadableFileError


@dataclass(frozen=True)
class Level:
    """One level.

    Parameters
    ----------
    dataset : dict
        Its item in the metadata, to be changed in place.
    node : Node
        Its array.
    array : ZarrArray
        The opened array, for its shape and data type.
    """

    dataset: dict[str, Any]
    node: Node
    array: ZarrArray

    @property
    def title(self) -> str:
        """Name for messages."""
        return f"level {self.dataset.get('path')}"


def repair_levels(multiscale: dict[str, Any], entry: Entry) -> list[Level]:
    """Remove missing levels from the list of an image, and sort the others by size.

    Returns
    -------
    list of Level
        The levels of the pyramid, full resolution first; empty if none can be opened.
    """
    datasets = multiscale.get("datasets")
    listed = datasets if isinstance(datasets, list) else []
    levels: list[Level] = []
    missing: list[Any] = []
    unreadable: list[Any] = []
    for item in listed:
        try:
            levels.append(_open_level(item, entry))
        except DamageError:
            missing.append(item)
        except UnreadableFileError as error:
            entry.remark(str(error))
            unreadable.append(item)
    if unreadable and (unreadable[0] is listed[0] or levels != sorted(levels, key=_size)):
        entry.remark("its full resolution is perhaps this one, so the image is left as it is.")
        return []
    if not levels:
        entry.remark("none of the levels can be opened: get a complete copy of the store.")
        return []

    if missing:
        _remove(missing, listed, entry)
    if len(levels) == len(listed):
        _sort(levels, listed, entry)
    levels.sort(key=_size)
    return [level for level in levels if _fits(levels[0], level, entry)]


def _open_level(item: object, entry: Entry) -> Level:
    """Open a level.

    Raises
    ------
    DamageError
        It is missing.
    UnreadableFileError
        It is damaged.
    """
    path = item.get("path") if isinstance(item, dict) else None
    node = entry.node.child(path)
    if node is None or not isinstance(item, dict):
        raise DamageError("it is missing")
    return Level(item, node, node.open_array())


def _size(level: Level) -> int:
    return -math.prod(level.array.shape)


def _remove(missing: list[Any], listed: list[Any], entry: Entry) -> None:
    """Remove missing levels from the list; the first one was probably the full resolution."""
    is_first = listed[0] in missing
    for item in missing:
        listed.remove(item)
        path = item.get("path") if isinstance(item, dict) else item
        entry.change(f"level {path}: listed, but missing in the store -> removed from the list")
    if is_first:
        entry.remark(
            "the first level is missing, probably the full resolution: get a complete copy of the "
            "store if there is one."
        )


def _sort(levels: list[Level], listed: list[Any], entry: Entry) -> None:
    """Sort the list of levels by size, if it is unsorted."""
    ordered = sorted(levels, key=_size)
    if ordered != levels:
        before = ", ".join(str(level.dataset["path"]) for level in levels)
        after = ", ".join(str(level.dataset["path"]) for level in ordered)
        listed[:] = [level.dataset for level in ordered]
        entry.change(f"order of the levels: {before} -> {after} (full resolution first)")


def _fits(full: Level, level: Level, entry: Entry) -> bool:
    if is_level(full.array, level.array):
        return True
    array = level.array
    entry.remark(
        f"{level.title} has the shape {array.shape} and the type {array.dtype}, and does not fit "
        f"{full.array.shape} and {full.array.dtype} of {show_value(full.dataset['path'])}: it is "
        "left as it is."
    )
    return False
