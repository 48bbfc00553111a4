"""Identifier of a run in a file, for the workers of a cluster.

It is in the folder of the unfinished save, and tells workers that the save is still in progress.
An attempt reads it before each block. A late attempt, such as one on a worker that was cut off from
the network, finds no file or that of another run, and ends before it writes.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from napari_ferry.errors import SaveCancelledError
from napari_ferry.saving.partial.journal import RUN
from napari_ferry.saving.write import write_text

_SECONDS = 0.05
"""Time for which the answer of the file system is trusted: frames may be read in microseconds."""


class RunCheck:
    """Check that a run is in progress, for the attempts of a worker; it can be pickled.

    Parameters
    ----------
    path : Path
        File of the run.
    run_id : str
        Identifier of the run.
    """

    def __init__(self, path: Path, run_id: str) -> None:
        self.path = path
        self.run_id = run_id
        self._checked = -_SECONDS

    def __reduce__(self) -> tuple[type[RunCheck], tuple[Path, str]]:
        return RunCheck, (self.path, self.run_id)

    def __call__(self) -> None:
        """Raise if the run is not in progress.

        Raises
        ------
        SaveCancelledError
            The run ended, or another one began.
        """
        now = time.monotonic()
        if now - self._checked < _SECONDS:
            return
        if not self.is_current():
            raise SaveCancelledError("The save on the cluster was cancelled, or has ended.")
        self._checked = now

    def end(self) -> None:
        """Remove the file, to end all attempts of the run at their next block."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def is_current(self) -> bool:
        """Return True if the file is that of this run, as read by this host."""
        try:
            return self.path.read_text("utf-8") == self.run_id
        except OSError:
            return False


@contextlib.contextmanager
def running(folder: Path) -> Iterator[RunCheck]:
    """Return a context for a run on a cluster, with the check for its attempts.

    Parameters
    ----------
    folder : Path
        Folder of the unfinished save.
    """
    check = RunCheck(folder / RUN, os.urandom(16).hex())
    write_text(check.path, text=check.run_id)
    try:
        yield check
    finally:
        check.end()
        time.sleep(2 * _SECONDS)  # attempts that have just read the file write their block
