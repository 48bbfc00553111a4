"""The window of napari, as the parent of dialogs."""

from __future__ import annotations

from qtpy.QtWidgets import QApplication, QMainWindow


def main_window() -> QMainWindow | None:
    """Return the active window of napari, else any visible one, or None.

    No window is active right after a dialog has closed.
    """
    widgets = QApplication.topLevelWidgets()
    windows = [each for each in widgets if isinstance(each, QMainWindow) and each.isVisible()]
    active = [window for window in windows if window.isActiveWindow()]
    return next(iter([*active, *windows]), None)
