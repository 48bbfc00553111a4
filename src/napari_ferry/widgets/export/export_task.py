"""One export, and the function to run it in a thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from qtpy.QtGui import QPixmap

from napari_ferry.files.stored_size import stored_bytes
from napari_ferry.saving import Plan, Progress, run
from napari_ferry.saving.execution.workers import default_workers

OpenPlan: TypeAlias = Callable[[], AbstractContextManager[Plan]]
"""Function that opens a plan."""

CORES = max(1, (os.cpu_count() or 1) - 1)
"""Processor cores of an export: one is left to the window."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One export.

    Parameters
    ----------
    path : Path
        Its first file.
    overwrite : bool
        True to replace existing files; the user has agreed.
    is_movie : bool
        True if a player opens the file; otherwise napari does.
    thumbnail : QPixmap, optional
        Small picture of it.
    """

    path: Path
    overwrite: bool
    is_movie: bool = False
    thumbnail: QPixmap | None = None

    @property
    def name(self) -> str:
        """Name of its first file, for display."""
        return self.path.name


def export(
    job: Job, plan: Plan, *, progress: Callable[[Progress], None], cancel: Callable[[], bool]
) -> tuple[list[Path], int]:
    """Export in this thread; return the files written and their total size in bytes.

    Parameters
    ----------
    job : Job
        The export.
    plan : Plan
        Its plan.
    progress, cancel : callable
        As for `napari_ferry.run`.
    """
    paths = run(
        plan,
        overwrite=job.overwrite,
        workers=default_workers(plan, CORES),
        progress=progress,
        cancel=cancel,
    )
    return paths, stored_bytes(paths)
