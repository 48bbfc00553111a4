"""Files of a save, filled by their writes in several threads.

Finished writes are recorded in the journal with a digest of what they stored and the identity of
their source. A write of an interrupted save is not repeated if its bytes still have this digest and
its source is the same: known by the identity of its files, or by a digest of its pixels.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from napari_ferry.arrays import Array
from napari_ferry.arrays.identity import source_identity
from napari_ferry.arrays.progress import Monitor
from napari_ferry.errors import share_collector
from napari_ferry.saving.disk.flush import sync_file, sync_tree
from napari_ferry.saving.disk.plain_files import reserve
from napari_ferry.saving.execution.attempt import Attempt
from napari_ferry.saving.execution.file_join import FileJoin
from napari_ferry.saving.execution.runner import Runner
from napari_ferry.saving.partial.partial_folder import PartialFolder
from napari_ferry.saving.partial.write_records import WriteRecord
from napari_ferry.saving.write import PlannedFile, Write, part_path, partial_name
from napari_ferry.saving.write_groups import WriteGroup, Writes

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

_MOST_SOURCES = 64
"""Number of sources whose identity is kept: those of a stack of files are used one by one."""


def make_files(
    files: Sequence[PlannedFile],
    writes: Writes,
    folder: PartialFolder,
    monitor: Monitor,
    runner: Runner,
) -> None:
    """Write every file under its partial name, several writes at a time.

    Parameters
    ----------
    files : sequence of PlannedFile
        The files.
    writes : Writes
        Writes to fill them.
    folder : PartialFolder
        Folder of the partial files; finished writes of an interrupted save are not repeated.
    monitor : Monitor
        Counts bytes, and stops all threads.
    runner : Runner
        Carries out the writes.
    """
    from concurrent.futures import ThreadPoolExecutor

    joins = ThreadPoolExecutor(1, "ferry-join", share_collector())
    own: dict[Path, list[int]] = {file.path: [] for file in files}
    for number, group in enumerate(writes.groups):
        own[group.path].append(number)
    # a single write is not finished before its file, which is moved in place then
    sources = _Sources() if len(writes) > 1 else None
    jobs = (
        _FileJob(
            file,
            folder,
            monitor,
            partial_name(i, file.path),
            [writes.groups[number] for number in own[file.path]],
            sources,
            runner,
            joins,
        )
        for i, file in enumerate(files)
        if file.create is not None
    )
    pool = ThreadPoolExecutor(runner.threads, "ferry-save", share_collector())
    with pool, joins, ExitStack() as undo:
        undo.callback(monitor.stop)
        first, *later = sorted({0, *writes.stages})
        unfinished: list[_FileJob] = []
        _run_stage(first, _prepare(jobs, first, unfinished), pool, runner)
        for stage in later:
            _run_stage(stage, unfinished, pool, runner)
        undo.pop_all()


def _prepare(
    jobs: Iterable[_FileJob], stage: int, unfinished: list[_FileJob]
) -> Iterator[_FileJob]:
    """Yield jobs whose file is created, and add those with later stages to a list.

    Other jobs are not kept, as a series may have thousands of files.
    """
    for job in jobs:
        if any(group.stage > stage for group in job.groups):
            unfinished.append(job)
        yield job.prepare()


def _run_stage(stage: int, jobs: Iterable[_FileJob], pool: Executor, runner: Runner) -> None:
    """Carry out the writes of one stage, a few of them at a time."""
    waiting: list[Future[None]] = []
    for job in jobs:
        for index, write in job.writes(stage):
            while len(waiting) >= runner.most_waiting():
                waiting = _collect(waiting)
            waiting.append(pool.submit(job.carry_out, index, write))
    while waiting:
        waiting = _collect(waiting)


def _collect(waiting: list[Future[None]]) -> list[Future[None]]:
    """Wait for at least one job, and raise its error."""
    from concurrent.futures import FIRST_COMPLETED, wait

    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for job in waiting:  # the first error in the order of the file, not of the threads
        if job in done:
            job.result()
    return [job for job in waiting if job not in done]


class _FileJob:
    """One file of a save with its writes.

    Parameters
    ----------
    file : PlannedFile
        The file, with a function to create it.
    folder : PartialFolder
        Folder of the partial file, and records of an interrupted save.
    monitor : Monitor
        Counts bytes, and stops all threads.
    name : str
        Partial name.
    groups : sequence of WriteGroup
        Its writes.
    sources : _Sources, optional
        Identities of the sources; ``None`` if the save cannot be resumed.
    runner : Runner
        Carries out the writes.
    joins : Executor
        Thread to join the parts of the file, if it is made of parts.
    """

    def __init__(
        self,
        file: PlannedFile,
        folder: PartialFolder,
        monitor: Monitor,
        name: str,
        groups: Sequence[WriteGroup],
        sources: _Sources | None,
        runner: Runner,
        joins: Executor,
    ) -> None:
        self.file = file
        self.folder = folder
        self.monitor = monitor
        self.name = name
        self.target = folder.file(name)
        self.groups = groups
        self.sources = sources
        self.runner = runner
        self.joins = joins
        self.join: FileJoin | None = None
        self.records: Mapping[int, WriteRecord] = folder.records.get(name, {})
        self.n_writes = self.n_left = sum(group.count for group in groups)
        self.lock = threading.Lock()

    def writes(self, stage: int) -> Iterator[tuple[int, Write]]:
        """Yield the writes of a stage, and their numbers among all writes of the file."""
        first = 0
        for group in self.groups:
            if group.stage == stage:
                yield from enumerate(group.writes(), first)
            first += group.count

    def prepare(self) -> _FileJob:
        """Create the file, unless an interrupted save created it for the same writes."""
        is_kept = self.name in self.folder.ready and self.target.exists()
        if not is_kept and not self.file.is_folder:
            self.records = {}
        if self.file.create and (not is_kept or not self.n_writes):
            self.file.create(self.target)
            reserve(self.target)
        if not self.n_writes:
            self._complete()
        elif not is_kept and self.n_writes > 1:
            self._note_ready()
        if self.file.join:
            self.join = FileJoin(
                self.file.join, self.target, self.n_writes, self.monitor, self.joins
            )
        return self

    def _note_ready(self) -> None:
        """Flush a created file, and record it as ready to be resumed."""
        if self.sources and not self.file.is_folder:
            sync_file(self.target)
            self.folder.record_ready(self.name)

    def carry_out(self, index: int, write: Write) -> None:
        """Carry out one write; the last one completes the file."""
        self.monitor.check()
        if self.join:
            self.join.check()
        is_recorded = self.sources is not None and write.stored is not None
        attempt = Attempt(
            write=write,
            target=part_path(self.target, index) if self.join else self.target,
            record=self.records.get(index) if is_recorded else None,
            identity=self.sources.identity(write) if self.sources and is_recorded else None,
            is_recorded=is_recorded,
        )

        outcome = self.runner.carry_out(attempt, self.monitor)
        if outcome.record and not outcome.is_skipped:
            self.folder.record_write(self.name, index, outcome.record)
        if self.join:
            self.join.add(index)

        with self.lock:
            self.n_left -= 1
            is_last = not self.n_left
        if is_last:
            self._complete()

    def _complete(self) -> None:
        """Finish and flush the file after its last write."""
        if self.join:
            self.monitor.note("joining the parts")
            self.join.wait()
        if self.file.finish:
            self.file.finish(self.target)
        if self.file.is_folder:
            self.monitor.note("flushing to the disk")
            sync_tree(self.target)
            return
        sync_file(self.target)
        if self.sources and self.n_writes == 1:
            self.folder.record_ready(self.name)


class _Sources:
    """Identities of the sources of writes, each computed once for neighboring writes."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[int, tuple[Array, str | None]] = OrderedDict()
        self._lock = threading.Lock()

    def identity(self, write: Write) -> str | None:
        """Return the identity of the source of a write, ``None`` if its pixels are compared.

        What is reopened in the partial file depends on other writes, so its pixels are compared.
        """
        if write.reopen:
            return None
        with self._lock:
            known = self._by_id.get(id(write.array))
            if known is None:
                known = write.array, source_identity(write.array)
                self._by_id[id(write.array)] = known
                if len(self._by_id) > _MOST_SOURCES:
                    self._by_id.popitem(last=False)
        return known[1]
