"""Errors of files that are opened in napari's window.

If a reader raises an error, napari asks for another reader in a dialog that quotes the stack trace,
and shows a second notification if there is none. In the window, our readers therefore show their
error themselves and return no layers. Elsewhere, as in scripts, they raise it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from napari_ferry.errors import FerryError
from napari_ferry.plugin.notice import notify

NOTHING: Any = [(None,)]
"""Layer data that npe2 accepts as a successful read without layers."""

_NAPARI_OPEN = "_qt_open"
"""Method of napari behind *File > Open*, drag and drop, and the command line."""

_Paths = TypeVar("_Paths")


def showing_errors(read: Callable[[_Paths], Any]) -> Callable[[_Paths], Any]:
    """Return a reader that shows its errors if a person opens files in the window."""

    @wraps(read)
    def read_or_show(paths: _Paths) -> Any:
        try:
            return read(paths)
        except FerryError as error:
            if not _is_called_by_napari_window():
                raise
            notify(str(error), "error")
            return NOTHING

    return read_or_show


def _is_called_by_napari_window() -> bool:
    """Return True for files that napari's window opens.

    `Viewer.open` does not tell readers whether a script or the window has called it.
    """
    return any(frame.f_code.co_name == _NAPARI_OPEN for frame, _ in traceback.walk_stack(None))
