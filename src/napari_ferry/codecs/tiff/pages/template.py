"""Files with the same layout as another file, whose pixels are read from the same offsets.

TIFF 6.0 (Adobe, 1992) and BigTIFF.
"""

from __future__ import annotations

import math
import operator
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays import Array
from napari_ferry.arrays.blocks import as_bytes, c_strides
from napari_ferry.arrays.file_array import FileArray
from napari_ferry.arrays.shared_file import MAX_READ
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
            Number of axes before those of a frame.
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

    def read_all_into(self, file: BinaryIO, out: NDArray[Any]) -> bool:
        """Read all frames of a file of the same size in one call, with the bytes that must match.

        Parameters
        ----------
        file : binary file
            Open for reading.
        out : array, axes frame, and those of a frame
            Target for the frames, in C order.

        Returns
        -------
        bool
            False if the frames must be read otherwise; the target is undefined then.
        """
        if not self._is_read_at_once or out.nbytes + self._other_bytes != self.nbytes:
            return False
        head, tail = bytearray(len(self.head)), bytearray(len(self.tail))
        count = os.preadv(file.fileno(), [head, as_bytes(out), tail], 0)
        return count == self.nbytes and head == self.head and tail == self.tail

    @cached_property
    def _is_read_at_once(self) -> bool:
        """True if the frames are stored in order, and the system reads them with what is around."""
        is_possible = hasattr(os, "preadv") and self.nbytes <= MAX_READ
        return is_possible and all(map(operator.lt, self.starts, self.starts[1:]))

    @property
    def _other_bytes(self) -> int:
        """Number of bytes that are not pixels."""
        return len(self.head) + len(self.tail)

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
