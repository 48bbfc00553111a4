"""Progress of a batch, in bytes of the files of its sources."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_ferry.arrays.progress import Progress
from napari_ferry.batch.jobs import Job


@dataclass(frozen=True, kw_only=True)
class BatchProgress:
    """Progress of a batch.

    Parameters
    ----------
    name : str
        Name of the data set that is converted.
    jobs_done, n_jobs : int
        Data sets that are finished, and all of them.
    shares : mapping of str or Path to float
        Source of each data set in progress -> its part that is converted, 0 to 1.
    done, total : int
        Bytes of the files of the sources; a data set counts as its part that is converted.
    seconds_left : float
        Estimate of the remaining time; infinite before the first bytes.
    """

    name: str
    jobs_done: int
    n_jobs: int
    shares: Mapping[str | Path, float]
    done: int
    total: int
    seconds_left: float


@dataclass(kw_only=True)
class JobCount:
    """Count of the jobs of a batch and of the bytes of their sources."""

    jobs: Sequence[Job]
    report: Callable[[BatchProgress], None] | None
    sizes: list[int] = field(init=False)
    jobs_done: int = 0
    done: int = 0
    converted: int = 0
    started: float = field(default_factory=time.perf_counter)
    shares: dict[int, float] = field(default_factory=dict, init=False)
    """Number of each job in progress -> its part that is converted."""
    lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        """Read the sizes of all sources; unreadable files count as empty."""
        self.sizes = [job.input.read_size() for job in self.jobs]

    def begin(self, number: int) -> None:
        """Report the next job, given its number."""
        with self.lock:
            self.shares[number] = 0.0
            self._report(number)

    def move(self, number: int, progress: Progress) -> None:
        """Report the progress of the save of a job."""
        with self.lock:
            self.shares[number] = min(1.0, progress.done / max(1, progress.total))
            self._report(number)

    def end(self, number: int, *, converted: bool) -> None:
        """Count a job that ended; only converted jobs affect the estimate."""
        size = self.sizes[number]
        with self.lock:
            del self.shares[number]
            self.jobs_done += 1
            self.done += size
            self.converted += size if converted else 0
            if self.jobs_done == len(self.jobs):
                self._report(number)

    def _report(self, number: int) -> None:
        """Report the state of the batch, with the name of one job."""
        if self.report is None:
            return
        part = sum(round(share * self.sizes[k]) for k, share in self.shares.items())
        total, done = sum(self.sizes), self.done + part
        rate = (self.converted + part) / max(1e-9, time.perf_counter() - self.started)

        self.report(
            BatchProgress(
                name=self.jobs[number].target.name,
                jobs_done=self.jobs_done,
                n_jobs=len(self.jobs),
                shares={self.jobs[k].input.source: share for k, share in self.shares.items()},
                done=done,
                total=total,
                seconds_left=(total - done) / rate if rate else float("inf"),
            )
        )
