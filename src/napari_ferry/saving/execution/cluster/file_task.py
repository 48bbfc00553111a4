"""Files that are written in order, such as a GIF, as a single task of a cluster."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_ferry.arrays.progress import Monitor
from napari_ferry.saving.disk.flush import sync_file
from napari_ferry.saving.stream import Stream, make_stream

if TYPE_CHECKING:
    from napari_ferry.saving.execution.cluster.run_file import RunCheck


def make_files_remotely(stream: Stream, partials: Sequence[Path], check: RunCheck) -> int:
    """Write the files of a stream on a worker, flush them to the disk, and return their number.

    Each attempt writes files of its own, so that a late one does no harm.

    Parameters
    ----------
    stream : Stream
        The stream.
    partials : sequence of Path
        Partial paths of its files.
    check : RunCheck
        Check whether the run is still in progress.
    """
    import dask

    check()
    attempt = os.urandom(8).hex()
    own = [path.with_name(f"{path.stem}.{attempt}{path.suffix}") for path in partials]

    def is_ended() -> bool:
        """Return False, or raise if the run has ended."""
        check()
        return False

    monitor = Monitor(total=0, report=None, cancel=is_ended)
    try:
        with dask.config.set(scheduler="synchronous"):
            count = make_stream(stream, own, monitor, 1)
        for path in own[:count]:
            sync_file(path)
        check()
        for path, partial in zip(own, partials[:count], strict=False):
            path.replace(partial)
    finally:
        for path in own:
            path.unlink(missing_ok=True)  # the files of failed attempts could fill the disk
    return count
