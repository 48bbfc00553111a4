"""Whether pixels that are read will be read again, so that caching them is useful."""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar

from napari_ferry.arrays.context_values import holding

_is_reused: ContextVar[bool | None] = ContextVar("is_reused", default=None)


def single_use() -> AbstractContextManager[None]:
    """Return a context for reading pixels that are used once, such as those of a save."""
    return holding(_is_reused, False)


def repeated_use() -> AbstractContextManager[None]:
    """Return a context for reading pixels that are read again, such as those of a viewer."""
    return holding(_is_reused, True)


def is_reused() -> bool | None:
    """Return whether the pixels that are read will be read again, ``None`` if nobody knows."""
    return _is_reused.get()
