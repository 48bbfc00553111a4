"""Files whose bytes must come in order: encoded in tasks by threads, put together by one.

A compressed TIFF, a video or a GIF cannot be laid into a file of known length, as nobody knows
where a frame will lie before those in front of it are encoded. So each task is encoded by itself,
and the results are taken up in order, a few of them ahead: memory does not grow with the file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from napari_ferry.arrays import Array, BlockReader, Region
from napari_ferry.arrays.regions import region_bytes
from napari_ferry.saving.progress import Monitor

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

_T = TypeVar("_T")

_PIECE_BYTES = 4 << 20
"""Pixels of a task, where a frame and a chunk of the source are not larger."""

_CHUNK_BYTES = 256 << 20
"""Chunks of several frames are read whole, up to this size."""

_AHEAD_BYTES = 256 << 20
"""Pixels of tasks that are under way at a time, unless one alone has more."""


@dataclass(frozen=True)
class EncodeTask:
    """Some pixels of a source, and how they are encoded; independent of every other task.

    Parameters
    ----------
    array : array
        Where the pixels come from.
    region : Region
        Which of them.
    encode : callable
        Returns what `Stream.assemble` takes for these pixels. It may run in another thread.
    """

    array: Array
    region: Region
    encode: Callable[[BlockReader], Any]

    @property
    def nbytes(self) -> int:
        """Bytes of pixels that it reads."""
        return region_bytes(self.array, self.region)


@dataclass(frozen=True)
class Stream:
    """Files that are made of encoded tasks, one after the other.

    Parameters
    ----------
    paths : tuple of Path
        The files, as in `Plan.files`: as many as there can be, as encoding decides how many.
    tasks : tuple of EncodeTask
        What they are made of, in order.
    assemble : callable
        Given the partial paths of all files and the encoded tasks in order, makes the files
        and returns how many.
    alone : Path, optional
        What the file is called when there is but one of several that there could be.
    """

    paths: tuple[Path, ...]
    tasks: tuple[EncodeTask, ...]
    assemble: Callable[[Sequence[Path], Results], int]
    alone: Path | None = None

    def made(self, count: int) -> tuple[Path, ...]:
        """Return what the first `count` files are called."""
        return (self.alone,) if count == 1 and self.alone else self.paths[:count]


class Results(Iterator[Any]):
    """Encoded tasks in order, and the threads that encode them, for further work.

    Parameters
    ----------
    tasks : iterable of EncodeTask
        What is encoded.
    pool : Executor
        The threads.
    monitor : Monitor
        Counts bytes, and stops all threads.
    ahead : int
        Pieces that are under way, or wait to be taken, at a time.
    """

    def __init__(
        self, tasks: Iterable[EncodeTask], pool: Executor, monitor: Monitor, ahead: int
    ) -> None:
        self._pool, self._monitor, self._ahead = pool, monitor, ahead
        self._results = self.work(partial(_encode, task, monitor) for task in tasks)

    def __next__(self) -> Any:
        return next(self._results)

    def work(self, jobs: Iterable[Callable[[], _T]]) -> Iterator[_T]:
        """Do jobs by the same threads, and yield what they return, in order."""
        checked = (partial(_checked, job, self._monitor) for job in jobs)
        return in_order(self._pool, checked, self._ahead)


def frames_per_task(frame_bytes: int, in_chunk: int) -> int:
    """Return how many frames make a good task: all of a chunk of the source, and a few at least.

    Parameters
    ----------
    frame_bytes : int
        Bytes of one frame.
    in_chunk : int
        Frames that one chunk of the source has.
    """
    return max(1, _PIECE_BYTES // frame_bytes, min(in_chunk, _CHUNK_BYTES // frame_bytes))


def make_stream(stream: Stream, partials: Sequence[Path], monitor: Monitor, workers: int) -> int:
    """Encode all tasks by several threads, and put them together in this one.

    Returns
    -------
    int
        How many of the files were made.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers, thread_name_prefix="ferry-code") as pool, ExitStack() as undo:
        undo.callback(monitor.stop)
        largest = max(task.nbytes for task in stream.tasks)
        ahead = max(1, min(workers + 2, _AHEAD_BYTES // max(1, largest)))
        count = stream.assemble(partials, Results(stream.tasks, pool, monitor, ahead))
        undo.pop_all()
    return count


def _checked(job: Callable[[], _T], monitor: Monitor) -> _T:
    monitor.check()
    return job()


def _encode(task: EncodeTask, monitor: Monitor) -> Any:
    return task.encode(BlockReader(task.array, task.region, monitor.count, monitor.check))


def in_order(pool: Executor, jobs: Iterable[Callable[[], _T]], ahead: int) -> Iterator[_T]:
    """Run jobs in a pool and yield their results in order, holding at most `ahead` of them.

    Parameters
    ----------
    pool : Executor
        Who does them.
    jobs : iterable of callable
        Each is called without anything.
    ahead : int
        Jobs that are under way or done at a time, at least 1.
    """
    waiting: deque[Future[_T]] = deque()
    for job in jobs:
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
        waiting.append(pool.submit(job))
    while waiting:
        yield waiting.popleft().result()
