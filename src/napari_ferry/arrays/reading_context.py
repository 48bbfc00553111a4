"""Contexts of reading: values held within a ``with`` block, such as the expected reuse of data."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TypeVar

_T = TypeVar("_T")

_is_reused: ContextVar[bool | None] = ContextVar("is_reused", default=None)
_sequence: ContextVar[int] = ContextVar("sequence", default=0)


@contextmanager
def holding(variable: ContextVar[_T], value: _T) -> Iterator[None]:
    """Set a context variable within a ``with`` block."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def single_use() -> AbstractContextManager[None]:
    """Return a context for reading pixels used once, such as those of a save."""
    return holding(_is_reused, False)


def repeated_use() -> AbstractContextManager[None]:
    """Return a context for reading pixels read again later, such as those of a viewer."""
    return holding(_is_reused, True)


def is_reused() -> bool | None:
    """Return True if pixels will be read again, False if not, ``None`` if unknown."""
    return _is_reused.get()


def own_sequence() -> AbstractContextManager[None]:
    """Return a context for a thread that reads many frames in order, such as those of a segment.

    A reader that decodes frames in order keeps a decoder for each such thread, because a single
    one would start anew from a key frame whenever another thread reads.
    """
    return holding(_sequence, threading.get_ident())


def sequence_number() -> int:
    """Return the number of the sequence being read by this thread; 0 for all other reading."""
    return _sequence.get()
