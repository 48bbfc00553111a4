"""Files of a save, filled by their writes in several threads.

Finished writes are recorded in the journal with a digest of what they stored and the identity of
their source. A write of an interrupted save is not repeated if its bytes still have this digest and
its source is the same: known by the identity of its files, or by a digest of its pixels.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xxhash
from numpy.typing import NDArray

from napari_ferry.arrays import Array, BlockReader
from napari_ferry.arrays.blocks import as_bytes
from napari_ferry.arrays.identity import source_identity
from napari_ferry.progress import Monitor
from napari_ferry.saving.disk import reserve
from napari_ferry.saving.flush import sync_file, sync_tree
from napari_ferry.saving.journal import WriteRecord
from napari_ferry.saving.partial import PartialFolder
from napari_ferry.saving.write import PlannedFile, Write, partial_name

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future


def make_files(
    files: Sequence[PlannedFile],
    writes: Sequence[Write],
    folder: PartialFolder,
    monitor: Monitor,
    workers: int,
) -> None:
    """Write every file under its partial name, in several threads.

    Parameters
    ----------
    files, writes : sequence
        Files, and writes to fill them.
    folder : PartialFolder
        Folder of the partial files; finished writes of an interrupted save are not repeated.
    monitor : Monitor
        Counts bytes, and stops all threads.
    workers : int
        Number of threads.
    """
    from concurrent.futures import ThreadPoolExecutor

    own: dict[Path, list[Write]] = {file.path: [] for file in files}
    for write in writes:
        own[write.path].append(write)
    # a single write is not finished before its file, which is moved in place then
    sources = _Sources() if len(writes) > 1 else None
    jobs = [
        _FileJob(file, folder, monitor, partial_name(i, file.path), own[file.path], sources)
        for i, file in enumerate(files)
        if file.create is not None
    ]
    with ThreadPoolExecutor(workers, thread_name_prefix="ferry-save") as pool, ExitStack() as undo:
        undo.callback(monitor.stop)
        first, *later = sorted({0, *(write.stage for write in writes)})
        _run_stage(first, map(_FileJob.prepare, jobs), pool, workers)
        for stage in later:
            _run_stage(stage, jobs, pool, workers)
        undo.pop_all()


def _run_stage(stage: int, jobs: Iterable[_FileJob], pool: Executor, workers: int) -> None:
    """Carry out the writes of one stage, a few of them at a time."""
    waiting: list[Future[None]] = []
    for job in jobs:
        for index, write in enumerate(job.writes):
            if write.stage != stage:
                continue
            while len(waiting) >= 2 * workers:
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
    writes : sequence of Write
        Its writes.
    sources : _Sources, optional
        Identities of the sources; ``None`` if the save cannot be resumed.
    """

    def __init__(
        self,
        file: PlannedFile,
        folder: PartialFolder,
        monitor: Monitor,
        name: str,
        writes: Sequence[Write],
        sources: _Sources | None,
    ) -> None:
        self.file = file
        self.folder = folder
        self.monitor = monitor
        self.name = name
        self.target = folder.file(name)
        self.writes = writes
        self.sources = sources
        self.records = folder.records.get(name, {})
        self.n_left = len(writes)
        self.lock = threading.Lock()

    def prepare(self) -> _FileJob:
        """Create the file, unless an interrupted save created it for the same writes."""
        is_kept = self.name in self.folder.ready and self.target.exists()
        if not is_kept and not self.file.is_folder:
            self.records = {}
        if self.file.create and (not is_kept or not self.writes):
            self.file.create(self.target)
            reserve(self.target)
        if not self.writes:
            self._complete()
        elif not is_kept and len(self.writes) > 1:
            self._note_ready()
        return self

    def _note_ready(self) -> None:
        """Flush a created file, and record that its writes can be resumed."""
        if self.sources and not self.file.is_folder:
            sync_file(self.target)
            self.folder.record_ready(self.name)

    def carry_out(self, index: int, write: Write) -> None:
        """Carry out one write, in a thread of the pool; the last one completes the file."""
        self.monitor.check()
        array = write.reopen(self.target) if write.reopen else write.array
        if self._is_stored(index, write, array):
            self.monitor.add(write.nbytes, skipped=True)
        else:
            self._write(index, write, array)
        with self.lock:
            self.n_left -= 1
            is_last = not self.n_left
        if is_last:
            self._complete()

    def _write(self, index: int, write: Write, array: Array) -> None:
        """Carry out a write, and record what it stored."""
        is_recorded = self.sources is not None and write.stored is not None
        identity = self.sources.identity(write) if self.sources and is_recorded else None
        is_hashed = is_recorded and not identity and not write.stores_pixels
        hasher = xxhash.xxh3_64() if is_hashed else None

        def count(pixels: NDArray[Any]) -> None:
            if hasher:
                hasher.update(as_bytes(pixels))
            self.monitor.count(pixels)

        pixels = BlockReader(array, write.region, count, self.monitor.check)
        stored = write.put(self.target, pixels)
        if stored and is_recorded:
            source = identity or (hasher.hexdigest() if hasher else stored)
            self.folder.record_write(self.name, index, WriteRecord(stored, source))

    def _is_stored(self, index: int, write: Write, array: Array) -> bool:
        """Return True if an interrupted save stored the same pixels, and they are still there."""
        record = self.records.get(index)
        if record is None or write.stored is None or self.sources is None:
            return False
        if write.stored(self.target) != record.stored:
            return False
        source = self.sources.identity(write) or _pixel_digest(array, write, self.monitor)
        return source == record.source

    def _complete(self) -> None:
        """Finish and flush the file after its last write."""
        if self.file.finish:
            self.file.finish(self.target)
        if self.file.is_folder:
            self.monitor.note("flushing to the disk")
            sync_tree(self.target)
            return
        sync_file(self.target)
        if self.sources and len(self.writes) == 1:
            self.folder.record_ready(self.name)


class _Sources:
    """Identities of the sources of writes, each computed once."""

    def __init__(self) -> None:
        self._by_id: dict[int, tuple[Array, str | None]] = {}
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
        return known[1]


def _pixel_digest(array: Array, write: Write, monitor: Monitor) -> str:
    """Return the digest of the pixels of a write, in the order of writing."""
    hasher = xxhash.xxh3_64()
    for block in BlockReader(array, write.region, check=monitor.check):
        monitor.check()
        hasher.update(as_bytes(block.pixels))
    return hasher.hexdigest()
