"""Steps of a save as tasks of a cluster."""

from __future__ import annotations

import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from napari_ferry.arrays import Array
from napari_ferry.arrays.array_layout import ArrayLayout
from napari_ferry.arrays.progress import Monitor
from napari_ferry.arrays.regions import is_sent_by_path
from napari_ferry.errors import ClusterError, FerryError
from napari_ferry.saving.disk.flush import sync_written
from napari_ferry.saving.disk.plain_files import NO_SPACE
from napari_ferry.saving.execution.attempt import Attempt, Outcome, carry_out
from napari_ferry.saving.execution.cluster.connection import connecting
from napari_ferry.saving.execution.cluster.file_task import is_one_file, make_file_remotely
from napari_ferry.saving.execution.cluster.run_file import RunCheck, running
from napari_ferry.saving.execution.cluster.source_checks import (
    check_memory,
    check_pixels,
    check_sources,
)
from napari_ferry.saving.execution.cluster.worker_checks import check_workers
from napari_ferry.saving.execution.runner import Scheduler
from napari_ferry.saving.plan import Plan
from napari_ferry.saving.stream import Stream

if TYPE_CHECKING:
    import distributed

_T = TypeVar("_T")

_ATTEMPTS = 5
"""Attempts at a step whose worker dies, or whose host fails."""

_POLL_SECONDS = 0.2
_STOP_SECONDS = 10.0
"""Longest time to wait for running attempts after a cancellation."""

_MOST_SOURCES = 64
"""Number of sources that are kept to be sent again."""

_SMALL_BYTES = 3000
"""Most bytes of a source that travels with each write."""

_COUNT_SECONDS = 1.0
"""Time after which the threads of the workers are counted again."""


@dataclass(frozen=True)
class _Source:
    """A source on a worker, wrapped to keep dask from computing it."""

    array: Array


class ClusterRunner:
    """Workers of a cluster; a source in files travels to each once, if it is not small.

    Parameters
    ----------
    client : Client
        Client of the cluster.
    check : RunCheck
        Check of this run, which is in progress.
    """

    threads: ClassVar[int] = 256

    def __init__(self, client: distributed.Client, check: RunCheck) -> None:
        self.client = client
        self.check = check
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._sources: OrderedDict[int, tuple[Array, Any]] = OrderedDict()
        self._counted = -_COUNT_SECONDS
        self._n_threads = 1

    def most_waiting(self) -> int:
        """Return twice the number of threads of all workers, to keep all of them busy."""
        return 2 * self._count_threads()

    def _count_threads(self) -> int:
        """Return the number of threads of all workers at present; workers may come and go."""
        now = time.monotonic()
        if now - self._counted >= _COUNT_SECONDS:
            self._counted = now
            n_threads = sum(self.client.nthreads().values())
            self._n_threads = max(1, min(n_threads, self.threads // 2))
        return self._n_threads

    def carry_out(self, attempt: Attempt, monitor: Monitor) -> Outcome:
        """Carry out a write on a worker, and count its pixels when it is finished."""
        write = attempt.write
        is_sent = is_sent_by_path(write.array) and not write.reopen
        if is_sent:
            attempt = replace(attempt, write=replace(write, array=ArrayLayout(write.array)))
        name, source = attempt.target.name, write.array if is_sent else None
        outcome = self._run(monitor, name, carry_out_remotely, attempt, source)
        monitor.add(write.nbytes, skipped=outcome.is_skipped)
        return outcome

    def make_file(self, stream: Stream, partial: Path, monitor: Monitor) -> bool:
        """Make the file of a stream on one worker, and count its pixels when it is finished."""
        if not is_one_file(stream):
            return False
        self._run(monitor, partial.name, make_file_of, (stream, partial), None)
        monitor.add(stream.tasks.nbytes)
        return True

    def _run(
        self,
        monitor: Monitor,
        name: str,
        function: Callable[[Any, RunCheck, _Source | None], _T],
        step: Any,
        source: Array | None,
    ) -> _T:
        """Run a step on a worker, again if the worker dies.

        Raises
        ------
        SaveCancelledError
            The save was cancelled.
        ClusterError
            Workers died again and again, or the scheduler does not answer any more.
        OSError
            The step failed on every attempt, or the disk is full.
        """
        from distributed import CancelledError, KilledWorker

        for left in reversed(range(_ATTEMPTS)):
            key = f"{name}-{next(self._numbers)}-{self.check.run_id}"
            try:
                sent = None if source is None else self._send(source)
                arguments = step, self.check, sent
                future = self.client.submit(function, *arguments, key=key, pure=False)
                result: _T = self._wait(future, monitor)
                return result
            except (FerryError, KeyboardInterrupt):
                raise
            except (KilledWorker, CancelledError, TimeoutError) as error:
                self._forget(source)  # it may be lost with its workers
                self._check_connection(error, is_last=not left)
            except OSError as error:
                if not left or error.errno in NO_SPACE:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _send(self, array: Array) -> Any:
        """Return a source in files for a task, or on the workers, sent to them once.

        Sources of neighboring steps are kept: those of a stack of files are used one by one.
        """
        with self._lock:
            if id(array) not in self._sources:
                sent: Any = _Source(array)
                if not is_small(array):
                    sent = self.client.scatter(sent, broadcast=True, hash=False)
                self._sources[id(array)] = array, sent
                if len(self._sources) > _MOST_SOURCES:
                    self._sources.popitem(last=False)
            return self._sources[id(array)][1]

    def _forget(self, array: Array | None) -> None:
        """Send a source again when it is needed next."""
        with self._lock:
            self._sources.pop(id(array), None)

    def _check_connection(self, error: Exception, *, is_last: bool) -> None:
        """Refuse to go on without scheduler, or after the last attempt.

        Raises
        ------
        ClusterError
            The connection is lost, or this was the last attempt.
        """
        if self.client.status != "running":
            raise ClusterError(
                "The scheduler of the cluster does not answer any more: start it, and save again, "
                "which goes on where this save ended."
            ) from error
        if is_last:
            raise ClusterError(
                f"Workers of the cluster died {_ATTEMPTS} times in the same step: look at their "
                "logs, give them more memory, and save again, which goes on where this save ended."
            ) from error

    def _wait(self, future: Any, monitor: Monitor) -> Any:
        """Return the result of a task; after a cancellation, wait until it ended for some time."""
        ended = threading.Event()
        future.add_done_callback(lambda _: ended.set())
        try:
            while not ended.wait(_POLL_SECONDS):
                monitor.check()
        except FerryError:
            self.check.end()
            ended.wait(_STOP_SECONDS)
            raise
        return future.result()


def is_small(array: Array) -> bool:
    """Return True if an array may travel with each write."""
    from distributed.protocol.pickle import dumps

    return len(dumps(array)) <= _SMALL_BYTES


def carry_out_remotely(attempt: Attempt, check: RunCheck, source: _Source | None) -> Outcome:
    """Carry out a write on a worker, and flush the result to the disk.

    Parameters
    ----------
    attempt : Attempt
        The write.
    check : RunCheck
        Check of the run, which must still be in progress.
    source : _Source, optional
        Source of the pixels; that of the write by default.
    """
    import dask

    check()
    if source is not None and not attempt.write.reopen:
        attempt = replace(attempt, write=replace(attempt.write, array=source.array))
    with dask.config.set(scheduler="synchronous"):  # a source of dask must not wait for workers
        outcome = carry_out(attempt, None, check)
    if not outcome.is_skipped:
        sync_written(attempt.target)
    return outcome


def make_file_of(step: tuple[Stream, Path], check: RunCheck, source: _Source | None) -> None:
    """Make the file of a stream on a worker; the stream contains its sources."""
    make_file_remotely(*step, check)


@contextmanager
def running_on(scheduler: Scheduler, plan: Plan, folder: Path) -> Iterator[ClusterRunner]:
    """Return a context for the steps of a plan on a cluster, whose workers are checked first.

    Parameters
    ----------
    scheduler : Client, cluster or str
        The cluster.
    plan : Plan
        The save.
    folder : Path
        Folder of its unfinished files.

    Raises
    ------
    InvalidImageError
        This is not a cluster, or the images in memory are too large to be sent.
    ClusterError
        The scheduler does not answer, or a worker cannot carry out the save.
    """
    with connecting(scheduler) as client:
        check_sources(plan.sources)
        with running(folder) as check:
            check_workers(client, check)
            check_memory(client, plan)
            check_pixels(client, plan)
            yield ClusterRunner(client, check)
