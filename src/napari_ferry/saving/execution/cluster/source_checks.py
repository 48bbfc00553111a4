"""Checks that the workers of a cluster can read the sources of a save, and have memory for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import xxhash

from napari_ferry.arrays import Array, Region
from napari_ferry.arrays.memmap import is_in_file
from napari_ferry.arrays.progress import size_text
from napari_ferry.arrays.regions import is_sent_by_path
from napari_ferry.errors import ClusterError, FerryError, InvalidImageError
from napari_ferry.saving.execution.cluster.worker_checks import ask
from napari_ferry.saving.plan import Plan

if TYPE_CHECKING:
    import distributed

_MOST_IN_MEMORY = 1_000_000_000

_SAMPLED_SIDE = 16
"""Side of the region of a source that every worker reads, in pixels."""

_MEMORY_FOR_STEPS = 0.6
"""Part of the memory limit of a worker that is for steps; above it, dask writes to the disk."""


class _Sample(NamedTuple):
    """Digest of some pixels, or the reason why they cannot be read."""

    digest: str
    reason: str = ""


def check_sources(arrays: Iterable[Array]) -> None:
    """Refuse large sources in the memory of this process, which would travel to the workers.

    Raises
    ------
    InvalidImageError
        They have more than 1 GB.
    """
    own = {id(array): array for array in arrays if isinstance(array, np.ndarray)}
    nbytes = sum(array.nbytes for array in own.values() if not is_in_file(array))
    if nbytes > _MOST_IN_MEMORY:
        raise InvalidImageError(
            f"The images are in memory ({size_text(nbytes)}), and would travel to the workers of "
            "the cluster: save them as .bin or .ome.zarr without the cluster, and open that file."
        )


def check_pixels(client: distributed.Client, plan: Plan) -> None:
    """Refuse workers that read other pixels of the sources in files than this process.

    A small region of the first and of the last source is compared.

    Parameters
    ----------
    client : Client
        Client of the cluster.
    plan : Plan
        The save.

    Raises
    ------
    ClusterError
        A worker cannot read a source, or reads other pixels.
    """
    in_files = [source for source in plan.sources if is_sent_by_path(source)]
    for array in {id(source): source for source in (*in_files[:1], *in_files[-1:])}.values():
        region = _sampled_region(array)
        own = read_sample(array, region)
        for worker, sample in ask(client, read_sample, array, region).items():
            if sample.reason and not own.reason:
                raise ClusterError(
                    f"The worker {worker} cannot read the images ({sample.reason.rstrip('.')}): "
                    "open them from a folder that all workers see by the same path."
                )
            if sample.digest != own.digest:
                raise ClusterError(
                    f"The worker {worker} reads other pixels than this computer: make sure that "
                    "the same files are in its folders, and open the images again."
                )


def _sampled_region(array: Array) -> Region:
    """Return a few pixels in the middle of an array."""
    sides = (1,) * (array.ndim - 2) + (_SAMPLED_SIDE,) * min(2, array.ndim)
    return tuple(slice(n // 2, min(n, n // 2 + k)) for n, k in zip(array.shape, sides, strict=True))


def read_sample(array: Array, region: Region) -> _Sample:
    """Return the digest of a region of an array; called on each worker."""
    import dask

    try:
        with dask.config.set(scheduler="synchronous"):
            pixels = np.ascontiguousarray(array[region])
    except (FerryError, OSError) as error:
        return _Sample("", str(error))
    return _Sample(xxhash.xxh3_64_hexdigest(pixels.tobytes()))


def check_memory(client: distributed.Client, plan: Plan) -> None:
    """Refuse workers whose threads need more memory than they have.

    Parameters
    ----------
    client : Client
        Client of the cluster.
    plan : Plan
        The save.

    Raises
    ------
    ClusterError
        The steps of all threads of a worker need more than 60 % of its memory limit.
    """
    need = plan.step_memory
    for worker, info in client.scheduler_info(n_workers=-1)["workers"].items():
        limit, threads = info["memory_limit"], info["nthreads"]
        if limit and need * threads > _MEMORY_FOR_STEPS * limit:
            raise ClusterError(
                f"The worker {worker} has {threads} threads and a memory limit of "
                f"{size_text(limit)}, but its threads need {size_text(need * threads)} of "
                f"{size_text(_MEMORY_FOR_STEPS * limit)} for parts of the images: start it with "
                "fewer threads, or a higher limit."
            )
