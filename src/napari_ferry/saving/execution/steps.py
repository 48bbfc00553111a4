"""All steps of a plan, carried out in a partial folder by threads or by a cluster."""

from __future__ import annotations

import os
from contextlib import ExitStack

from napari_ferry.arrays.progress import Monitor
from napari_ferry.arrays.read_ahead import QUEUE
from napari_ferry.saving.disk.flush import sync_file
from napari_ferry.saving.execution.file_jobs import make_files
from napari_ferry.saving.execution.runner import Runner, Scheduler, ThreadRunner
from napari_ferry.saving.execution.workers import default_workers, most_at_once
from napari_ferry.saving.partial.partial_folder import PartialFolder
from napari_ferry.saving.plan import Plan
from napari_ferry.saving.stream import make_stream
from napari_ferry.saving.write import partial_name


def make_all(
    plan: Plan,
    folder: PartialFolder,
    monitor: Monitor,
    workers: int | None,
    client: Scheduler | None,
) -> int:
    """Make all files and the stream in a partial folder.

    Parameters
    ----------
    plan : Plan
        The save.
    folder : PartialFolder
        Its folder, which is locked.
    monitor : Monitor
        Counts bytes, and stops all threads.
    workers : int, optional
        Number of threads; chosen automatically by default.
    client : Client, cluster or str, optional
        Cluster that carries out the writes.

    Returns
    -------
    int
        Number of files of the stream.
    """
    threads = workers or default_workers(plan, os.cpu_count() or 1)
    with QUEUE.paused(), ExitStack() as stack:
        runner: Runner = ThreadRunner(most_at_once(plan, threads))
        if client is not None:
            from napari_ferry.saving.execution.cluster.cluster_runner import running_on

            runner = stack.enter_context(running_on(client, plan, folder.path))
        make_files(plan.files, plan.grouped_writes, folder, monitor, runner)
        return _make_stream(plan, folder, monitor, runner, threads)


def _make_stream(
    plan: Plan, folder: PartialFolder, monitor: Monitor, runner: Runner, threads: int
) -> int:
    """Write the files of a stream, and return their number."""
    if plan.stream is None:
        return 0
    by_path = {path: folder.file(partial_name(i, path)) for i, path in enumerate(plan.paths)}
    partials = [by_path[path] for path in plan.stream.paths]
    if runner.make_file(plan.stream, partials[0], monitor):
        return 1
    count = make_stream(plan.stream, partials, monitor, threads)
    for partial in partials[:count]:
        sync_file(partial)
    return count
