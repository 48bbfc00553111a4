"""Search for data sets in another thread, whose finds are taken as they come."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from napari_ferry.batch.batch_record import Record
from napari_ferry.batch.inputs import Input, Skipped, search_inputs


@dataclass(kw_only=True)
class InputSearch:
    """One search.

    Parameters
    ----------
    sources : sequence of Path
        Folders and files.
    target : Path
        Folder of the targets, left out where it is in a searched folder.
    is_recursive : bool
        Whether to search the folders in a folder, too.
    """

    sources: Sequence[Path]
    target: Path
    is_recursive: bool
    found: deque[Input | Skipped] = field(default_factory=deque)
    """Finds that were not taken yet."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    is_complete: bool = False
    """Whether nothing more will be found."""

    def run(self) -> None:
        """Search until all is found; for another thread.

        Raises
        ------
        FerryError
            A folder does not exist, or cannot be read.
        """
        record = Record.read(self.target)
        for each in search_inputs(
            self.sources,
            recursive=self.is_recursive,
            target=self.target,
            is_output=record.is_output,
        ):
            if self.cancelled.is_set():
                return
            self.found.append(each)
        self.is_complete = True

    def take(self, most: int) -> list[Input | Skipped]:
        """Return the next finds, and forget them."""
        return [self.found.popleft() for _ in range(min(most, len(self.found)))]
