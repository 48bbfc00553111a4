"""Import of the dock *Export* before it is opened."""

from __future__ import annotations

import threading

from napari_ferry.widgets.export.modules import import_modules


def import_export() -> None:
    """Import the modules of the dock in another thread.

    When the dock opens, its tabs do not have to wait for the import.
    """
    threading.Thread(target=import_modules, name="ferry-import").start()
