"""Stacks of pages written one by one, each with its own description."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.pages.page_kind import AxisMove, PageKind
from napari_ferry.image import Axis
from napari_ferry.image.record import ASSUMED, Description

ASSUMED_STACK = (
    "the frames were written one by one and are shown as one stack, in the order of the file"
)

FRAME_VALUES = "frames"
"""Key of `Image.metadata`: values that differ between frames, each as a list."""

_NAME_KEYS = ("name", "channel", "kind", "label", "title", "type")
"""Keys under which writers store the name of an image, in any case."""

_MAX_NAMES = 16
"""Number of names of single frames above which unique names are treated as numbers."""

_Item = TypeVar("_Item")


@dataclass(frozen=True, kw_only=True)
class PageRun:
    """Consecutive pages of a file under one description.

    Parameters
    ----------
    description : Description
        The image made of the pages.
    pages : array of int64, axis page
        Their numbers.
    kind : PageKind
        Kind of the first page.
    move : (int, int), optional
        How the stored axes of a page move; see `frame_axes`.
    key : hashable, optional
        Equal for runs that can be joined; ``None`` for a separate image.
    """

    description: Description
    pages: NDArray[np.int64]
    kind: PageKind
    move: AxisMove | None
    key: Hashable = None


@dataclass(frozen=True, kw_only=True)
class PageStack:
    """Runs of pages joined into one image.

    Parameters
    ----------
    description : Description
        The image.
    runs : sequence of PageRun
        One run, or several consecutive ones along the first axis, ``t``.
    """

    description: Description
    runs: Sequence[PageRun]


def join_key(description: Description, kind: PageKind) -> Hashable:
    """Return the key of a run, equal for joinable runs; ``None`` for a separate image.

    Runs are joined along time: the first axis if it is ``t``, otherwise a new one.
    """
    steps = _time_axes(description)
    names = tuple(axis.name for axis in description.axes[steps:])
    palette = None if kind.palette is None else kind.palette.tobytes()
    key = names, description.shape[steps:], description.dtype, kind.is_reduced, palette
    return None if "t" in names else key


def join_runs(runs: Iterable[PageRun]) -> list[PageStack]:
    """Join runs with equal keys, in the order of the file, unless their names differ."""
    by_key: dict[Hashable, list[PageRun]] = {}
    for run in runs:
        key = ("separate", len(by_key)) if run.key is None else run.key
        by_key.setdefault(key, []).append(run)
    groups = [group for equal in by_key.values() for group in split_by_name(equal, _name, _is_long)]
    return [
        PageStack(description=_join(group) if len(group) > 1 else group[0].description, runs=group)
        for group in groups
    ]


def split_by_name(
    items: Sequence[_Item], name: Callable[[_Item], str], is_long: Callable[[_Item], bool]
) -> list[Sequence[_Item]]:
    """Split similar images by their names, unless the names only number the frames.

    Names of single frames number them if they differ in digits only, or if they are many and
    all different.
    """
    groups: dict[str, list[_Item]] = {}
    are_frames = not any(map(is_long, items))
    for item in items:
        key = re.sub(r"\d+", "#", name(item)) if are_frames else name(item)
        groups.setdefault(key, []).append(item)
    are_numbers = are_frames and len(groups) > _MAX_NAMES and len(groups) == len(items)
    return [items] if are_numbers else [*groups.values()]


def merge_metadata(each: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge metadata: equal values stay as they are, others become lists under `FRAME_VALUES`."""
    first = each[0]
    if all(metadata is first for metadata in each):
        return dict(first)

    keys = dict.fromkeys(key for metadata in each for key in metadata)
    columns = {key: [metadata.get(key) for metadata in each] for key in keys}
    shared = {
        key: values[0]
        for key, values in columns.items()
        if all(value == values[0] for value in values)
    }
    lists = {key: values for key, values in columns.items() if key not in shared}
    return {**shared, FRAME_VALUES: lists} if lists else shared


def _name(run: PageRun) -> str:
    metadata = run.description.metadata or {}
    return " ".join(str(value) for key, value in metadata.items() if key.lower() in _NAME_KEYS)


def _is_long(run: PageRun) -> bool:
    """Return True if a run is more than one frame."""
    description = run.description
    return len(description.shape) > description.frame_ndim


def _join(runs: Sequence[PageRun]) -> Description:
    first = runs[0].description
    steps = _time_axes(first)
    count = sum(run.description.shape[0] if _time_axes(run.description) else 1 for run in runs)
    time = first.axes[0] if steps else Axis("t")
    metadata = merge_metadata([run.description.metadata or {} for run in runs])
    return replace(
        first,
        shape=(count, *first.shape[steps:]),
        axes=(time, *first.axes[steps:]),
        metadata={**metadata, ASSUMED: ASSUMED_STACK},
    )


def _time_axes(description: Description) -> int:
    """Return 1 if the first axis is time, otherwise 0."""
    return int(description.axes[0].name == "t")
