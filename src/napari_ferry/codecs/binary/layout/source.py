"""Reading a bounded sample of a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

HEAD_BYTES = 64 << 10
"""A header is expected within so many bytes."""

_BLOCK = 4 << 10
_MAX_BLOCKS = 2048


class Samples(Protocol):
    """Something of which runs of samples can be read, from places in bytes."""

    size: int

    @property
    def body(self) -> int:
        """Where pixels are expected to have begun, whatever the header."""

    def hold(self, start: int, nbytes: int) -> None:
        """Read a large piece, and keep it until the next one."""

    def values(self, start: int, count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Return samples from a place on, shape ``(n,)`` with n <= `count`."""


class Source:
    """An open file of which parts are read; `nread` counts bytes.

    What was read is kept, up to 8 MiB beside the last large piece, as many layouts look at the
    same places.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size
        self.nread = 0
        self._blocks: dict[int, bytes] = {}
        self._held = (0, b"")

    def hold(self, start: int, nbytes: int) -> None:
        """Read a large piece, and keep it until the next one."""
        first, data = self._held
        nbytes = min(nbytes, self.size - start)
        if first <= start and start + nbytes <= first + len(data):
            return
        self._held = (start, self._read(start, nbytes))

    def read(self, start: int, nbytes: int) -> bytes:
        """Return bytes of the file, fewer at its end."""
        start = max(0, start)
        nbytes = max(0, min(nbytes, self.size - start))
        first, data = self._held
        if first <= start and start + nbytes <= first + len(data):
            return data[start - first : start - first + nbytes]
        if not nbytes:
            return b""
        numbers = range(start // _BLOCK, (start + nbytes - 1) // _BLOCK + 1)
        joined = b"".join([self._block(number) for number in numbers])
        skipped = start - numbers[0] * _BLOCK
        return joined[skipped : skipped + nbytes]

    def values(self, start: int, count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Return samples from a place on, shape ``(n,)`` with n <= `count`."""
        data = self.read(start, count * dtype.itemsize)
        return np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype)

    @property
    def body(self) -> int:
        """Where pixels are expected to have begun, whatever the header."""
        return min(HEAD_BYTES, self.size // 8)

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            if len(self._blocks) == _MAX_BLOCKS:
                self._blocks.pop(next(iter(self._blocks)))
            self._blocks[number] = self._read(number * _BLOCK, _BLOCK)
        return self._blocks[number]

    def _read(self, start: int, nbytes: int) -> bytes:
        self._file.seek(start)
        data = self._file.read(nbytes)
        self.nread += len(data)
        return data


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a file for as long as it is looked into."""
    with path.open("rb", buffering=0) as file:
        yield Source(file)
