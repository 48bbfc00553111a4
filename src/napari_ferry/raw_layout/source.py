"""Reading a bounded sample of a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

HEAD_BYTES = 64 << 10
"""A header is expected within so many bytes."""


class Source:
    """An open file of which parts are read; `nread` counts bytes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size
        self.nread = 0

    def read(self, start: int, nbytes: int) -> bytes:
        """Return bytes of the file, fewer at its end."""
        start = max(0, start)
        self._file.seek(start)
        data = self._file.read(max(0, min(nbytes, self.size - start)))
        self.nread += len(data)
        return data

    def values(self, start: int, count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Return samples from a place on, shape ``(n,)`` with n <= `count`."""
        data = self.read(start, count * dtype.itemsize)
        return np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype)

    @property
    def body(self) -> int:
        """Where pixels are expected to have begun, whatever the header."""
        return min(HEAD_BYTES, self.size // 8)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a file for as long as it is looked into."""
    with path.open("rb", buffering=0) as file:
        yield Source(file)
