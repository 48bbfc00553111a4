"""Number of threads of a save."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_ferry.arrays.file_array import FileArray
from napari_ferry.arrays.identity import StampedParts

if TYPE_CHECKING:
    from napari_ferry.saving.plan import Plan

_PROGRAM_BYTES = 1 << 30
"""Memory of all programs that run at once, for up to four threads."""

_THREAD_BYTES = 256 << 20
"""Memory of all programs that run at once, for each of many threads."""


def default_workers(plan: Plan, cores: int) -> int:
    """Return the default number of threads of a save, given the number of cores.

    One thread is sufficient to copy memory or files to a disk; computing, decoding and encoding
    benefit from more.
    """
    arrays = plan.grouped_writes.arrays
    if arrays and all(isinstance(array, StampedParts) for array in arrays):
        return 1
    if plan.is_encoded:
        return min(8, cores)
    is_copied = all(isinstance(array, np.ndarray | FileArray) for array in arrays)
    return 1 if is_copied else min(4, cores)


def most_at_once(plan: Plan, threads: int) -> int:
    """Return the number of threads for writes, limited by the memory of the programs they run."""
    program = plan.grouped_writes.program_memory
    memory = max(_PROGRAM_BYTES, threads * _THREAD_BYTES)
    return max(1, min(threads, memory // program)) if program else threads
