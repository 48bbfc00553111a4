"""One plan for several data sets, saved together or not at all."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_ferry.errors import InvalidImageError
from napari_ferry.saving.encode_tasks import EncodeTasks
from napari_ferry.saving.plan import Plan
from napari_ferry.saving.stream import Results, Stream
from napari_ferry.saving.write_groups import Writes


def merge_plans(plans: Sequence[Plan], name: str) -> Plan:
    """Return one plan with the files of several.

    Parameters
    ----------
    plans : sequence of Plan
        Plans with different files.
    name : str
        Name of the whole.

    Raises
    ------
    InvalidImageError
        One of them is a series of files, whose number may depend on compression.
    """
    series = next((plan for plan in plans if plan.nonce or _is_open_ended(plan.stream)), None)
    if series is not None:
        raise InvalidImageError(
            f"{series.name} would be several files itself: split the data along another axis as "
            "well, or raise size_cap in formats with this option."
        )

    paths = {path for plan in plans for path in plan.paths}
    stale = dict.fromkeys(path for plan in plans for path in plan.stale if path not in paths)
    return Plan(
        files=tuple(file for plan in plans for file in plan.files),
        writes=Writes(group for plan in plans for group in plan.grouped_writes.groups),
        losses=_unique(plan.losses for plan in plans),
        nframes=sum(plan.nframes for plan in plans),
        identity=json.dumps([plan.identity for plan in plans]),
        stale=tuple(stale),
        stream=_merge_streams([plan.stream for plan in plans if plan.stream is not None]),
        frame_rate=plans[0].frame_rate,
        name=name,
        details=_unique(plan.details for plan in plans),
    )


@dataclass(frozen=True)
class _AssembleEach:
    """Assembles the file of each stream from its own tasks.

    Parameters
    ----------
    counts : tuple of int
        Number of tasks of each stream.
    assemblers : tuple of callable
        `Stream.assemble` of each stream.
    """

    counts: tuple[int, ...]
    assemblers: tuple[Callable[[Sequence[Path], Results], int], ...]

    def __call__(self, partials: Sequence[Path], results: Results) -> int:
        for partial, count, assemble in zip(partials, self.counts, self.assemblers, strict=True):
            own = results.take(count)
            assemble([partial], own)
            deque(own, maxlen=0)  # the next file begins with its own tasks
        return len(partials)


def _merge_streams(streams: Sequence[Stream]) -> Stream | None:
    if not streams:
        return None
    return Stream(
        paths=tuple(path for stream in streams for path in stream.paths),
        tasks=EncodeTasks(tuple(group for stream in streams for group in stream.tasks.groups)),
        assemble=_AssembleEach(
            tuple(len(stream.tasks) for stream in streams),
            tuple(stream.assemble for stream in streams),
        ),
    )


def _is_open_ended(stream: Stream | None) -> bool:
    """Return True if the number of files is known only when they are written."""
    return stream is not None and len(stream.paths) > 1


def _unique(texts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for each in texts for text in each))
