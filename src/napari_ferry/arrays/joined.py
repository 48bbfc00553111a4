"""Frames of several arrays in sequence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.arrays.array_protocol import Closable, close
from napari_ferry.arrays.fair_lock import FairLock
from napari_ferry.arrays.frames import BulkReader, Frames, SequentialReader


class JoinedReader(Closable):
    """Reader of the frames of several arrays, one after the other.

    Parameters
    ----------
    parts : sequence of Frames
        Arrays of frames of one shape and dtype.
    """

    def __init__(self, parts: Sequence[Frames]) -> None:
        self.parts = tuple(parts)
        counts = [math.prod(part.shape[: part.lead]) for part in parts]
        self._ends = list(accumulate(counts))

    def __call__(self, i: int) -> NDArray[Any]:
        """Return frame i of the whole sequence."""
        part, start, _ = self._find(i)
        return part.frame(i - start)

    def read_into(self, first: int, out: NDArray[Any]) -> None:
        """Read consecutive frames into an array, whose first axis counts frames."""
        done = 0
        while done < len(out):
            i = first + done
            part, start, end = self._find(i)
            block = out[done : done + end - i]
            if isinstance(part.read, BulkReader):
                part.read.read_into(i - start, block)
            else:
                for k in range(len(block)):
                    block[k] = part.frame(i + k - start)
            done += len(block)

    def close(self) -> None:
        """Close each part."""
        close(*self.parts)

    def _find(self, i: int) -> tuple[Frames, int, int]:
        """Return the part with frame i, and the range of its frames in the sequence."""
        k = int(np.searchsorted(self._ends, i, "right"))
        return self.parts[k], self._ends[k - 1] if k else 0, self._ends[k]


class SequentialJoinedReader(JoinedReader):
    """Reader of the frames of several arrays, some of them decoded in sequence.

    Each part has a lock of its own, which its reader may acquire while this one is held.

    Parameters
    ----------
    parts : sequence of Frames
        Arrays of frames of one shape and dtype.
    """

    def __init__(self, parts: Sequence[Frames]) -> None:
        super().__init__(parts)
        self.sequence_lock: AbstractContextManager[None] = FairLock()
        """Held by a thread that reads several frames, of whichever part."""

    def __reduce__(self) -> tuple[type, tuple[tuple[Frames, ...]]]:
        return type(self), (self.parts,)


def join_readers(parts: Sequence[Frames]) -> JoinedReader:
    """Return the reader of the frames of several arrays, one after the other.

    Parameters
    ----------
    parts : sequence of Frames
        Arrays of frames of one shape and dtype.
    """
    is_sequential = any(isinstance(part.read, SequentialReader) for part in parts)
    return SequentialJoinedReader(parts) if is_sequential else JoinedReader(parts)
