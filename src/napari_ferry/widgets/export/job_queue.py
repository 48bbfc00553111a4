"""Queue of exports, with the progress and the result of each."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_ferry.arrays.progress import size_text
from napari_ferry.errors import FerryError, SaveCancelledError
from napari_ferry.layers.layer_data import LayerData
from napari_ferry.plugin.label_edits import watch_edits
from napari_ferry.plugin.manifest import PLUGIN
from napari_ferry.plugin.notice import notify
from napari_ferry.saving import Progress
from napari_ferry.widgets.activity import Activity, make_bar, steps_of
from napari_ferry.widgets.export.export_task import Job, OpenPlan, export
from napari_ferry.widgets.export.file_handle import FileHandle, copy_files
from napari_ferry.widgets.file_manager import open_file, show_in_folder
from napari_ferry.widgets.form import escape_text
from napari_ferry.widgets.plan_summary import describe_progress, sentence
from napari_ferry.widgets.task_entry import TaskEntry
from napari_ferry.widgets.worker import BackgroundWorker

if TYPE_CHECKING:
    from napari import Viewer

_POLL_INTERVAL = 200
"""Milliseconds between updates of the progress."""


class Jobs(QWidget):
    """List of waiting, running and finished exports."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.on_idle: Callable[[], None] | None = None
        self.waiting: deque[JobRow] = deque()
        self.running: JobRow | None = None
        self.worker = BackgroundWorker(self)
        self.worker.failed.connect(self._on_error)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    def add(self, job: Job, open_plan: OpenPlan, layers: Sequence[LayerData] = ()) -> JobRow:
        """Put an export at the end of the queue.

        Parameters
        ----------
        job : Job
            The export.
        open_plan : callable
            Opens its plan for the duration of the export; called in the GUI thread.
        layers : sequence of LayerData
            Its layers, which the user may edit meanwhile.
        """
        row = JobRow(job, open_plan, self, layers)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(0, row)
        self.waiting.append(row)
        self.start_next()
        return row

    def start_next(self) -> None:
        """Start the first waiting export, unless one is running."""
        if self.running is None and self.waiting:
            self.running = self.waiting.popleft()
            self.running.start()

    def done(self, row: JobRow) -> None:
        """Remove an export from the queue, finished or cancelled."""
        if row in self.waiting:
            self.waiting.remove(row)
        if row is self.running:
            self.running = None
        self.start_next()
        if self.on_idle and self.running is None:
            self.on_idle()

    def when_idle(self, on_idle: Callable[[], None]) -> None:
        """Call a function as soon as no export is running."""
        self.on_idle = on_idle
        if self.running is None:
            on_idle()

    def _on_error(self, error: Exception) -> None:
        assert self.running is not None
        self.running.fail(error)


class JobRow(QWidget):
    """Row of one export, with its progress and buttons."""

    def __init__(
        self, job: Job, open_plan: OpenPlan, jobs: Jobs, layers: Sequence[LayerData]
    ) -> None:
        super().__init__()
        self.job = job
        self.jobs = jobs
        self.open_plan: OpenPlan | None = open_plan
        self.layers = layers
        self.edited: Collection[str] = ()
        self.entry: TaskEntry | None = None
        self.cancel_event = threading.Event()
        self.progress: Progress | None = None
        self.resources = ExitStack()
        self.activity = Activity(f"Export {job.name}")

        self._make_parts()
        self._lay_out()
        self.timer = QTimer(self)
        self.timer.timeout.connect(self._show_progress)

    def _make_parts(self) -> None:
        self.handle = FileHandle(self.job.thumbnail)
        self.bar = make_bar()
        self.text = QLabel(f"{self.job.name}: waiting")
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.button = QPushButton("Cancel")
        self.button.setToolTip(
            escape_text(f"Cancel the export of {self.job.name}; existing files are kept.")
        )
        self.button.clicked.connect(self.cancel)

    def _lay_out(self) -> None:
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(2)
        self.buttons.addWidget(self.button)
        self.buttons.addStretch()
        lines = QVBoxLayout()
        lines.setSpacing(1)
        lines.addWidget(self.text)
        lines.addWidget(self.bar)
        lines.addLayout(self.buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 2, 6, 2)
        row.addWidget(self.handle)
        row.addLayout(lines, stretch=1)

    def start(self) -> None:
        """Start the export in another thread."""
        assert self.open_plan is not None
        failure = "the viewer could not draw its first frame"
        try:
            plan = self.resources.enter_context(self.open_plan())
            self.edited = self.resources.enter_context(watch_edits(self.layers))
            failure = ""
        except FerryError as error:
            failure = str(error)
            return
        finally:  # also after an error of napari or of a graphics driver, or the queue would wait
            if failure:
                self._end(f"{self.job.name}: {failure}")

        self.text.setText(f"{self.job.name}: starting...")
        self.entry = TaskEntry(f"the export of {self.job.name}")
        task = partial(export, self.job, plan, progress=self.report, cancel=self.is_cancelled)
        self.timer.start(_POLL_INTERVAL)
        self.jobs.worker.call(task, self._on_done)

    def cancel(self) -> None:
        """Stop the export, or remove it from the queue."""
        self.cancel_event.set()
        self.button.setEnabled(False)
        if self is not self.jobs.running:
            self._end(f"{self.job.name}: cancelled")
        else:
            self.text.setText(f"{self.job.name}: cancelling...")

    def is_cancelled(self) -> bool:
        """Return True if the user cancelled here or in the activity dock, or closed napari."""
        is_window_closed = self.entry is not None and self.entry.is_stopped
        return self.cancel_event.is_set() or self.activity.is_cancelled or is_window_closed

    def report(self, progress: Progress) -> None:
        """Store the progress; called in the thread of the export."""
        self.progress = progress

    def _show_progress(self) -> None:
        """Show the progress here, and in napari's activity dock once this dock has been hidden.

        Every new entry there, and every step, redraws the whole window. napari handles events
        meanwhile: the export may end, so nothing is shown after it.
        """
        progress = None if self.cancel_event.is_set() else self.progress
        if progress is not None:
            self.bar.setUpdatesEnabled(False)  # setValue would redraw the window at once
            self.text.setText(f"{self.job.name}: {describe_progress(progress)}")
            self.bar.setValue(steps_of(progress.done, progress.total))
            self.bar.setUpdatesEnabled(True)
        is_new = not self.isVisible() and self.activity.open()
        if progress is not None and not is_new:
            self.activity.update(steps_of(progress.done, progress.total))

    def _on_done(self, result: tuple[list[Path], int]) -> None:
        paths, nbytes = result
        count = f" in {len(paths)} files" if len(paths) > 1 else ""
        self._end(f"{self.job.name}: saved{count}, {size_text(nbytes)}")
        for name in sorted(self.edited):
            notify(f"{name} was edited during the export, so export it again.", "warning")

        self.handle.offer(paths)
        if self.job.is_movie:
            self._add_button("Play", "Play the file", lambda: open_file(paths[0]))
        else:
            self._add_button(
                "Open", "Open the file in napari", lambda: self._open_in_napari(paths[0])
            )
        self._add_button("Show", "Show the file in its folder", lambda: show_in_folder(paths[0]))
        self._add_button("Copy", "Copy the file, to paste it elsewhere", lambda: copy_files(paths))
        notify(f"Exported {paths[0]}.")

    def fail(self, error: Exception) -> None:
        """End the export, and show its error."""
        if isinstance(error, SaveCancelledError):
            self._end(f"{self.job.name}: cancelled; nothing was left behind")
        else:
            self._end(f"{self.job.name}: {sentence(error)}")

    def _end(self, text: str) -> None:
        """Show the result, and start the next export."""
        self.timer.stop()
        self.open_plan, self.layers = None, ()  # a finished export releases its layers
        if self.entry is not None:
            self.entry.close()
        with ExitStack() as last:
            last.callback(self.jobs.done, self)
            last.callback(self._show_end, text)
            self.resources.close()

    def _show_end(self, text: str) -> None:
        self.activity.close()
        self.bar.hide()
        self.button.hide()
        self.text.setText(text)
        self._add_dismiss_button()

    def _add_button(self, text: str, tooltip: str, on_click: Callable[[], object]) -> None:
        button = QPushButton(text)
        button.setToolTip(tooltip)
        button.clicked.connect(on_click)
        self.buttons.insertWidget(self.buttons.count() - 2, button)

    def _add_dismiss_button(self) -> None:
        button = QToolButton()
        button.setText("✕")
        button.setToolTip("Dismiss")
        button.setAccessibleName("Dismiss")
        button.clicked.connect(self.deleteLater)
        self.buttons.addWidget(button)

    def _open_in_napari(self, path: Path) -> None:
        self.jobs.viewer.open(str(path), plugin=PLUGIN)
