"""Reading of whole arrays into memory, with progress and cancellation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arguments import check_workers
from napari_ferry.arrays.array_protocol import Array
from napari_ferry.arrays.blocks import BLOCK_BYTES
from napari_ferry.arrays.frames import Frames
from napari_ferry.arrays.memmap import check_length
from napari_ferry.arrays.progress import Monitor, Report, reporting
from napari_ferry.arrays.reading_context import single_use
from napari_ferry.arrays.regions import array_bytes, split_by_bytes, whole_region
from napari_ferry.errors import FerryError, LoadCancelledError


def read_array(
    array: Array,
    *,
    workers: int | None = None,
    progress: Report | bool | None = None,
    cancel: Callable[[], bool] | None = None,
    name: str = "",
) -> NDArray[Any]:
    """Read a whole array into memory.

    Parameters
    ----------
    array : array
        The array.
    workers : int, optional
        Number of threads for `Frames`; chosen automatically by default.
    progress : callable or bool, optional
        Called with `Progress` after each block, from the threads that read; True shows a bar.
    cancel : callable, optional
        Called between blocks; reading stops if it returns True.
    name : str
        Name of the file, for the progress bar.

    Raises
    ------
    InvalidImageError
        `workers` is not a whole number of at least 1, or the file has become shorter.
    LoadCancelledError
        `cancel` returned True.
    """
    check_workers(workers)
    check_length(array)
    if not progress and cancel is None:
        with single_use():
            return array.read_all(workers=workers) if isinstance(array, Frames) else np.array(array)

    total = array_bytes(array)
    with reporting(progress, total, name) as report:
        monitor = Monitor(total=total, report=report, cancel=cancel, cancelled=_load_cancelled)
        monitor.check()
        if isinstance(array, Frames):
            return array.read_all(workers=workers, count=monitor.count)
        return _read_blocks(array, monitor)


def _load_cancelled() -> FerryError:
    return LoadCancelledError("Loading was cancelled: no pixels were kept.")


def _read_blocks(array: Array, monitor: Monitor) -> NDArray[Any]:
    """Read an array block by block."""
    out = np.empty(array.shape, array.dtype)
    for region in split_by_bytes(array, whole_region(array.shape), BLOCK_BYTES):
        with single_use():
            out[region] = array[region]
        monitor.count(out[region])
    return out
