"""Bytes of a file at any offset, read in windows of a size adapted to their use.

Directories and blocks of large files are small and many. A memory map would read them as quickly,
but would end the program if another one shortened the file meanwhile.
"""

from __future__ import annotations

import os
from typing import BinaryIO

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_NEAR_BYTES = 16 << 10
"""Distance from the last window up to which bytes are read ahead: a call would take longer."""

_SMALL_BYTES = 4 << 10
_LARGE_BYTES = 256 << 10


class FileWindow:
    """The bytes of an open file, some of them in memory.

    Parameters
    ----------
    file : binary file
        Open for reading.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = os.fstat(file.fileno()).st_size
        """Size of the file, in bytes."""
        self.start = 0
        """Offset of the bytes in memory."""
        self.window = b""
        """The bytes in memory."""

    def read(self, offset: int, nbytes: int) -> bytes:
        """Return bytes at an offset, fewer or none beyond the end of the file."""
        begin = offset - self.start
        if not 0 <= begin <= len(self.window) - nbytes:
            self.move(offset, nbytes)
            begin = 0
        return self.window[begin : begin + nbytes]

    def gather(self, offsets: NDArray[np.int64], nbytes: int) -> NDArray[np.uint8]:
        """Return as many bytes at each offset: axes (offset, byte).

        Parameters
        ----------
        offsets : array of int64
            Offsets in the file, of which rising ones are read window by window.
        nbytes : int
            Number of bytes at each, at least 1.

        Raises
        ------
        ValueError
            The bytes are not in the file.
        """
        out = np.empty((len(offsets), nbytes), np.uint8)
        is_rising = bool((offsets[1:] >= offsets[:-1]).all())

        first = 0
        while first < len(offsets):
            if len(self.read(int(offsets[first]), nbytes)) < nbytes:
                raise ValueError(f"no {nbytes} bytes at byte {offsets[first]}")

            # all following offsets within the window at once
            window = sliding_window_view(np.frombuffer(self.window, np.uint8), nbytes)
            end = self.start + len(window)
            count = int(np.searchsorted(offsets[first:], end)) if is_rising else 1
            out[first : first + count] = window[offsets[first : first + count] - self.start]
            first += count
        return out

    def move(self, offset: int, nbytes: int) -> None:
        """Move the window to an offset, and read at least some bytes if the file has them."""
        is_near = 0 <= offset - self.start <= len(self.window) + _NEAR_BYTES
        nbytes = max(nbytes, _LARGE_BYTES if is_near else _SMALL_BYTES)
        left = self.size - offset if offset >= 0 else 0
        self.start, self.window = offset, self._load(offset, min(nbytes, left)) if left > 0 else b""

    def _load(self, offset: int, nbytes: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self.file.fileno(), nbytes, offset)
        self.file.seek(offset)
        return self.file.read(nbytes)
