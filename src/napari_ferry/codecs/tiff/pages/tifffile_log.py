"""tifffile's log, kept silent while it works for napari-ferry.

A file with a few invalid tags would fill the terminal. Anything relevant to a user is an error or a
warning of our own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from napari_ferry.arrays.reading_context import holding

_is_silent = ContextVar("is_silent", default=False)
_NOTHING = nullcontext()


def _is_logged(_: logging.LogRecord) -> bool:
    return not _is_silent.get()


@contextmanager
def silent_tifffile() -> Iterator[None]:
    """Keep tifffile from logging in this thread inside a ``with`` block or a decorated function."""
    logging.getLogger("tifffile").addFilter(_is_logged)  # once, as filters are not repeated
    with holding(_is_silent, True):
        yield


def silent_within() -> AbstractContextManager[None]:
    """Return a context as of `silent_tifffile`, which costs next to nothing within another one."""
    return _NOTHING if _is_silent.get() else silent_tifffile()
