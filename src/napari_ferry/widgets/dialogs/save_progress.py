"""Saves in another thread, with a dialog for their progress, while the window remains usable."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from qtpy.compat import isalive
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtWidgets import QLabel, QProgressBar, QProgressDialog

from napari_ferry.errors import SaveError, escape_surrogates
from napari_ferry.saving import Progress
from napari_ferry.widgets.activity import STEPS, steps_of
from napari_ferry.widgets.dialogs.main_window import main_window
from napari_ferry.widgets.plan_summary import describe_progress
from napari_ferry.widgets.task_entry import TaskEntry
from napari_ferry.widgets.worker import call_in_thread

_T = TypeVar("_T")

_SHOW_AFTER = 500
"""Milliseconds after which the dialog appears, unless the save is done."""

_POLL_INTERVAL = 200
"""Milliseconds between updates of the progress."""

_WIDTH = 360
"""Width of the dialog in pixels; longer names are elided."""

_MARGIN = QPoint(24, 48)
"""Distance of the dialog to the lower right corner of the window, in pixels."""

_running: list[str] = []
"""Name of the file being saved; at most one."""


def run_in_window(
    save: Callable[[Callable[[Progress], None], Callable[[], bool]], _T], name: str
) -> _T:
    """Run a save in another thread and wait for it, while the event loop of the window runs.

    Parameters
    ----------
    save : callable
        Called in the other thread with the parameters `progress` and `cancel` of `run`.
    name : str
        Name of the file, for display.

    Returns
    -------
    object
        Result of `save`.

    Raises
    ------
    SaveError
        Another save is in progress: it could not return before this one.
    SaveCancelledError
        The user cancelled, or closed the window.
    """
    if _running:
        raise SaveError(
            f"{_running[0]} is still being saved: save {name} after that, or export it with File > "
            "IO Utilities > Export data, which queues exports."
        )

    _running.append(name)
    try:
        state = _SaveState(name)
        try:
            return call_in_thread(
                lambda: save(state.report, state.is_cancelled), on_quit=state.cancel_event.set
            )
        finally:
            state.close()
    finally:
        _running.clear()


class _SaveState:
    """Progress of a save, with its dialog and a flag for cancelling."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.progress: Progress | None = None
        self.cancel_event = threading.Event()
        self.dialog = _make_dialog(name)
        self.dialog.canceled.connect(self.cancel_event.set)
        self.timer = QTimer()
        self.timer.timeout.connect(self._show_progress)
        self.timer.start(_POLL_INTERVAL)
        self.entry = TaskEntry(f"the save of {name}")

    def report(self, progress: Progress) -> None:
        """Store the progress; called in the thread of the save."""
        self.progress = progress

    def is_cancelled(self) -> bool:
        """Return True if the user cancelled the save or closed the window."""
        return self.cancel_event.is_set() or self.entry.is_stopped

    def close(self) -> None:
        """Remove the dialog, and the entry in napari's list of tasks."""
        self.timer.stop()
        self.entry.close()
        if isalive(self.dialog):  # type: ignore[no-untyped-call]
            self.dialog.canceled.disconnect()  # closing it counts as cancelling
            self.dialog.close()
            self.dialog.deleteLater()

    def _show_progress(self) -> None:
        """Show the progress in the dialog, unless it was deleted with the window."""
        if not isalive(self.dialog):  # type: ignore[no-untyped-call]
            return
        if self.is_cancelled():
            _set_text(self.dialog, self.name, "Cancelling...")
        elif self.progress is not None:
            _set_text(self.dialog, self.name, describe_progress(self.progress))
            self.dialog.setValue(steps_of(self.progress.done, self.progress.total))


def _make_dialog(name: str) -> QProgressDialog:
    """Return a modeless dialog in a corner of the window."""
    window = main_window()
    dialog = QProgressDialog("", "Cancel", 0, STEPS, window)
    dialog.setWindowTitle("Saving")
    dialog.setWindowModality(Qt.WindowModality.NonModal)
    dialog.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    dialog.setAutoClose(False)
    dialog.setAutoReset(False)
    dialog.setFixedWidth(_WIDTH)
    label, bar = QLabel(), QProgressBar()
    label.setTextFormat(Qt.TextFormat.PlainText)
    bar.setTextVisible(False)
    bar.setRange(0, STEPS)
    dialog.setLabel(label)
    dialog.setBar(bar)
    _set_text(dialog, name, "Starting...")
    dialog.setMinimumDuration(_SHOW_AFTER)
    dialog.setValue(0)  # starts that time
    if window is not None:
        corner = window.geometry().bottomRight()
        dialog.move(corner - QPoint(dialog.width(), dialog.sizeHint().height()) - _MARGIN)
    return dialog


def _set_text(dialog: QProgressDialog, name: str, progress: str) -> None:
    metrics = dialog.fontMetrics()
    title = metrics.elidedText(
        escape_surrogates(f"Saving {name}"), Qt.TextElideMode.ElideMiddle, _WIDTH - 40
    )
    dialog.setLabelText(f"{title}\n{progress}")
