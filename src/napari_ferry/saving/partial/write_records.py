"""Records of finished writes in the journal of an unfinished save."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_ferry.files.json_files import parse_json
from napari_ferry.saving.disk.plain_files import open_plain

NEW_NAME = re.compile(r"new-[0-9]{1,9}(\.[^./\\:\0]+){0,3}")
"""An unfinished file, that of one attempt of a cluster, or an auxiliary file of a format; the last
two have one more suffix each."""

MAX_LINE_BYTES = 8 << 20
"""Length of the longest line; the moves of fifty thousand files are shorter."""

_MAX_WRITES = 10**9


class JournalError(ValueError):
    """A journal is damaged, or was not written by a save."""


class WriteRecord(NamedTuple):
    """A finished write: digest of the stored data, and identity or digest of its source."""

    stored: str
    source: str


class WriteRecords(Mapping[int, WriteRecord]):
    """Records of the finished writes of one file, each read on access.

    Parameters
    ----------
    path : Path
        The journal, to which other lines may be appended.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbers = array("q")
        self._starts = array("q")
        self._sorted: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    def add(self, number: int, start: int) -> None:
        """Add the line of a write, given the offset of its start in bytes."""
        self._numbers.append(number)
        self._starts.append(start)
        self._sorted = None

    def __getitem__(self, number: int) -> WriteRecord:
        """Return the record of a write.

        Raises
        ------
        KeyError
            The write is not finished, or its line has changed.
        """
        order, numbers = self._sort()
        k = int(np.searchsorted(numbers, number, "right")) - 1  # the last of several attempts
        if k < 0 or numbers[k] != number:
            raise KeyError(number)
        with open(self.path, "rb", opener=open_plain) as file:
            file.seek(self._starts[order[k]])
            line = file.readline(MAX_LINE_BYTES)
        try:
            found = parse_write(line)
        except JournalError as error:
            raise KeyError(number) from error
        if found is None or found[1] != number:
            raise KeyError(number)
        return found[2]

    def __iter__(self) -> Iterator[int]:
        return iter(sorted({*self._numbers}))

    def __len__(self) -> int:
        return len({*self._numbers})

    def _sort(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the order of the lines by the number of the write, and these numbers."""
        if self._sorted is None:
            numbers = np.array(self._numbers, np.int64)
            order = np.argsort(numbers, kind="stable")
            self._sorted = order, numbers[order]
        return self._sorted


def parse_line(line: bytes) -> Any:
    """Return the content of a line.

    Raises
    ------
    JournalError
        The line is not JSON.
    """
    try:
        return parse_json(line.decode("ascii"))
    except ValueError as error:
        raise JournalError(f"{line[:60]!r} is not JSON") from error


def parse_write(line: bytes) -> tuple[str, int, WriteRecord] | None:
    """Return name, number and record of a write; ``None`` for another line.

    Raises
    ------
    JournalError
        The line is not JSON, or no save writes it.
    """
    match parse_line(line):
        case {"file": str(name), "write": int(index), "stored": str(stored), "source": str(source)}:
            if not 0 <= index < _MAX_WRITES:
                raise JournalError(f"{index} is not the number of a write")
            return checked_new(name), index, WriteRecord(stored, source)
    return None


def checked_new(name: object) -> str:
    """Return the name of an unfinished file.

    Raises
    ------
    JournalError
        No save gives a file this name.
    """
    if not isinstance(name, str) or not NEW_NAME.fullmatch(name):
        raise JournalError(f"{str(name)[:60]!r} is not the name of an unfinished file")
    return name
