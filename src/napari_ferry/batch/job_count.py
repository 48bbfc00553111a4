"""Progress of a batch, in bytes of the files of its sources."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from napari_ferry.arrays.progress import Progress
from napari_ferry.batch.jobs import Job
from napari_ferry.files.stored_size import stored_bytes


@dataclass(frozen=True, kw_only=True)
class BatchProgress:
    """Progress of a batch.

    Parameters
    ----------
    name : str
        Name of the data set that is converted.
    jobs_done, n_jobs : int
        Data sets that are finished, and all of them.
    share : float
        Part of the current data set that is converted, 0 to 1.
    done, total : int
        Bytes of the files of the sources; a data set counts as its part that is converted.
    seconds_left : float
        Estimate of the remaining time; infinite before the first bytes.
    """

    name: str
    jobs_done: int
    n_jobs: int
    share: float
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

    def __post_init__(self) -> None:
        """Read the sizes of all sources; unreadable files count as empty."""
        self.sizes = [_size_of(job) for job in self.jobs]

    def begin(self) -> None:
        """Report the next job."""
        self._report(0.0)

    def move(self, progress: Progress) -> None:
        """Report the progress of the save of the current job."""
        self._report(min(1.0, progress.done / max(1, progress.total)))

    def end(self, *, converted: bool) -> None:
        """Count the current job; only converted jobs affect the estimate."""
        size = self.sizes[self.jobs_done]
        self.jobs_done += 1
        self.done += size
        self.converted += size if converted else 0
        if self.jobs_done == len(self.jobs):
            self._report(0.0, name=self.jobs[-1].target.name)

    def _report(self, share: float, name: str = "") -> None:
        if self.report is None:
            return
        part = round(share * self.sizes[self.jobs_done]) if share else 0
        total, done = sum(self.sizes), self.done + part
        rate = (self.converted + part) / max(1e-9, time.perf_counter() - self.started)

        self.report(
            BatchProgress(
                name=name or self.jobs[self.jobs_done].target.name,
                jobs_done=self.jobs_done,
                n_jobs=len(self.jobs),
                share=share,
                done=done,
                total=total,
                seconds_left=(total - done) / rate if rate else float("inf"),
            )
        )


def _size_of(job: Job) -> int:
    try:
        return stored_bytes(path for path in job.input.files if path.exists())
    except OSError:
        return 0
