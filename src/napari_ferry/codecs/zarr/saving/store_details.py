"""Sentences about the resolutions and the files of a new store."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from napari_ferry.arrays.progress import size_text
from napari_ferry.codecs.zarr.saving.image_plan import ImagePlan
from napari_ferry.files.short_texts import count_things


def details_of(plans: Sequence[ImagePlan]) -> tuple[str, ...]:
    """Return sentences about the resolutions of each image, and about all files."""
    levels = [level for planned in plans for level in planned.levels]
    largest = max(
        math.prod(level.file) * planned.encoder.dtype.itemsize
        for planned in plans
        for level in planned.levels
    )
    n_files = sum(level.n_files for level in levels)
    shards = " of several chunks" if any(level.is_sharded for level in levels) else ""
    files = f"{n_files} files{shards}" if n_files != 1 else f"1 file{shards}"
    return (*_resolutions(plans), f"{files}, each of at most {size_text(largest)} of pixels.")


def _resolutions(plans: Sequence[ImagePlan]) -> Iterator[str]:
    """Yield the sizes of the planes of each image at all resolutions, largest first."""
    for planned in plans:
        names = [axis.name for axis in planned.axes]
        places = [names.index(name) for name in ("z", "y", "x") if name in names]
        sizes = [" x ".join(str(level.shape[k]) for k in places) for level in planned.levels]
        subject = f"{planned.image.name}: " if len(plans) > 1 and planned.image.name else ""
        count = count_things(len(sizes), "resolution")
        yield f"{subject}{count} ({', '.join(sizes)} pixels)."
