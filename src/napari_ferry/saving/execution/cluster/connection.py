"""Connection to the scheduler of a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from napari_ferry.errors import ClusterError, InvalidImageError
from napari_ferry.saving.execution.runner import Scheduler

if TYPE_CHECKING:
    import distributed

_TIMEOUT = "10s"

_WORKER_TIMEOUT = "30s"
"""Longest time to wait for the first worker, which may be starting."""


@contextmanager
def connecting(scheduler: Scheduler) -> Iterator[distributed.Client]:
    """Return a context with a client, closed at the end if it was made here.

    Parameters
    ----------
    scheduler : Client, cluster or str
        A client, a cluster such as ``LocalCluster``, or an address such as
        ``"tcp://192.168.0.2:8786"``.

    Raises
    ------
    InvalidImageError
        It is none of these, or dask.distributed is not installed.
    ClusterError
        The scheduler does not answer, or has no workers.
    """
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise InvalidImageError(
            "dask.distributed is not installed: install it by pip install 'napari-ferry[cluster]', "
            "here and on the workers, or omit the cluster."
        ) from error

    if isinstance(scheduler, distributed.Client):
        if scheduler.asynchronous:
            raise InvalidImageError(
                "The client is asynchronous: give one that was made with asynchronous=False, or "
                "the address of the scheduler."
            )
        _check_workers(scheduler)
        yield scheduler
        return
    if not isinstance(scheduler, str | distributed.deploy.Cluster):
        raise InvalidImageError(
            f"The cluster is {scheduler!r}: give a client of dask.distributed, or the address of a "
            "scheduler, such as 'tcp://192.168.0.2:8786'."
        )
    with _new_client(distributed, scheduler) as client:
        _check_workers(client)
        yield client


def _new_client(distributed: Any, scheduler: Scheduler) -> Any:
    """Return a new client of a scheduler, without making it the default of dask."""
    try:
        return distributed.Client(scheduler, timeout=_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"The scheduler {scheduler} does not answer ({error}): check its address, and that "
            "it is running."
        ) from error


def _check_workers(client: distributed.Client) -> None:
    """Wait for the first worker.

    Raises
    ------
    ClusterError
        No worker came.
    """
    try:
        client.wait_for_workers(1, timeout=_WORKER_TIMEOUT)
    except TimeoutError as error:
        raise ClusterError(
            f"The scheduler {client.scheduler.address} has no workers: start some with 'dask "
            "worker', and save again."
        ) from error
