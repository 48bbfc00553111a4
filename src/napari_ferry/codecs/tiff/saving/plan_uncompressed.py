"""Plans for TIFF files with uncompressed pixels, written into files of known size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from napari_ferry.codecs.tiff.saving.headers import data_start, first_pages
from napari_ferry.codecs.tiff.saving.job import Job
from napari_ferry.codecs.tiff.saving.layer import Flavor, Layer
from napari_ferry.codecs.tiff.saving.parts import part_files, split_layer
from napari_ferry.codecs.tiff.saving.series_description import part_path
from napari_ferry.saving import Plan, PlannedFile, pixel_writes
from napari_ferry.saving.write_groups import MadeGroups, WriteGroup, Writes, join_groups


def plan_uncompressed(job: Job) -> Plan:
    """Plan the files of a save without compression, and the writes of their pixels."""
    if job.is_series:
        return _plan_series(job)
    writes = Writes(
        group
        for layer, page in zip(job.layers, first_pages(job.layers), strict=True)
        for group in _writes(layer, job.path, job.flavor, page).groups
    )
    return Plan(files=(job.single_file,), writes=writes)


def _plan_series(job: Job) -> Plan:
    """Plan files below the cap, each with frames of one image."""
    reserve = 0
    while True:
        parts = [
            part
            for layer in job.layers
            for part in split_layer(layer, job.flavor, job.cap, reserve)
        ]
        files: list[PlannedFile] = part_files(parts, job.flavor, job.images, job.path, job.nonce)
        # the headers grow with the number of parts, and may exceed their estimate
        excess = max(file.nbytes for file in files) - math.ceil(job.cap) + 1
        if excess <= 0:
            break
        reserve += excess

    groups = MadeGroups(len(parts), partial(_part_group, parts=parts, job=job))
    return Plan(files=tuple(files), writes=Writes(groups))


def _part_group(index: int, *, parts: Sequence[Layer], job: Job) -> WriteGroup:
    """Return the writes of one file of a series."""
    path = part_path(job.path, index)
    # a stack of several sources has a group for each
    return join_groups(path, _writes(parts[index], path, job.flavor, 0))


def _writes(layer: Layer, path: Path, flavor: Flavor, page: int) -> Writes:
    """Plan the writes of a layer's pixels; `page` is its first page in the file."""
    return pixel_writes(
        path,
        layer.image.array,
        layer.region,
        lead=layer.lead,
        strides=layer.strides(flavor),
        dtype=layer.dtype,
        locate=partial(data_start, page=page),
    )
