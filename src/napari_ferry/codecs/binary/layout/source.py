"""Bounded reads of a raw file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import numpy.typing as npt

HEAD_BYTES = 64 << 10
"""Bytes within which a header is expected to end."""

_BLOCK_BYTES = 4 << 10
_MAX_BLOCKS = 2048


class SampleSource(Protocol):
    """Consecutive samples, read from byte offsets."""

    size: int

    @property
    def body_start(self) -> int:
        """Byte after the longest expected header."""

    def preload(self, start: int, nbytes: int) -> None:
        """Read a large part into memory, and keep it until the next one."""

    def read_samples(self, start: int, count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Read samples from a byte on, shape ``(n,)`` with n <= `count`."""


class Source:
    """An open file, read in parts; `nread` counts the bytes read.

    Blocks are cached, up to 8 MiB in addition to the part preloaded last, because many layouts
    need the same bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size
        self.nread = 0
        self._blocks: dict[int, bytes] = {}
        self._preloaded = (0, b"")

    def preload(self, start: int, nbytes: int) -> None:
        """Read a large part into memory, and keep it until the next one."""
        first, data = self._preloaded
        nbytes = min(nbytes, self.size - start)
        if first <= start and start + nbytes <= first + len(data):
            return
        self._preloaded = (start, self._read_file(start, nbytes))

    def read(self, start: int, nbytes: int) -> bytes:
        """Read bytes of the file, fewer at its end."""
        start = max(0, start)
        nbytes = max(0, min(nbytes, self.size - start))
        first, data = self._preloaded
        if first <= start and start + nbytes <= first + len(data):
            return data[start - first : start - first + nbytes]
        if not nbytes:
            return b""

        numbers = range(start // _BLOCK_BYTES, (start + nbytes - 1) // _BLOCK_BYTES + 1)
        joined = b"".join([self._read_block(number) for number in numbers])
        skipped = start - numbers[0] * _BLOCK_BYTES
        return joined[skipped : skipped + nbytes]

    def read_samples(self, start: int, count: int, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Read samples from a byte on, shape ``(n,)`` with n <= `count`."""
        data = self.read(start, count * dtype.itemsize)
        return np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype)

    @property
    def body_start(self) -> int:
        """Byte after the longest expected header."""
        return min(HEAD_BYTES, self.size // 8)

    def _read_block(self, number: int) -> bytes:
        if number not in self._blocks:
            if len(self._blocks) == _MAX_BLOCKS:
                self._blocks.pop(next(iter(self._blocks)))
            self._blocks[number] = self._read_file(number * _BLOCK_BYTES, _BLOCK_BYTES)
        return self._blocks[number]

    def _read_file(self, start: int, nbytes: int) -> bytes:
        self._file.seek(start)
        data = self._file.read(nbytes)
        self.nread += len(data)
        return data


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a file for bounded reads."""
    with path.open("rb", buffering=0) as file:
        yield Source(file)
