"""Readers of files opened by a person in napari's window.

If a reader raises an error, napari asks for another reader in a dialog that quotes the stack trace,
and shows a second notification if there is none. In the window, our readers therefore show their
error themselves and return no layers. Elsewhere, as in scripts, they raise it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import cache, wraps
from typing import Any, TypeVar

from napari_ferry.errors import FerryError
from napari_ferry.plugin.default_reader import offer_default
from napari_ferry.plugin.label_offer import offer_labels
from napari_ferry.plugin.notice import notify
from napari_ferry.plugin.window import execute

NOTHING: Any = [(None,)]
"""Layer data that npe2 accepts as a successful read without layers."""

_NAPARI_OPEN = "_qt_open"
"""Method of napari behind *File > Open*, drag and drop, and the command line."""

_Paths = TypeVar("_Paths")


def for_window(read: Callable[[_Paths], Any]) -> Callable[[_Paths], Any]:
    """Return a reader that shows its errors and questions if called by napari's window."""

    @wraps(read)
    def read_in_window(paths: _Paths) -> Any:
        """Read files; in the window, show errors and questions instead of raising."""
        if not _is_called_by_window():
            return read(paths)
        try:
            layers = read(paths)
        except FerryError as error:
            notify(str(error), "error")
            return NOTHING

        if layers[0][0] is not None:
            # napari adds the layers first
            execute("call_soon", offer_labels)
            execute("call_soon", offer_default)
            execute("call_soon", _prepare_export)
        return layers

    return read_in_window


def _is_called_by_window() -> bool:
    """Return True for files opened by napari's window.

    `Viewer.open` does not tell readers about its caller, a script or the window.
    """
    return any(frame.f_code.co_name == _NAPARI_OPEN for frame, _ in traceback.walk_stack(None))


@cache
def _prepare_export() -> None:
    """Import the dock *Export* in advance, as opened files may be exported."""
    execute("import_export")
