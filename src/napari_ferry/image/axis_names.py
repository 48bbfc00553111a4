"""Names of axes that the user gives before a file is opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_are_given = ContextVar("are_axes_given", default=False)


@contextmanager
def naming_axes(*, are_given: bool) -> Iterator[None]:
    """Return a context for opening files whose axes are named by the user if `are_given`.

    Readers do not warn of axes that they choose then.
    """
    token = _are_given.set(are_given)
    try:
        yield
    finally:
        _are_given.reset(token)


def are_axes_given() -> bool:
    """Return True while files are opened whose axes the user names."""
    return _are_given.get()
