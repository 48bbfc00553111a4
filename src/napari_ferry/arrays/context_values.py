"""Values of context variables within a ``with`` block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

_T = TypeVar("_T")


@contextmanager
def holding(variable: ContextVar[_T], value: _T) -> Iterator[None]:
    """Set a context variable within a ``with`` block."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)
