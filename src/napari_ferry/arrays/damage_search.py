"""Search for unreadable parts of a lazy array."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator

import numpy as np

from napari_ferry.arrays.array_protocol import Array
from napari_ferry.arrays.blocks import BLOCK_BYTES
from napari_ferry.arrays.frames import Frames, SequentialReader
from napari_ferry.arrays.region_grid import Region
from napari_ferry.arrays.regions import region_bytes, split_by_bytes, whole_region
from napari_ferry.errors import UnreadableFileError, share_collector

_MOST_THREADS = 8

_BATCH = 4
"""Blocks that wait for each thread, so that memory does not grow with the array."""


def find_damage(array: Array, count: Callable[[int], None]) -> Iterator[str]:
    """Read a whole array, and yield a message about each unreadable part.

    Parameters
    ----------
    array : array
        Any lazy array. Several threads read it, unless its frames must be read in order.
    count : callable
        Called from these threads with the size of each block after it was read, in bytes.
    """
    from concurrent.futures import ThreadPoolExecutor

    def search(region: Region) -> list[str]:
        """Return messages about the damage in a region, and count its bytes."""
        messages = _search_block(array, region)
        count(region_bytes(array, region))
        return messages

    is_sequential = isinstance(array, Frames) and isinstance(array.read, SequentialReader)
    n_threads = 1 if is_sequential else min(_MOST_THREADS, os.cpu_count() or 1)
    blocks = iter(split_by_bytes(array, whole_region(array.shape), BLOCK_BYTES))
    with ThreadPoolExecutor(n_threads, "ferry-verify", share_collector()) as pool:
        while batch := list(itertools.islice(blocks, _BATCH * n_threads)):
            for messages in pool.map(search, batch):
                yield from messages


def _search_block(array: Array, region: Region) -> list[str]:
    """Read a block, and each of its chunks if the block cannot be read; return their messages."""
    if _read(array, region) is None:
        return []
    chunks = split_by_bytes(array, region, 1)
    found = (_read(array, chunk) for chunk in chunks)
    return list(dict.fromkeys(message for message in found if message is not None))


def _read(array: Array, region: Region) -> str | None:
    """Read a region; return the message of its error, or ``None`` without one."""
    try:
        np.asarray(array[region])
    except (UnreadableFileError, OSError) as error:
        return str(error)
    return None
