"""Frames read in order by one thread, while other threads read the same source elsewhere."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from contextvars import ContextVar

from napari_ferry.arrays.context_values import holding

_number: ContextVar[int] = ContextVar("sequence_number", default=0)


def own_sequence() -> AbstractContextManager[None]:
    """Return a context for a thread that reads many frames in order, such as those of a segment.

    A reader that decodes frames in order keeps a decoder for each such thread, because a single
    one would start anew from a key frame whenever another thread reads.
    """
    return holding(_number, threading.get_ident())


def sequence_number() -> int:
    """Return the number of the sequence being read by this thread; 0 for all other reading."""
    return _number.get()
