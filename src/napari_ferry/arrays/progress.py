"""Progress and cancellation of loading and saving."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from numpy.typing import NDArray

from napari_ferry.errors import FerryError, InvalidImageError, SaveCancelledError


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Progress of loading or saving.

    Parameters
    ----------
    done, total : int
        Bytes of pixels read or written so far, and in total.
    rate : float
        Average bytes per second.
    seconds_left : float
        Estimate of the remaining time from the rate.
    activity : str
        What the save does while no pixels are written, such as "removing the replaced data"; empty
        otherwise.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_ferry import imsave
    >>> def report(progress):
    ...     print(f"{progress.done / progress.total:.0%}")
    >>> _ = imsave(np.zeros((3, 8, 8)), "cells.tif", progress=report)
    100%
    """

    done: int
    total: int
    rate: float
    seconds_left: float
    activity: str = ""


Report: TypeAlias = Callable[[Progress], None]
"""A function that is called with the progress after each block."""


@contextmanager
def reporting(progress: Report | bool | None, total: int, name: str) -> Iterator[Report | None]:
    """Return a context with the function to call with the progress, ``None`` for no report.

    Parameters
    ----------
    progress : callable or bool, optional
        True shows a progress bar on a terminal or in a notebook.
    total : int
        Bytes of all pixels.
    name : str
        Name of the file, for the progress bar.

    Raises
    ------
    InvalidImageError
        `progress` is none of these.
    """
    if callable(progress) or not progress:
        yield progress or None
        return
    if progress is not True:
        raise InvalidImageError(
            f"progress is {progress!r}: give True for a progress bar, or a function that takes the "
            "Progress."
        )
    from tqdm.auto import tqdm

    with tqdm(total=total, unit="B", unit_scale=True, desc=name) as bar:

        def report(progress: Progress) -> None:
            """Show progress in the bar."""
            bar.update(progress.done - bar.n)
            if progress.activity:
                bar.set_postfix_str(progress.activity)

        yield report


def _save_cancelled() -> FerryError:
    return SaveCancelledError("The save was cancelled; existing files are unchanged.")


@dataclass(kw_only=True)
class Monitor:
    """Counter of the bytes of all threads, and their common stop signal."""

    total: int
    report: Report | None
    cancel: Callable[[], bool] | None
    cancelled: Callable[[], FerryError] = _save_cancelled
    """Returns the error to raise after a cancellation."""
    done: int = 0
    skipped: int = 0
    stopped: bool = False
    started: float = field(default_factory=time.perf_counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if self.cancel is not None and not callable(self.cancel):
            raise InvalidImageError(
                f"cancel is {self.cancel!r}: give a function that returns True to stop, such as "
                "Event().is_set."
            )

    def stop(self) -> None:
        """Stop every thread at its next block."""
        self.stopped = True

    def check(self) -> None:
        """Raise if the work was cancelled or stopped."""
        if self.stopped or (self.cancel is not None and self.cancel()):
            raise self.cancelled()

    def count(self, pixels: NDArray[Any]) -> None:
        """Count pixels, and raise if the work was cancelled or stopped."""
        self.add(pixels.nbytes)

    def add(self, nbytes: int, *, skipped: bool = False) -> None:
        """Count bytes, and report progress; skipped bytes do not affect the rate."""
        with self.lock:
            self.done += nbytes
            self.skipped += nbytes if skipped else 0
            self._report("")
        self.check()

    def note(self, activity: str) -> None:
        """Report the next activity of the save other than writing pixels."""
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
