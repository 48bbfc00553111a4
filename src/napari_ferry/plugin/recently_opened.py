"""Files that came with another one that was opened moments ago.

napari asks a reader for one file after the other when several are dropped. Where the first has
brought the pixels of all, such as a raw file those of its sidecar, the others add nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

SECONDS = 5.0
"""Files that are asked for later than this were not dropped together."""


class RecentlyOpened:
    """Remembers for moments which files came with those that were opened.

    Parameters
    ----------
    seconds : float
        How long.
    clock : callable
        Tells the time in seconds.
    """

    def __init__(
        self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._until: dict[Path, float] = {}

    def opened(self, path: Path, files: Iterable[Path]) -> None:
        """Remember `files` as those that came with `path`, which itself may be opened again."""
        now = self._clock()
        self._until = {file: until for file, until in self._until.items() if until > now}
        came = {file.absolute() for file in files} - {path.absolute()}
        self._until |= dict.fromkeys(came, now + self._seconds)

    def consume(self, path: Path) -> bool:
        """Whether a file came with another one just now; true once for each time that it did."""
        return self._until.pop(path.absolute(), -1.0) > self._clock()
