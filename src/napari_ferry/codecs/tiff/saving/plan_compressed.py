"""Plans for TIFF files with encoded pages: compressed, tiled, or with a pyramid."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from napari_ferry.arrays import split_by_frames, whole_region
from napari_ferry.arrays.array_layout import chunk_lengths
from napari_ferry.arrays.region_grid import EvenCuts, RegionGrid
from napari_ferry.arrays.regions import largest_chunk
from napari_ferry.codecs.tiff.folders.own_series import is_own_part
from napari_ferry.codecs.tiff.saving.headers import (
    CLASSIC_BYTES,
    DIRECTORY_BYTES,
    writer_options,
)
from napari_ferry.codecs.tiff.saving.job import Job
from napari_ferry.codecs.tiff.saving.layer import Layer
from napari_ferry.codecs.tiff.saving.page_encoder import EncodeFrames, PageFormat
from napari_ferry.codecs.tiff.saving.page_writer import WriterSettings, assemble
from napari_ferry.codecs.tiff.saving.parts import run_descriptions
from napari_ferry.codecs.tiff.saving.series_description import FrameRun, part_path
from napari_ferry.errors import InvalidImageError
from napari_ferry.saving import Plan, PlannedFile, Stream
from napari_ferry.saving.encode_tasks import EncodeTasks, group_regions
from napari_ferry.saving.stream import frames_per_task

_PLACEHOLDER = "napari-ferry"
"""Description of a part until all parts are written."""


def plan_compressed(job: Job) -> Plan:
    """Plan the files of a save with encoded pages, and the tasks to encode them."""
    if job.is_series:
        return _plan_series(job)
    settings = WriterSettings(
        options=writer_options(job.layers, job.flavor),
        bigtiff=job.single_file.nbytes > CLASSIC_BYTES,
    )
    write = partial(assemble, job=job, settings=settings)
    stream = Stream(paths=(job.path,), tasks=_tasks(job), assemble=write)
    return Plan(files=(job.single_file,), stream=stream)


def _plan_series(job: Job) -> Plan:
    """Plan parts of encoded pages, each as large as the cap allows.

    The number of parts is known only when they are written, so the largest possible number is
    planned. If one part is enough, it gets the name of the series.
    """
    paths, reserve = _reserve_parts(job)
    placeholders = ({"description": _PLACEHOLDER},) * len(job.layers)
    settings = WriterSettings(
        options=writer_options(job.layers, job.flavor)._replace(first=placeholders),
        bigtiff=job.cap > CLASSIC_BYTES,
        series=paths,
        reserve=reserve,
    )
    nbytes = min(math.ceil(job.cap), job.max_page_bytes // len(paths) + reserve)
    files = tuple(PlannedFile(path=path, nbytes=nbytes, may_replace=is_own_part) for path in paths)
    write = partial(assemble, job=job, settings=settings)
    stream = Stream(paths=paths, tasks=_tasks(job), assemble=write, single_path=job.path)
    return Plan(files=files, stream=stream)


class _Reservation(NamedTuple):
    """Paths of the largest possible number of parts, and bytes for the description in each."""

    paths: tuple[Path, ...]
    reserve: int


def _reserve_parts(job: Job) -> _Reservation:
    """Return the parts of a series of incompressible pages.

    Raises
    ------
    InvalidImageError
        The description is larger than the cap.
    """
    reserve, count = 0, 0
    while True:
        runs = [*_incompressible_runs(job, job.cap - reserve)]
        paths = tuple(part_path(job.path, i) for i in range(len(runs)))
        text = next(run_descriptions(runs, job.images, job.path, job.nonce))
        if len(runs) == count:
            break
        # the final description can have longer numbers
        count, reserve = len(runs), len(text.encode()) + 64 * len(runs) + 1024
    if job.cap <= reserve + DIRECTORY_BYTES:
        raise InvalidImageError(
            f"Each of up to {count} files needs {reserve / 1e9:.6g} GB to describe the whole data "
            f"set, and the size cap is {job.cap / 1e9:.6g} GB: raise the cap."
        )
    return _Reservation(paths, reserve)


def _incompressible_runs(job: Job, available: float) -> Iterator[FrameRun]:
    """Yield the frames of each part if encoding saves nothing; parts have `available` bytes."""
    for index, (layer, page) in enumerate(zip(job.layers, job.pages, strict=True)):
        most = max(1, int(available // page.max_bytes))
        for first in range(0, layer.nframes, most):
            nframes = min(most, layer.nframes - first)
            yield FrameRun(image=index, first=first, nframes=nframes)


def _tasks(job: Job) -> EncodeTasks:
    """Return tasks in the order of the pages of a file, for whole frames or rows of one frame."""
    groups = []
    for layer, page in zip(job.layers, job.pages, strict=True):
        order = layer.stored_order(job.flavor)
        frames, rows = _task_size(layer, page)
        grid = _frame_regions(layer, order, frames)
        height = EvenCuts(0, page.shape[0], 0, rows)
        sides = (*grid.sides[: layer.lead], height, *grid.sides[layer.lead + 1 :])
        regions = replace(grid, sides=sides)
        groups.append(group_regions(layer.image.array, regions, EncodeFrames(page, order)))
    return EncodeTasks(tuple(groups))


def _task_size(layer: Layer, page: PageFormat) -> tuple[int, int]:
    """Return the number of frames of one task, and of their rows.

    Each chunk of the source is read for one task only, unless it has many large frames.
    """
    steps = largest_chunk(layer.image.array)
    in_chunk, height = math.prod(steps[: layer.lead]), page.shape[0]
    together = frames_per_task(page.nbytes, in_chunk)
    if page.band_rows is None:
        return together, height
    if min(together, in_chunk) > 1:
        return min(together, in_chunk), height
    bands = -(-steps[layer.lead] // page.band_rows)
    return 1, min(height, max(1, bands) * page.band_rows)


def _frame_regions(layer: Layer, order: Sequence[int], most: int) -> RegionGrid:
    """Return regions of up to `most` whole frames, in the order of storage."""
    lead, region, chunks = layer.lead, whole_region(layer.shape), chunk_lengths(layer.image.array)
    stored = (*(region[k] for k in order), *region[lead:])
    grid = split_by_frames(stored, lead, most, [chunks[k] for k in order])
    return grid.move_axes((*order, *range(lead, len(region))))
