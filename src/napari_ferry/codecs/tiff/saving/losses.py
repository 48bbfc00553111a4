"""Losses of a save as TIFF, and the obstacles to other programs."""

from __future__ import annotations

from collections.abc import Iterator

from napari_ferry.codecs.tiff.saving.job import Job
from napari_ferry.image import common_losses
from napari_ferry.imagej import step_losses as imagej_step_losses
from napari_ferry.ome_xml import step_losses as ome_step_losses

_UNCOMMON_DTYPES = ("int64", "uint64", "float16", "complex64", "complex128")
"""Data types read by neither ImageJ nor Bio-Formats."""


def losses_of(job: Job) -> tuple[str, ...]:
    """Return one sentence for each loss and each obstacle of a job."""
    losses = [*_metadata_losses(job), *_obstacles(job)]
    losses += common_losses(job.images, has_pyramid=all(page.levels for page in job.pages))
    return tuple(dict.fromkeys(losses))


def _metadata_losses(job: Job) -> Iterator[str]:
    """Yield sentences about properties restored only by napari-ferry, from its record."""
    for image in job.images:
        if image.dtype == bool:
            yield "bool samples are stored as 0 and 1 of uint8; napari-ferry opens them as bool"
        if job.flavor == "imagej":
            yield from imagej_step_losses(image.axes)
        if job.flavor == "ome":
            yield from _unknown_axes(image.axis_names)
            yield from ome_step_losses(image.axes)


def _unknown_axes(names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if name not in "tczyxs":
            yield (
                f"the axis {name} is stored as t, z or c, because OME-TIFF has no other axes; only "
                "napari-ferry restores its name"
            )


def _obstacles(job: Job) -> Iterator[str]:
    """Yield sentences about obstacles for some programs, each with its cure if there is one."""
    for image in job.images:
        if image.dtype.name in _UNCOMMON_DTYPES:
            numbers = "complex numbers" if image.dtype.kind == "c" else "samples"
            yield f"ImageJ and Bio-Formats do not read {numbers} of {image.dtype.name}"

    if any(page.compression == "zstd" for page in job.pages):
        yield (
            "ImageJ and many other programs do not read zstd: choose zlib for files to open in them"
        )
    if any(page.tile for page in job.pages):
        has_levels = any(page.levels for page in job.pages)
        stored = (
            "a pyramid is stored in tiles" if has_levels else "large planes are stored in tiles"
        )
        yield (
            f"{stored}, which ImageJ without Bio-Formats and other simple programs do not read: "
            "save as .tif without a pyramid for files to open in them"
        )
    if job.pyramid and not all(page.levels for page in job.pages):
        yield "planes of at most 1024 pixels per side get no pyramid"
