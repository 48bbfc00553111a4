"""Runners of the steps of a save: threads of this process, or a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, TypeAlias

from napari_ferry.arrays.progress import Monitor
from napari_ferry.saving.execution.attempt import Attempt, Outcome, carry_out
from napari_ferry.saving.stream import Stream

Scheduler: TypeAlias = Any
"""A ``dask.distributed.Client``, a cluster, or the address of a scheduler."""


class Runner(Protocol):
    """A runner of the steps of a save, each of which occupies a thread of this process."""

    @property
    def threads(self) -> int:
        """Maximum number of threads of this process waiting for steps or carrying them out."""

    def most_waiting(self) -> int:
        """Return the maximum number of steps in progress or waiting at present."""

    def carry_out(self, attempt: Attempt, monitor: Monitor) -> Outcome:
        """Carry out a write, and count its pixels."""

    def make_file(self, stream: Stream, partial: Path, monitor: Monitor) -> bool:
        """Make the file of a stream in one step, if this is possible; return whether it is."""


class ThreadRunner:
    """Threads of this process.

    Parameters
    ----------
    threads : int
        Number of threads.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def most_waiting(self) -> int:
        """Return twice the number of threads, to keep all of them busy."""
        return 2 * self.threads

    def carry_out(self, attempt: Attempt, monitor: Monitor) -> Outcome:
        """Carry out a write, and count its pixels block by block."""
        outcome = carry_out(attempt, monitor.count, monitor.check)
        if outcome.is_skipped:
            monitor.add(attempt.write.nbytes, skipped=True)
        return outcome

    def make_file(self, stream: Stream, partial: Path, monitor: Monitor) -> bool:
        """Return False: threads encode the tasks of a stream."""
        return False
