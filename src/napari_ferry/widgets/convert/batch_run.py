"""A batch that runs in another thread, with its progress and its outcomes."""

from __future__ import annotations

import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from napari_ferry.batch.batch_record import Record
from napari_ferry.batch.conversion import run_jobs
from napari_ferry.batch.inputs import Input, Inputs, Skipped
from napari_ferry.batch.job_count import BatchProgress
from napari_ferry.batch.jobs import Job, Jobs, name_jobs
from napari_ferry.batch.parallel_jobs import count_at_once
from napari_ferry.batch.report import Outcome, Report
from napari_ferry.errors import UnreadableFileError
from napari_ferry.saving import Plan, Progress, run
from napari_ferry.saving.execution.workers import default_workers
from napari_ferry.widgets.convert.conversion_request import ConversionRequest
from napari_ferry.widgets.export.export_task import CORES

_KEPT = "{} exists already and is kept"


def _is_never_closed() -> bool:
    return False


@dataclass(kw_only=True)
class BatchRun:
    """One batch.

    Parameters
    ----------
    request : ConversionRequest
        Names, format and options.
    inputs : sequence of Input
        The data sets.
    overwrite : bool
        Whether to replace files that no earlier batch made.
    threads : int, optional
        Threads of each save; None for the default.
    address : str
        Scheduler of a cluster; empty to run here.
    is_closed : callable
        Returns True to stop, as the window was closed; called from the thread of the batch.
    """

    request: ConversionRequest
    inputs: Sequence[Input]
    overwrite: bool = False
    threads: int | None = None
    address: str = ""
    is_closed: Callable[[], bool] = _is_never_closed
    cancelled: threading.Event = field(default_factory=threading.Event)
    progress: BatchProgress | None = None
    outcomes: deque[Outcome] = field(default_factory=deque)
    """Outcomes that the window has not shown yet."""
    n_targets: Counter[str | Path] = field(default_factory=Counter)
    """Number of targets of each source, once they are known."""

    def run(self) -> Report:
        """Convert all data sets; for another thread.

        Raises
        ------
        FerryError
            Two data sets have one target, their folder cannot be written to, or the cluster does
            not answer.
        """
        naming = self.request.naming
        record = Record.read(naming.folder)
        jobs = name_jobs(Inputs(found=tuple(self.inputs)), naming, record)
        jobs.check_folder(self.request.digest)
        self.n_targets.update(job.input.source for job in jobs.jobs)
        self.n_targets.update(each.path for each in jobs.skipped)
        if not self.overwrite:
            jobs = self._keep_existing(jobs)
        with self._connect() as client:
            return run_jobs(
                jobs,
                self.request.plan_job,
                options=self.request.record_options,
                overwrite=self.overwrite,
                save=partial(self._save, client),
                progress=self._report,
                finished=self.outcomes.append,
                cancel=lambda: self.cancelled.is_set() or self.is_closed(),
                at_once=count_at_once(client),
            )

    def _keep_existing(self, jobs: Jobs) -> Jobs:
        """Return the jobs without those whose targets exist, and were not made by a batch."""
        kept, skipped = [], [*jobs.skipped]
        for job in jobs.jobs:
            if self._may_save(job, jobs.record):
                kept.append(job)
            else:
                reason = _KEPT.format(job.target.name)
                skipped.append(Skipped(path=Path(job.input.source), reason=reason))
        return replace(jobs, jobs=tuple(kept), skipped=tuple(skipped))

    def _may_save(self, job: Job, record: Record) -> bool:
        if not os.path.lexists(job.target):  # which returns False for impossible names
            return True
        try:
            entry = record.entry(job.target, job.input.source, job.input.files, self.request.digest)
        except UnreadableFileError:  # reported by the job
            return True
        return record.is_current(entry) or record.may_replace(entry, [job.target])

    def _connect(self) -> AbstractContextManager[Any]:
        if not self.address:
            return nullcontext()
        from napari_ferry.saving.execution.cluster.connection import connecting

        return connecting(self.address)

    def _report(self, progress: BatchProgress) -> None:
        self.progress = progress

    def _save(
        self,
        client: Any,
        plan: Plan,
        *,
        overwrite: bool,
        progress: Callable[[Progress], None],
        cancel: Callable[[], bool] | None,
    ) -> list[Path]:
        return run(
            plan,
            overwrite=overwrite,
            workers=self.threads or default_workers(plan, CORES),
            client=client,
            progress=progress,
            cancel=cancel,
        )
