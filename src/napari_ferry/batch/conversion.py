"""`run_jobs`: conversions one after the other, all attempted even if some fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from napari_ferry.arguments import reading
from napari_ferry.arrays.progress import Report as ReportProgress
from napari_ferry.batch.batch_record import Entry, Record, Start, digest_options
from napari_ferry.batch.job_count import BatchProgress, JobCount
from napari_ferry.batch.jobs import Job, Jobs
from napari_ferry.batch.report import Outcome, Report
from napari_ferry.errors import (
    FerryError,
    ReopenError,
    SaveCancelledError,
    collecting_warnings,
    share_collector,
)
from napari_ferry.files.file_state import read_state
from napari_ferry.files.stored_size import stored_bytes
from napari_ferry.image import Image
from napari_ferry.saving import Plan, interrupted_save, run
from napari_ferry.saving.disk.new_folders import new_folders
from napari_ferry.saving.partial.interruption import is_unplaced
from napari_ferry.saving.plan_run import check_save

Planner: TypeAlias = Callable[[Job], tuple[Sequence[Image], Plan]]
"""Opens the source of a job, and plans to save it; returns the open images and the plan."""


UP_TO_DATE = "up to date"
"""Message about a target that was made before from the same source with the same options."""


class Save(Protocol):
    """Function that carries out a plan, such as `napari_ferry.run`."""

    def __call__(
        self,
        plan: Plan,
        /,
        *,
        overwrite: bool,
        progress: ReportProgress,
        cancel: Callable[[], bool] | None,
    ) -> list[Path]: ...


def run_jobs(
    found: Jobs,
    planner: Planner,
    *,
    options: Mapping[str, Any],
    overwrite: bool = False,
    dry_run: bool = False,
    save: Save = run,
    progress: Callable[[BatchProgress], None] | None = None,
    finished: Callable[[Outcome], None] | None = None,
    report: Report | None = None,
    cancel: Callable[[], bool] | None = None,
    at_once: int = 1,
) -> Report:
    """Convert data sets, one after the other or several at once; all are attempted.

    The same call goes on after an interruption: data sets that were converted with the same
    options, and have not changed since, are skipped, and an unfinished save is resumed. Targets
    that an earlier call made from the same sources are replaced if sources or options have changed.

    Parameters
    ----------
    found : Jobs
        The jobs, from `find_jobs`.
    planner : callable
        ``planner(job)`` opens a data set, and returns its images and their plan.
    options : mapping
        All options that change the result, as plain values.
    overwrite : bool
        True to replace other existing files, too.
    dry_run : bool
        True to plan all saves, and write nothing.
    save : callable
        Carries out a plan; `napari_ferry.run` by default.
    progress : callable, optional
        Called with `BatchProgress`, from the threads that write.
    finished : callable, optional
        Called with the `Outcome` of each data set.
    report : Report, optional
        Report to fill in, in which an interrupt leaves what was done; a new one by default.
    cancel : callable, optional
        Called between blocks; the batch stops if it returns True.
    at_once : int
        Number of data sets in progress, as on a cluster, where one worker writes a whole GIF.

    Returns
    -------
    Report
        Outcome of each data set.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import imload, imsave, plan
    >>> from napari_ferry.batch.jobs import find_jobs
    >>> from napari_ferry.batch.output_names import Naming
    >>> for k in range(3):
    ...     _ = imsave(np.zeros((3, 8, 8), np.uint8), f"cells {k}.tif")
    >>> def planner(job):
    ...     images = imload(job.input.source)
    ...     return images, plan(images, job.target)
    >>> naming = Naming(folder=Path("stores"), suffix=".ome.zarr")
    >>> run_jobs(find_jobs(["*.tif"], naming), planner, options={}).summary
    '3 converted'
    >>> run_jobs(find_jobs(["*.tif"], naming), planner, options={}).summary
    '0 converted, 3 skipped'
    """
    batch = _Batch(
        planner=planner,
        save=save,
        overwrite=overwrite,
        dry_run=dry_run,
        record=found.record,
        options=digest_options(options),
        cancel=cancel,
        count=JobCount(jobs=found.jobs, report=progress),
    )
    report, started = Report() if report is None else report, time.perf_counter()
    report.remaining = len(found.jobs)

    def add(outcome: Outcome) -> None:
        """Add an outcome to the report, and announce it."""
        report.outcomes.append(outcome)
        if finished is not None:
            finished(outcome)

    for each in found.skipped:
        add(Outcome.of_skipped(each))
    for outcome in batch.convert_all(found.jobs, at_once):
        report.seconds = time.perf_counter() - started
        if outcome is None:
            break
        report.remaining -= 1
        add(outcome)
    return report


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """The common settings of the jobs of a batch."""

    planner: Planner
    save: Save
    overwrite: bool
    dry_run: bool
    record: Record
    options: str
    cancel: Callable[[], bool] | None
    count: JobCount

    def convert_all(self, jobs: Sequence[Job], at_once: int) -> Iterator[Outcome | None]:
        """Yield the outcome of each data set, in order; ``None`` if the batch was cancelled."""
        if at_once == 1 or len(jobs) == 1:
            yield from map(self.convert, range(len(jobs)), jobs)
            return
        from concurrent.futures import ThreadPoolExecutor

        stop = threading.Event()
        each = replace(self, cancel=partial(_interrupt, stop, self.cancel))
        with ThreadPoolExecutor(at_once, "ferry-batch", share_collector()) as pool:
            futures = [pool.submit(each.convert, k, job) for k, job in enumerate(jobs)]
            try:
                for future in futures:
                    yield future.result()
            finally:  # after an interrupt, or if the batch was cancelled
                stop.set()
                pool.shutdown(wait=True, cancel_futures=True)

    def convert(self, number: int, job: Job) -> Outcome | None:
        """Convert one data set; return ``None`` if it was cancelled."""
        if self.cancel is not None and self.cancel():
            return None

        self.count.begin(number)
        started, warnings = time.perf_counter(), list[str]()
        try:
            with collecting_warnings(warnings):
                outcome = self._convert(number, job)
        except SaveCancelledError:
            return None
        except FerryError as error:
            outcome = Outcome(source=job.input.source, status="failed", message=str(error))
        except MemoryError as error:
            text = _too_large(job, error)
            outcome = Outcome(source=job.input.source, status="failed", message=text)

        self.count.end(number, converted=outcome.status == "converted")
        return replace(
            outcome,
            target=job.target,
            warnings=tuple(dict.fromkeys(warnings)),
            source_bytes=self.count.sizes[number],
            seconds=time.perf_counter() - started,
        )

    def _convert(self, number: int, job: Job) -> Outcome:
        """Convert one data set unless its target is up to date.

        Raises
        ------
        FerryError
            It cannot be opened or saved.
        """
        source = job.input.source
        entry = self.record.entry(job.target, source, job.input.files, self.options)
        if self.record.is_current(entry):
            return Outcome(source=source, status="skipped", message=UP_TO_DATE)
        try:
            return self._convert_once(number, job, entry)
        except ReopenError:  # a file that looked gray has colors in later frames
            return self._convert_once(number, job, entry)

    def _convert_once(self, number: int, job: Job, entry: Entry) -> Outcome:
        """Open and save one data set, and close its files."""
        images, plan = self.planner(job)
        try:
            overwrite = self.overwrite or self.record.may_replace(entry, plan.existing)
            check_save(plan, overwrite=overwrite)
            paths = [*plan.paths] if self.dry_run else self._save(number, plan, entry, overwrite)
        finally:
            for image in images:
                image.close()

        with reading(paths[0]):
            nbytes = plan.nbytes if self.dry_run else stored_bytes(paths)
        return Outcome(
            source=job.input.source,
            status="planned" if self.dry_run else "converted",
            files=tuple(paths),
            losses=plan.losses,
            target_bytes=nbytes,
        )

    def _save(self, number: int, plan: Plan, entry: Entry, overwrite: bool) -> list[Path]:
        """Carry out a plan, between the lines of its start and its end in the record."""
        with new_folders(plan.paths[0].parent):
            start = self.record.start(entry, plan.existing)
            files: Sequence[Path] = ()
            try:
                files = paths = self.save(
                    plan,
                    overwrite=overwrite,
                    progress=partial(self.count.move, number),
                    cancel=self.cancel,
                )
            except KeyboardInterrupt:  # perhaps when everything is in place
                files = plan.existing if _is_in_place(plan, start) else ()
                raise
            finally:
                self.record.end(entry, files)
        return paths


def _too_large(job: Job, error: MemoryError) -> str:
    """Return the message about a data set that does not fit into memory."""
    reason = f" ({error})" if str(error) else ""
    return (
        f"{Path(job.input.source).name} needs more memory than there is{reason}: close other "
        "programs, or use fewer threads."
    )


def _interrupt(stop: threading.Event, cancel: Callable[[], bool] | None) -> bool:
    """Return True after a cancellation; interrupt a save that can be resumed when all stop.

    A cancelled save leaves nothing behind, also if another one was cancelled before.
    """
    if cancel is not None and cancel():
        return True
    if stop.is_set():
        raise KeyboardInterrupt
    return False


def _is_in_place(plan: Plan, start: Start) -> bool:
    """Return True if an interrupted save has put all its files in place."""
    existing = plan.existing
    if not existing or is_unplaced(plan.paths[0]):  # or made by somebody else
        return False
    is_changed = read_state(existing).digest != start.before
    return is_changed and interrupted_save(plan.paths[0]) is None
