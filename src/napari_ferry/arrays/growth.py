"""Files that another program is still writing, such as those of an acquisition in progress.

While they are opened in the context `growing_files`, their readers take what is whole so far, and
do not warn that the rest is missing. The arrays remain readable when the files become longer.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar

from napari_ferry.arrays.context_values import holding
from napari_ferry.errors import warn

_is_growing = ContextVar("is_growing", default=False)


def growing_files() -> AbstractContextManager[None]:
    """Return a context for opening files that another program is still writing."""
    return holding(_is_growing, True)


def is_growing() -> bool:
    """Return True while files are opened that may become longer."""
    return _is_growing.get()


def warn_incomplete(message: str) -> None:
    """Warn that a file is incomplete, unless it is still being written.

    Parameters
    ----------
    message : str
        What is missing.

    Warns
    -----
    FerryWarning
        Always, but for files that may become longer.
    """
    if not is_growing():
        warn(message)
