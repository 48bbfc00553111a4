"""Number of data sets of a batch in progress at once."""

from __future__ import annotations

from typing import Protocol

_MOST_AT_ONCE = 16
"""Number of files in progress on a cluster, each of which is planned by this process."""

AT_ONCE = f"as many files at once as its workers have threads, up to {_MOST_AT_ONCE}"
"""Number of files that a cluster converts at once, in words."""


class Cluster(Protocol):
    """A client such as `distributed.Client`."""

    def nthreads(self) -> dict[str, int]:
        """Return the number of threads of each worker, by its address."""
        ...


def count_at_once(client: Cluster | None) -> int:
    """Return the number of files to convert at once: one on this computer, several on a cluster.

    Parameters
    ----------
    client : Cluster, optional
        Client of the cluster; None to convert on this computer.

    Examples
    --------
    >>> count_at_once(None)
    1
    """
    if client is None:
        return 1
    return max(1, min(_MOST_AT_ONCE, sum(client.nthreads().values())))
