"""Progress and cancellation of a save."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from napari_ferry.errors import SaveCancelledError


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Progress of a save.

    Parameters
    ----------
    done, total : int
        Bytes of pixels that are written, and that are to be written.
    rate : float
        Average bytes per second.
    seconds_left : float
        Estimate of the remaining time from the rate.
    activity : str
        What the save does while no pixels are written, such as "removing the replaced data"; empty
        otherwise.
    """

    done: int
    total: int
    rate: float
    seconds_left: float
    activity: str = ""


@dataclass(kw_only=True)
class Monitor:
    """Counter of the bytes of all threads, and their common stop signal."""

    total: int
    report: Callable[[Progress], None] | None
    cancel: Callable[[], bool] | None
    done: int = 0
    skipped: int = 0
    stopped: bool = False
    started: float = field(default_factory=time.perf_counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self) -> None:
        """Stop every thread at its next block."""
        self.stopped = True

    def check(self) -> None:
        """Raise if the save was cancelled or stopped."""
        if self.stopped or (self.cancel is not None and self.cancel()):
            raise SaveCancelledError("The save was cancelled; existing files are unchanged.")

    def count(self, pixels: NDArray[Any]) -> None:
        """Count written pixels, and raise if the save was cancelled or stopped."""
        self.add(pixels.nbytes)

    def add(self, nbytes: int, *, skipped: bool = False) -> None:
        """Count bytes, and report progress; skipped bytes do not affect the rate."""
        with self.lock:
            self.done += nbytes
            self.skipped += nbytes if skipped else 0
            self._report("")
        self.check()

    def note(self, activity: str) -> None:
        """Report what the save does next, other than to write pixels."""
        with self.lock:
            self._report(activity)

    def _report(self, activity: str) -> None:
        if self.report is None:
            return
        seconds = max(1e-9, time.perf_counter() - self.started)
        rate = (self.done - self.skipped) / seconds
        left = (self.total - self.done) / rate if rate else float("inf")
        self.report(
            Progress(
                done=self.done, total=self.total, rate=rate, seconds_left=left, activity=activity
            )
        )


def size_text(nbytes: float) -> str:
    """Return a number of bytes as text, with units in steps of 1000.

    >>> size_text(999), size_text(1_500_000)
    ('999 B', '1.5 MB')
    """
    units = ["B", "kB", "MB", "GB", "TB"]
    while nbytes >= 1000 and len(units) > 1:
        nbytes, units = nbytes / 1000, units[1:]
    return f"{nbytes:.4g} {units[0]}"
