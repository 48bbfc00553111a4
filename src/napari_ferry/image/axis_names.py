"""Names of axes given by the user before a file is opened."""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar

from napari_ferry.arrays.reading_context import holding

_are_given = ContextVar("are_axes_given", default=False)


def naming_axes(*, are_given: bool) -> AbstractContextManager[None]:
    """Return a context for opening files whose axes are named by the user if `are_given`.

    Readers then do not warn about axes of their own choice.
    """
    return holding(_are_given, are_given)


def are_axes_given() -> bool:
    """Return True while files with axes named by the user are opened."""
    return _are_given.get()
