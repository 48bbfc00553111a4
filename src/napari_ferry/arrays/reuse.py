"""Expected reuse of pixels, for the decision to cache them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar

from napari_ferry.arrays.context_values import holding

_is_reused: ContextVar[bool | None] = ContextVar("is_reused", default=None)


def single_use() -> AbstractContextManager[None]:
    """Return a context for reading pixels used once, such as those of a save."""
    return holding(_is_reused, False)


def repeated_use() -> AbstractContextManager[None]:
    """Return a context for reading pixels read again later, such as those of a viewer."""
    return holding(_is_reused, True)


def is_reused() -> bool | None:
    """Return True if pixels will be read again, False if not, ``None`` if unknown."""
    return _is_reused.get()
