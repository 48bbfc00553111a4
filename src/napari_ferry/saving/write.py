"""The files of a save, and their writes in several threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xxhash
from numpy.typing import NDArray

from napari_ferry.arrays import Array, BlockReader, Region
from napari_ferry.arrays.blocks import as_bytes
from napari_ferry.arrays.regions import region_bytes
from napari_ferry.saving.disk import reserve, sync_file
from napari_ferry.saving.partial import PartialFolder
from napari_ferry.saving.progress import Monitor

if TYPE_CHECKING:
    from concurrent.futures import Future


@dataclass(frozen=True, kw_only=True)
class PlannedFile:
    """One file of a save.

    Parameters
    ----------
    path : Path
        Path of the file.
    nbytes : int
        Size in bytes; the maximum if it depends on compression.
    create : callable, optional
        Creates the partial file: completely, or with header and length for the writes to fill.
        Absent if a `Stream` creates the file.
    may_replace : callable, optional
        Returns True if an existing file belongs to the same data set, for files with names that
        the user did not choose. By default any file may be replaced if `overwrite` is True.
    is_encoded : bool
        True if its writes compress pixels, so that its size is only a maximum.
    """

    path: Path
    nbytes: int
    create: Callable[[Path], None] | None = None
    may_replace: Callable[[Path], bool] | None = None
    is_encoded: bool = False


@dataclass(frozen=True, kw_only=True)
class Write:
    """One independent step of a save: a region of a source, to one file.

    A write can be repeated, and depends on its own pixels only.

    Parameters
    ----------
    path : Path
        The file, as in `Plan.files`.
    array : array
        Source of the pixels.
    region : Region
        Region of the source.
    put : callable
        Writes the pixels to the partial file, given its path.
    """

    path: Path
    array: Array
    region: Region
    put: Callable[[Path, BlockReader], None]

    @property
    def nbytes(self) -> int:
        """Size of the pixels to read, in bytes."""
        return region_bytes(self.array, self.region)


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

    by_path: dict[Path, list[Write]] = {}
    for write in writes:
        by_path.setdefault(write.path, []).append(write)
    # a single file is never complete before it is moved in place
    is_resumable = len(by_path) > 1
    with ThreadPoolExecutor(workers, thread_name_prefix="ferry-save") as pool, ExitStack() as undo:
        undo.callback(monitor.stop)
        waiting: list[Future[None]] = []
        for i, file in enumerate(files):
            if file.create is None:
                continue

            own = by_path.get(file.path, [])
            digests = _Digests(folder, partial_name(i, file.path), len(own), is_resumable)
            if digests.match(own, monitor):
                continue

            target = folder.file(digests.name)
            file.create(target)
            reserve(target)
            digests.finish_if_complete(target)
            for k, write in enumerate(own):
                while len(waiting) >= 2 * workers:
                    waiting = _collect(waiting)
                waiting.append(pool.submit(_carry_out, write, target, monitor, digests, k))
        while waiting:
            waiting = _collect(waiting)
        undo.pop_all()


def _carry_out(write: Write, target: Path, monitor: Monitor, digests: _Digests, index: int) -> None:
    """Carry out one write, in a thread of the pool."""
    monitor.check()
    hasher = xxhash.xxh3_64() if digests.are_recorded else None

    def count(pixels: NDArray[Any]) -> None:
        if hasher:
            hasher.update(as_bytes(pixels))
        monitor.count(pixels)

    write.put(target, BlockReader(write.array, write.region, count, monitor.check))
    digests.put(index, hasher.hexdigest() if hasher else "", target)


def _collect(waiting: list[Future[None]]) -> list[Future[None]]:
    """Wait for at least one job, and raise its error."""
    from concurrent.futures import FIRST_COMPLETED, wait

    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for job in waiting:  # the first error in the order of the file, not of the threads
        if job in done:
            job.result()
    return [job for job in waiting if job not in done]


class _Digests:
    """Digests of the pixels of one file, to recognize a complete file later."""

    def __init__(self, folder: PartialFolder, name: str, count: int, are_recorded: bool) -> None:
        self.folder = folder
        self.name = name
        self.are_recorded = are_recorded
        self.values: list[str | None] = [None] * count
        self.lock = threading.Lock()

    def put(self, index: int, digest: str, target: Path) -> None:
        """Record the digest of a finished write; the last one completes the file."""
        with self.lock:
            self.values[index] = digest
            self.finish_if_complete(target)

    def finish_if_complete(self, target: Path) -> None:
        """Flush the file after its last write."""
        finished = [digest for digest in self.values if digest is not None]
        if len(finished) == len(self.values):
            sync_file(target)
            if self.are_recorded:
                self.folder.record_complete(self.name, _digest_of_all(finished))

    def match(self, writes: Iterable[Write], monitor: Monitor) -> bool:
        """Return True if an interrupted save completed this file from the same pixels."""
        known = self.folder.completed.get(self.name)
        writes = list(writes)
        if not writes or known is None or not self.folder.file(self.name).exists():
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


def write_text(path: Path, *, text: str) -> None:
    """Write a small text file, in UTF-8 and the same bytes on every platform."""
    path.write_text(text, "utf-8", newline="\n")


def partial_name(index: int, path: Path) -> str:
    """Return the name of a file while it is written."""
    return f"new-{index}{path.suffix}"
