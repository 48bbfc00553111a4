"""Files with the same layout as another file, whose pixels are read from the same offsets.

TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import contextlib
import math
import operator
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array
from napari_ferry.arrays.blocks import as_bytes, c_strides
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.arrays.shared_file import MAX_READ
from napari_ferry.arrays.stamp import Stamp
from napari_ferry.codecs.tiff.pages.damage import DamageError

_MAX_COMPARED = 1 << 20
"""Bytes apart from the pixels above which files are not compared byte by byte."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """All bytes of an uncompressed file except its pixels.

    Parameters
    ----------
    nbytes : int
        Size of the file.
    head, tail : bytes
        Bytes before and after the pixels.
    starts : tuple of int
        Offset of each frame, in bytes.
    """

    nbytes: int
    head: bytes
    tail: bytes
    starts: tuple[int, ...]

    @classmethod
    def of(cls, path: Path, array: Array, lead: int) -> Template | None:
        """Make the template of a file, or None if its pixels are not one block.

        Parameters
        ----------
        path : Path
            The file.
        array : array
            Its pixels, as it was opened.
        lead : int
            Number of leading axes, before the axes of a frame.
        """
        if not isinstance(array, FileArray):
            return None
        frame = array.shape[lead:]
        if array.strides[lead:] != c_strides(frame, array.dtype.itemsize):
            return None

        # the frames may have any order, but must fill one block without gaps
        index = np.indices(array.shape[:lead]).reshape(lead, array.size // math.prod(frame)).T
        starts = array.start + index @ np.array(array.strides[:lead], np.int64)
        begin, pixels = int(starts.min()), array.nbytes
        if int(starts.max()) + pixels // len(starts) != begin + pixels:
            return None

        nbytes = path.stat().st_size
        if nbytes - pixels > _MAX_COMPARED:
            return None
        with path.open("rb") as file:
            head = file.read(begin)
            file.seek(begin + pixels)
            tail = file.read()
        return cls(nbytes=nbytes, head=head, tail=tail, starts=tuple(starts.tolist()))

    def read_files_into(
        self, paths: Iterable[str], stamps: Iterable[Stamp], out: NDArray[Any]
    ) -> int:
        """Read whole files with as few calls as possible, up to one that does not fit.

        Nothing is reported: the file at which this stops is to be read by other means.

        Parameters
        ----------
        paths : iterable of str
            The files.
        stamps : iterable of Stamp
            Their stamps when they were listed.
        out : array, axes frame, and those of a frame
            Target, in C order, for all frames of each file; any further files are not read.

        Returns
        -------
        int
            Number of files that were read; the target of the others is undefined.
        """
        if not self._is_read_at_once:
            return 0
        size = self.nbytes - len(self.head) - len(self.tail)
        head, tail, pixels = bytearray(len(self.head)), bytearray(len(self.tail)), as_bytes(out)
        targets = range(0, len(pixels) - size + 1, size)
        n_read = 0
        with contextlib.suppress(OSError):
            for path, stamp, start in zip(paths, stamps, targets, strict=False):
                is_read = self._read_parts(path, stamp, [head, pixels[start : start + size], tail])
                if not is_read or head != self.head or tail != self.tail:
                    break
                n_read += 1
        return n_read

    def _read_parts(self, path: str, stamp: Stamp, parts: Sequence[bytearray | memoryview]) -> bool:
        """Read a whole file into buffers; return False if its size or stamp differs."""
        if stamp.nbytes != self.nbytes:
            return False
        descriptor = os.open(path, os.O_RDONLY)
        try:
            is_unchanged = stamp.matches(os.fstat(descriptor))
            return is_unchanged and os.preadv(descriptor, parts, 0) == self.nbytes
        finally:
            os.close(descriptor)

    @property
    def _is_read_at_once(self) -> bool:
        """True if the frames are stored in order, and one system call can read the whole file."""
        is_possible = hasattr(os, "preadv") and self.nbytes <= MAX_READ
        return is_possible and all(map(operator.lt, self.starts, self.starts[1:]))

    def fits(self, file: BinaryIO) -> bool:
        """Return True if a file of the same size differs only in its pixels."""
        if file.read(len(self.head)) != self.head:
            return False
        if self.tail:
            file.seek(self.nbytes - len(self.tail))
        return not self.tail or file.read(len(self.tail)) == self.tail

    def read_into(self, file: BinaryIO, first: int, out: NDArray[Any]) -> None:
        """Read consecutive frames of a fitting file.

        Parameters
        ----------
        file : binary file
            Open for reading.
        first : int
            Number of the first frame.
        out : array, axes frame, and those of a frame
            Target, in C order.

        Raises
        ------
        ValueError
            The file has become shorter in the meantime.
        """
        frame_bytes = out.nbytes // len(out)
        starts = self.starts[first : first + len(out)]
        if starts == tuple(range(starts[0], starts[0] + out.nbytes, frame_bytes)):
            read_into(file, starts[0], out)
        else:
            for start, frame in zip(starts, out, strict=True):
                read_into(file, start, frame)


def read_into(file: BinaryIO, start: int, out: NDArray[Any]) -> None:
    """Fill an array in C order with the bytes from an offset of a file.

    Raises
    ------
    DamageError
        The file ends too early.
    """
    file.seek(start)
    n = file.readinto(out.data)  # type: ignore[attr-defined]
    rest = as_bytes(out)[n:] if n < out.nbytes else b""
    while rest:  # the system may return fewer bytes than requested
        n = file.readinto(rest)  # type: ignore[attr-defined]
        if not n:
            raise DamageError("it ends before its last pixel")
        rest = rest[n:]
