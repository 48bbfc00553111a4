"""Companions of recently opened files.

napari asks a reader for one file at a time when several are dropped. If opening the first file has
already opened its companions, such as the sidecar of a raw file, these must not be opened again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

SECONDS = 5.0
"""Maximum time between requests for files that were dropped together."""


class RecentlyOpened:
    """Keeps track of the companions of recently opened files.

    Parameters
    ----------
    seconds : float
        Time for which a companion is remembered.
    clock : callable
        Returns the current time in seconds.
    """

    def __init__(
        self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._until: dict[Path, float] = {}

    def opened(self, path: Path, files: Iterable[Path]) -> None:
        """Remember the companions `files` of a file; `path` itself may be opened again."""
        now = self._clock()
        self._until = {file: until for file, until in self._until.items() if until > now}
        companions = {file.absolute() for file in files} - {path.absolute()}
        self._until |= dict.fromkeys(companions, now + self._seconds)

    def consume(self, path: Path) -> bool:
        """Return True, once, if a file is a companion of a recently opened file."""
        return self._until.pop(path.absolute(), -1.0) > self._clock()
