"""Files written in order: several threads encode tasks, and one thread assembles the results.

In a compressed TIFF, a video or a GIF, the offset of a frame is unknown until all preceding frames
are encoded, so that frames cannot be written in any order. Tasks are encoded independently, and
their results are assembled in order. Only a few tasks are encoded ahead, so that memory does not
grow with the file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from copy import copy
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from napari_ferry.arrays import BlockReader
from napari_ferry.arrays.progress import Monitor
from napari_ferry.errors import share_collector

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

    from napari_ferry.saving.encode_tasks import EncodeTask, EncodeTasks

_T = TypeVar("_T")

_TASK_BYTES = 4 << 20
"""Bytes of pixels in a task, unless a frame or a chunk of the source is larger."""

_CHUNK_BYTES = 256 << 20
"""Size up to which a chunk of several frames is one task."""

_AHEAD_BYTES = 256 << 20
"""Bytes of pixels in all tasks in progress, unless a single task has more."""

_FINISHED = 2
"""Number of results that may wait while all workers are busy."""


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Files assembled from encoded tasks, in order.

    Parameters
    ----------
    paths : tuple of Path
        The files, as in `Plan.files`. Their number is a maximum if it depends on compression.
    tasks : EncodeTasks
        Tasks, in order.
    assemble : callable
        Creates the files from their partial paths and the encoded tasks, and returns their number.
    single_path : Path, optional
        Path for a series that turns out to be a single file.
    """

    paths: tuple[Path, ...]
    tasks: EncodeTasks
    assemble: Callable[[Sequence[Path], Results], int]
    single_path: Path | None = None

    @property
    def step_memory(self) -> int:
        """Memory of all tasks in progress on a worker of a cluster, in bytes."""
        return _most_ahead(self, 1) * self.tasks.largest

    def created_paths(self, count: int) -> tuple[Path, ...]:
        """Return the paths of the first `count` files."""
        return (self.single_path,) if count == 1 and self.single_path else self.paths[:count]


def encode_task(task: EncodeTask, monitor: Monitor) -> Any:
    """Return the result of a task, and count its pixels."""
    return task.encode(BlockReader(task.array, task.region, monitor.count, monitor.check))


class Results(Iterator[Any]):
    """Iterator over the results of tasks in order, with their threads for further work.

    Parameters
    ----------
    tasks : iterable of EncodeTask
        Tasks to encode.
    pool : Executor
        Threads to encode with.
    monitor : Monitor
        Counts bytes, and stops all threads.
    ahead : int
        Maximum number of tasks in progress or finished and not yet consumed.
    """

    def __init__(
        self, tasks: Iterable[EncodeTask], pool: Executor, monitor: Monitor, ahead: int
    ) -> None:
        self._pool, self._monitor, self._ahead = pool, monitor, ahead
        jobs = (partial(encode_task, task, monitor) for task in tasks)
        self._results: Iterator[Any] = self.work(jobs)

    def __next__(self) -> Any:
        return next(self._results)

    def take(self, count: int) -> Self:
        """Return the next results alone, with the same threads."""
        own = copy(self)
        own._results = islice(self._results, count)
        return own

    def work(self, jobs: Iterable[Callable[[], _T]]) -> Iterator[_T]:
        """Run jobs in the same threads, and yield their results in order."""
        checked = (partial(_checked, job, self._monitor) for job in jobs)
        return run_in_order(self._pool, checked, self._ahead)


def frames_per_task(frame_bytes: int, in_chunk: int) -> int:
    """Return the number of frames in a task: those of a chunk of the source, and at least a few.

    Parameters
    ----------
    frame_bytes : int
        Size of one frame, in bytes.
    in_chunk : int
        Number of frames in a chunk of the source.
    """
    return max(1, _TASK_BYTES // frame_bytes, min(in_chunk, _CHUNK_BYTES // frame_bytes))


def make_stream(stream: Stream, partials: Sequence[Path], monitor: Monitor, workers: int) -> int:
    """Encode all tasks in several threads, and assemble the files in the current one.

    Parameters
    ----------
    stream : Stream
        The tasks.
    partials : sequence of Path
        Partial paths of its files.
    monitor : Monitor
        Counts bytes, and stops all threads.
    workers : int
        Number of threads.

    Returns
    -------
    int
        Number of files.
    """
    from concurrent.futures import ThreadPoolExecutor

    ahead = _most_ahead(stream, workers)
    pool = ThreadPoolExecutor(workers, "ferry-code", share_collector())
    with pool, ExitStack() as undo:
        undo.callback(monitor.stop)
        count = stream.assemble(partials, Results(stream.tasks, pool, monitor, ahead))
        undo.pop_all()
    return count


def _most_ahead(stream: Stream, workers: int) -> int:
    """Return the number of tasks in progress or finished and not yet consumed."""
    most = _AHEAD_BYTES // max(1, stream.tasks.largest)
    return max(1, min(workers + _FINISHED, most))


def _checked(job: Callable[[], _T], monitor: Monitor) -> _T:
    monitor.check()
    return job()


def run_in_order(pool: Executor, jobs: Iterable[Callable[[], _T]], ahead: int) -> Iterator[_T]:
    """Run jobs in a pool, and yield their results in order.

    Parameters
    ----------
    pool : Executor
        Threads to run in.
    jobs : iterable of callable
        Functions without arguments.
    ahead : int
        Maximum number of jobs in progress or finished and not yet consumed, at least 1.
    """
    waiting: deque[Future[_T]] = deque()
    for job in jobs:
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
        waiting.append(pool.submit(job))
    while waiting:
        yield waiting.popleft().result()
