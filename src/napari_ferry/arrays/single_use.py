"""Reads whose pixels are used once, such as those of a save, so that caching them is useless."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_single_use = ContextVar("is_single_use", default=False)


@contextmanager
def single_use() -> Iterator[None]:
    """Return a context for reading whole chunks that are not read again."""
    token = _is_single_use.set(True)
    try:
        yield
    finally:
        _is_single_use.reset(token)


def is_single_use() -> bool:
    """Return True while pixels are read that are used once."""
    return _is_single_use.get()
