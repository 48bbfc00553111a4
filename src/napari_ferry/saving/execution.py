"""Files of a save, filled by their writes in several threads."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xxhash
from numpy.typing import NDArray

from napari_ferry.arrays import BlockReader
from napari_ferry.arrays.blocks import as_bytes
from napari_ferry.saving.disk import reserve, sync_file, sync_tree
from napari_ferry.saving.partial import PartialFolder
from napari_ferry.saving.progress import Monitor
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
        Folder of the partial files; complete files of an interrupted save are not written again.
    monitor : Monitor
        Counts bytes, and stops all threads.
    workers : int
        Number of threads.
    """
    from concurrent.futures import ThreadPoolExecutor

    own: dict[Path, list[tuple[int, Write]]] = {file.path: [] for file in files}
    for write in writes:
        own[write.path].append((len(own[write.path]), write))
    # a single file is never complete before it is moved in place
    is_resumable = sum(map(bool, own.values())) > 1
    jobs = [
        _FileJob(file, folder, partial_name(i, file.path), own[file.path], is_resumable)
        for i, file in enumerate(files)
        if file.create is not None
    ]
    with ThreadPoolExecutor(workers, thread_name_prefix="ferry-save") as pool, ExitStack() as undo:
        undo.callback(monitor.stop)
        first, *later = sorted({0, *(write.stage for write in writes)})
        _run_stage(first, filter(lambda job: job.prepare(monitor), jobs), pool, monitor, workers)
        for stage in later:
            _run_stage(stage, jobs, pool, monitor, workers)
        undo.pop_all()


def _run_stage(
    stage: int, jobs: Iterable[_FileJob], pool: Executor, monitor: Monitor, workers: int
) -> None:
    """Carry out the writes of one stage, a few of them at a time."""
    waiting: list[Future[None]] = []
    for job in jobs:
        for index, write in job.writes:
            if write.stage != stage:
                continue
            while len(waiting) >= 2 * workers:
                waiting = _collect(waiting)
            waiting.append(pool.submit(job.carry_out, index, write, monitor))
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
    """One file of a save with its writes, and digests to recognize a complete file later."""

    def __init__(
        self,
        file: PlannedFile,
        folder: PartialFolder,
        name: str,
        writes: list[tuple[int, Write]],
        are_recorded: bool,
    ) -> None:
        self.file = file
        self.folder = folder
        self.name = name
        self.target = folder.file(name)
        self.writes = writes
        self.are_recorded = are_recorded and not file.is_folder
        self.digests = [""] * len(writes)
        self.n_left = len(writes)
        self.lock = threading.Lock()

    def prepare(self, monitor: Monitor) -> bool:
        """Create the file; return False if an interrupted save completed it."""
        if self._is_complete(monitor):
            self.writes = []
            return False
        assert self.file.create is not None
        self.file.create(self.target)
        reserve(self.target)
        if not self.writes:
            self._complete()
        return True

    def carry_out(self, index: int, write: Write, monitor: Monitor) -> None:
        """Carry out one write, in a thread of the pool; the last one completes the file."""
        monitor.check()
        hasher = xxhash.xxh3_64() if self.are_recorded else None

        def count(pixels: NDArray[Any]) -> None:
            if hasher:
                hasher.update(as_bytes(pixels))
            monitor.count(pixels)

        array = write.reopen(self.target) if write.reopen else write.array
        write.put(self.target, BlockReader(array, write.region, count, monitor.check))
        self.digests[index] = hasher.hexdigest() if hasher else ""
        with self.lock:
            self.n_left -= 1
            is_last = not self.n_left
        if is_last:
            self._complete()

    def _complete(self) -> None:
        """Finish and flush the file after its last write."""
        if self.file.finish:
            self.file.finish(self.target)
        if self.file.is_folder:
            sync_tree(self.target)
        else:
            sync_file(self.target)
        if self.are_recorded:
            self.folder.record_complete(self.name, _digest_of_all(self.digests))

    def _is_complete(self, monitor: Monitor) -> bool:
        """Return True if an interrupted save completed this file from the same pixels."""
        writes = [write for _, write in self.writes]
        known = self.folder.completed.get(self.name)
        if not writes or known is None or not self.target.exists():
            return False
        if _digest_of_all([_digest(write, monitor) for write in writes]) != known:
            return False
        monitor.add(sum(write.nbytes for write in writes), skipped=True)
        return True


def _digest_of_all(digests: Sequence[str]) -> str:
    """Return one short digest of the digests of all writes of a file."""
    return xxhash.xxh3_64_hexdigest(" ".join(digests).encode())


def _digest(write: Write, monitor: Monitor) -> str:
    """Return the digest of the pixels of a write, in the order of writing."""
    hasher = xxhash.xxh3_64()
    for block in BlockReader(write.array, write.region, check=monitor.check):
        monitor.check()
        hasher.update(as_bytes(block.pixels))
    return hasher.hexdigest()
