"""The files of a save and the writes that fill them, carried out by several threads."""

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


@dataclass(frozen=True)
class PlannedFile:
    """One file that a save will make.

    Parameters
    ----------
    path : Path
        Where it will stand.
    nbytes : int
        Its size in bytes; where compression decides, the most that it can be.
    create : callable, optional
        Makes the file under a partial name: all of it, or header and length for the writes to
        fill. Absent where a `Stream` makes the file.
    may_replace : callable, optional
        Whether the file that stands there is of the same data set, for files whose names the
        user did not choose. Anything may be replaced when absent, once overwriting was agreed.
    """

    path: Path
    nbytes: int
    create: Callable[[Path], None] | None = None
    may_replace: Callable[[Path], bool] | None = None


@dataclass(frozen=True)
class Write:
    """One independent step of a save: some pixels of a source, into one file.

    It may be repeated, and depends on nothing but its own pixels.

    Parameters
    ----------
    path : Path
        The file that it fills or makes, as in `Plan.files`.
    array : array
        Where the pixels come from.
    region : Region
        Which of them.
    put : callable
        Puts the pixels into the file, given its partial path.
    """

    path: Path
    array: Array
    region: Region
    put: Callable[[Path, BlockReader], None]

    @property
    def nbytes(self) -> int:
        """Bytes of pixels that it reads."""
        return region_bytes(self.array, self.region)


def make_files(
    files: Sequence[PlannedFile],
    writes: Sequence[Write],
    folder: PartialFolder,
    monitor: Monitor,
    workers: int,
) -> None:
    """Write every file under its partial name, by several threads.

    Parameters
    ----------
    files, writes : sequence
        What is to be made.
    folder : PartialFolder
        Where; files that an interrupted save left whole there are not written again.
    monitor : Monitor
        Counts bytes, and stops all threads.
    workers : int
        Number of threads.
    """
    from concurrent.futures import ThreadPoolExecutor

    resumable = len({write.path for write in writes}) > 1
    with ThreadPoolExecutor(workers, thread_name_prefix="ferry-save") as pool, ExitStack() as undo:
        undo.callback(monitor.stop)
        waiting: list[Future[None]] = []
        for i, file in enumerate(files):
            if file.create is None:
                continue
            own = [write for write in writes if write.path == file.path]
            digests = _Digests(folder, partial_name(i, file.path), len(own), resumable)
            if digests.are_of(own, monitor):
                continue
            target = folder.file(digests.name)
            file.create(target)
            reserve(target)
            digests.finish_if_whole(target)
            for k, write in enumerate(own):
                while len(waiting) >= 2 * workers:
                    waiting = _collect(waiting)
                waiting.append(pool.submit(_carry_out, write, target, monitor, digests, k))
        while waiting:
            waiting = _collect(waiting)
        undo.pop_all()


def _carry_out(write: Write, target: Path, monitor: Monitor, digests: _Digests, index: int) -> None:
    """Do one write, in a thread of its own."""
    monitor.check()
    hasher = xxhash.xxh3_64() if digests.wanted else None

    def count(pixels: NDArray[Any]) -> None:
        if hasher:
            hasher.update(as_bytes(pixels))
        monitor.count(pixels)

    write.put(target, BlockReader(write.array, write.region, count, monitor.check))
    digests.put(index, hasher.hexdigest() if hasher else "", target)


def _collect(waiting: list[Future[None]]) -> list[Future[None]]:
    """Wait for one job at least; raise what it raised."""
    from concurrent.futures import FIRST_COMPLETED, wait

    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for job in waiting:  # the first error in the order of the file, not of the threads
        if job in done:
            job.result()
    return [job for job in waiting if job not in done]


class _Digests:
    """The pixels that one file was made of, so that a whole file is known again."""

    def __init__(self, folder: PartialFolder, name: str, count: int, wanted: bool) -> None:
        self.folder = folder
        self.name = name
        self.wanted = wanted
        self.found: list[str | None] = [None] * count
        self.lock = threading.Lock()

    def put(self, index: int, digest: str, target: Path) -> None:
        """Note that one write is done; with the last of them the file is whole."""
        with self.lock:
            self.found[index] = digest
            self.finish_if_whole(target)

    def finish_if_whole(self, target: Path) -> None:
        """Flush the file when nothing is left to write into it."""
        whole = [digest for digest in self.found if digest is not None]
        if len(whole) == len(self.found):
            sync_file(target)
            if self.wanted:
                self.folder.note_whole(self.name, _digest_of_all(whole))

    def are_of(self, writes: Iterable[Write], monitor: Monitor) -> bool:
        """Whether an interrupted save left this file whole, of the pixels it has to hold."""
        known = self.folder.done.get(self.name)
        writes = list(writes)
        if not writes or known is None or not self.folder.file(self.name).exists():
            return False
        if _digest_of_all([_digest(write, monitor) for write in writes]) != known:
            return False
        monitor.add(sum(write.nbytes for write in writes), skipped=True)
        return True


def _digest_of_all(digests: Sequence[str]) -> str:
    """Hash the digests of all writes of a file, so that its line in the journal is short."""
    return xxhash.xxh3_64_hexdigest(" ".join(digests).encode())


def _digest(write: Write, monitor: Monitor) -> str:
    """Hash the pixels of a write, in the order in which they are written."""
    hasher = xxhash.xxh3_64()
    for block in BlockReader(write.array, write.region, check=monitor.check):
        monitor.check()
        hasher.update(as_bytes(block.pixels))
    return hasher.hexdigest()


def write_text(path: Path, *, text: str) -> None:
    """Make a small text file, in UTF-8."""
    path.write_text(text, "utf-8")


def partial_name(index: int, path: Path) -> str:
    """Return the name under which a file grows."""
    return f"new-{index}{path.suffix}"
