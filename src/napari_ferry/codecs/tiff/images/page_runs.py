"""Stacks of pages that a program wrote one by one, each with a description of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.tiff.pages.page_kind import PageKind
from napari_ferry.image import Axis
from napari_ferry.image.record import ASSUMED, Description

ASSUMED_STACK = (
    "its frames were written one by one and are shown as one stack, in the order of the file"
)

FRAME_VALUES = "frames"
"""Key of `Image.metadata`: values that differ from step to step, each as a list."""

_NAMES = ("name", "channel", "kind", "label", "title", "type")
"""What writers call images by, in any case."""

_MOST_NAMES = 16
"""Names of single frames above which each is taken for a number."""

_Item = TypeVar("_Item")


@dataclass(frozen=True, kw_only=True)
class PageRun:
    """Consecutive pages of a file that one description covers.

    Parameters
    ----------
    description : Description
        The image that the pages make up.
    pages : array of int64, axis page
        Their numbers.
    kind : PageKind
        The kind of the first of them.
    move : (int, int), optional
        How the stored axes of a page move; see `frame_axes`.
    key : hashable, optional
        Equal for runs that can be joined; ``None`` for an image that stays by itself.
    """

    description: Description
    pages: NDArray[np.int64]
    kind: PageKind
    move: tuple[int, int] | None
    key: Hashable = None


@dataclass(frozen=True, kw_only=True)
class PageStack:
    """Runs of pages that make up one image, one after the other.

    Parameters
    ----------
    description : Description
        The image.
    runs : sequence of PageRun
        One run, or several that are steps along its first axis, ``t``.
    """

    description: Description
    runs: Sequence[PageRun]


def join_key(description: Description, kind: PageKind) -> Hashable:
    """Return the key of runs that can be joined, ``None`` for a run that stays by itself.

    Runs are joined along time: the first axis where that is ``t``, else a new one.
    """
    steps = _time_axes(description)
    names = tuple(axis.name for axis in description.axes[steps:])
    palette = None if kind.palette is None else kind.palette.tobytes()
    found = names, description.shape[steps:], description.dtype, kind.is_reduced, palette
    return None if "t" in names else found


def join_runs(runs: Iterable[PageRun]) -> list[PageStack]:
    """Join runs that differ in nothing but their order, in the order of the file."""
    alike: dict[Hashable, list[PageRun]] = {}
    for run in runs:
        key = ("alone", len(alike)) if run.key is None else run.key
        alike.setdefault(key, []).append(run)
    groups = [group for some in alike.values() for group in split_by_name(some, _name, _is_long)]
    return [
        PageStack(description=_join(group) if len(group) > 1 else group[0].description, runs=group)
        for group in groups
    ]


def split_by_name(
    items: Sequence[_Item], name: Callable[[_Item], str], is_long: Callable[[_Item], bool]
) -> list[Sequence[_Item]]:
    """Split images that look alike by their names, where those tell them apart.

    Names of single frames that differ in digits alone are numbers, and so are many names of which
    none comes back.
    """
    groups: dict[str, list[_Item]] = {}
    is_frames = not any(map(is_long, items))
    for item in items:
        key = re.sub(r"\d+", "#", name(item)) if is_frames else name(item)
        groups.setdefault(key, []).append(item)
    are_numbers = is_frames and len(groups) > _MOST_NAMES and len(groups) == len(items)
    return [items] if are_numbers else [*groups.values()]


def merge_metadata(each: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge metadata: values that all share as they are, others as lists under `FRAME_VALUES`."""
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
    return " ".join(str(value) for key, value in metadata.items() if key.lower() in _NAMES)


def _is_long(run: PageRun) -> bool:
    """Whether a run is more than one frame."""
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
    """Return 1 where the first axis is time, and 0 elsewhere."""
    return int(description.axes[0].name == "t")
