"""A file that is written in order, such as a GIF, as a single task of a cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from napari_ferry.arrays.progress import Monitor
from napari_ferry.arrays.regions import is_sent_by_path
from napari_ferry.saving.disk.flush import sync_file
from napari_ferry.saving.stream import Stream, make_stream

if TYPE_CHECKING:
    from napari_ferry.saving.execution.cluster.run_file import RunCheck


def is_one_file(stream: Stream) -> bool:
    """Return True if a stream makes one file in order, which one worker can read and write.

    The process that has the pixels in its memory writes them itself.
    """
    sources = (group.array for group in stream.tasks.groups)
    return len(stream.paths) == 1 and all(map(is_sent_by_path, sources))


def make_file_remotely(stream: Stream, partial: Path, check: RunCheck) -> None:
    """Write the file of a stream on a worker, and flush it to the disk.

    Each attempt writes a file of its own, so that a late one does no harm.

    Parameters
    ----------
    stream : Stream
        The stream.
    partial : Path
        Partial path of its file.
    check : RunCheck
        Check whether the run is still in progress.
    """
    import dask

    check()
    token = os.urandom(8).hex()
    own = partial.with_name(f"{partial.stem}.{token}{partial.suffix}")

    def is_ended() -> bool:
        """Return False, or raise if the run has ended."""
        check()
        return False

    monitor = Monitor(total=0, report=None, cancel=is_ended)
    try:
        with dask.config.set(scheduler="synchronous"):
            make_stream(stream, [own], monitor, 1)
        sync_file(own)
        check()
        own.replace(partial)
    finally:
        # the files of failed attempts, and those beside them, could fill the disk
        for left in own.parent.glob(f"*.{token}*"):
            left.unlink(missing_ok=True)
