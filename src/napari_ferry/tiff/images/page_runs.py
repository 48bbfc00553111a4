"""Stacks of pages that a program wrote one by one, each with a description of its own."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.axes import Axis
from napari_ferry.description import Description
from napari_ferry.tiff.pages.kinds import PageKind

ASSUMED_STACK = (
    "its frames were written one by one and are shown as one stack, in the order of the file"
)


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
    """Return what runs have in common that are steps of one stack, ``None`` for no stack.

    Steps follow each other along time: along the first axis where that is ``t``, else along a new
    one.
    """
    steps = _time_axes(description)
    names = tuple(axis.name for axis in description.axes[steps:])
    palette = None if kind.palette is None else kind.palette.tobytes()
    found = names, description.shape[steps:], description.dtype, kind.is_reduced, palette
    return None if "t" in names else found


def join_runs(runs: Iterable[PageRun]) -> list[PageStack]:
    """Join the runs that nothing but their order tells apart, in the order of the file.

    Metadata that all runs share is kept as it is; a value that differs becomes a list with one
    entry for each run.
    """
    groups: dict[Hashable, list[PageRun]] = {}
    for run in runs:
        key = ("alone", len(groups)) if run.key is None else run.key
        groups.setdefault(key, []).append(run)
    return [
        PageStack(description=_join(group) if len(group) > 1 else group[0].description, runs=group)
        for group in groups.values()
    ]


def _join(runs: Sequence[PageRun]) -> Description:
    first = runs[0].description
    steps = _time_axes(first)
    count = sum(run.description.shape[0] if _time_axes(run.description) else 1 for run in runs)
    time = first.axes[0] if steps else Axis("t")
    metadata = _merge([run.description.metadata or {} for run in runs])
    return replace(
        first,
        shape=(count, *first.shape[steps:]),
        axes=(time, *first.axes[steps:]),
        metadata={**metadata, "assumed": ASSUMED_STACK},
    )


def _time_axes(description: Description) -> int:
    """Return 1 where the first axis is time, and 0 elsewhere."""
    return int(description.axes[0].name == "t")


def _merge(each: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = each[0]
    if all(metadata is first for metadata in each):
        return dict(first)
    keys = dict.fromkeys(key for metadata in each for key in metadata)
    columns = {key: [metadata.get(key) for metadata in each] for key in keys}
    return {
        key: values[0] if all(value == values[0] for value in values) else values
        for key, values in columns.items()
    }
