"""Entry of a task in napari's list of running tasks."""

from __future__ import annotations

from napari.qt.threading import create_worker


class TaskEntry:
    """Entry in the list of tasks shown by napari before it closes a window.

    The list takes only workers of napari. This one is never started, because napari connects the
    errors of a worker to a function that PySide6 calls with one argument too many.

    Parameters
    ----------
    name : str
        Name of the task, for display.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._worker = create_worker(self, _ignore_errors=True)
        self._worker.started.emit()

    def __str__(self) -> str:
        return self.name

    def __call__(self) -> None:
        """Do nothing; napari requires a function of the worker."""

    @property
    def is_stopped(self) -> bool:
        """True if the user closed the window in spite of the task."""
        return bool(self._worker.abort_requested)

    def close(self) -> None:
        """Remove the entry from the list."""
        self._worker.finished.emit()
