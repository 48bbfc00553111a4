"""Whether pixels that are read will be read again, so that caching them is useful."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_is_reused: ContextVar[bool | None] = ContextVar("is_reused", default=None)


@contextmanager
def single_use() -> Iterator[None]:
    """Return a context for reading pixels that are used once, such as those of a save."""
    with _reuse(False):
        yield


@contextmanager
def repeated_use() -> Iterator[None]:
    """Return a context for reading pixels that are read again, such as those of a viewer."""
    with _reuse(True):
        yield


@contextmanager
def _reuse(value: bool) -> Iterator[None]:
    token = _is_reused.set(value)
    try:
        yield
    finally:
        _is_reused.reset(token)


def is_reused() -> bool | None:
    """Return whether the pixels that are read will be read again, ``None`` if nobody knows."""
    return _is_reused.get()
