"""Files still being written by another program, such as those of an acquisition in progress.

While they are opened in the context `growing_files`, their readers take the complete part, and
do not warn that the rest is missing. The arrays remain readable when the files become longer.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar

from napari_ferry.arrays.reading_context import holding
from napari_ferry.errors import warn

_is_growing = ContextVar("is_growing", default=False)


def growing_files() -> AbstractContextManager[None]:
    """Return a context for opening files still being written by another program."""
    return holding(_is_growing, True)


def is_growing() -> bool:
    """Return True while the files being opened may still grow."""
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
        Always, except for files that may still grow.
    """
    if not is_growing():
        warn(message)
