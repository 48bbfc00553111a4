"""Exports that are under way, one after the other: how far they are, what came of them."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from napari.utils import cancelable_progress
from napari.utils.notifications import show_info
from qtpy.QtCore import Qt, QTimer, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_ferry.errors import FerryError, SaveCancelledError
from napari_ferry.saving import Plan, Progress, run
from napari_ferry.saving.plan import default_workers
from napari_ferry.saving.progress import size_text
from napari_ferry.widgets.summary import describe_progress, sentence

if TYPE_CHECKING:
    from napari import Viewer

_TICK = 200
"""Milliseconds between looks at how far an export is."""

_CORES = max(1, (os.cpu_count() or 1) - 1)
"""Of an export: it leaves one to the window, which has to draw itself."""

_STEPS = 1000
_SEEN = 10
"""Steps of progress after which napari's activity dock is told."""


@dataclass(frozen=True)
class Job:
    """One export.

    Parameters
    ----------
    name : str
        What people call it: the name of its file.
    open : callable
        Called in the thread of the window; gives the plan for the time of the export.
    overwrite : bool
        Whether what stands there may be replaced, which has been asked.
    """

    name: str
    open: Callable[[], AbstractContextManager[Plan]]
    overwrite: bool


class Jobs(QWidget):
    """The exports of this window: those that wait, the one that runs, those that are done."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.leave: Callable[[], None] | None = None
        self.waiting: deque[JobRow] = deque()
        self.running: JobRow | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    def add(self, job: Job) -> JobRow:
        """Put an export at the end of the queue."""
        row = JobRow(job, self)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.insertWidget(0, row)
        self.waiting.append(row)
        self.start_next()
        return row

    def start_next(self) -> None:
        """Begin with the export that has waited longest, if none is under way."""
        if self.running is None and self.waiting:
            self.running = self.waiting.popleft()
            self.running.start()

    def done(self, row: JobRow) -> None:
        """Take note that an export is over, or waits no more."""
        if row in self.waiting:
            self.waiting.remove(row)
        if row is self.running:
            self.running = None
        self.start_next()
        if self.leave and self.running is None:
            self.leave()

    def when_idle(self, leave: Callable[[], None]) -> None:
        """Call something as soon as no export is under way."""
        self.leave = leave
        if self.running is None:
            leave()


class JobRow(QWidget):
    """One export: its name, how far it is, and what can be done about it."""

    def __init__(self, job: Job, jobs: Jobs) -> None:
        super().__init__()
        self.job = job
        self.jobs = jobs
        self.stopped = threading.Event()
        self.latest: Progress | None = None
        self.opened = ExitStack()
        self.dock: Any = None
        self.in_dock = False
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.text = QLabel(f"{job.name}: waiting")
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons = QHBoxLayout()
        self.button = QPushButton("Cancel")
        self.button.setToolTip(f"Stop exporting {job.name}; what stood there before stays.")
        self.button.clicked.connect(self.cancel)
        self.buttons.addWidget(self.button)
        self.buttons.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 4)
        layout.addWidget(self.text)
        layout.addWidget(self.bar)
        layout.addLayout(self.buttons)
        self.timer = QTimer(self)
        self.timer.timeout.connect(self._show_progress)

    def start(self) -> None:
        """Begin to export, in another thread."""
        try:
            plan = self.opened.enter_context(self.job.open())
        except FerryError as error:
            self._end(str(error))
            return
        self.text.setText(f"{self.job.name}: begins")
        worker = create_worker(_Work(self, plan), _ignore_errors=True, _start_thread=False)
        worker.returned.connect(self._on_done)
        worker.errored.connect(self._on_error)
        self.worker = worker
        self.timer.start(_TICK)
        worker.start()

    def cancel(self) -> None:
        """Stop, or do not begin."""
        self.stopped.set()
        self.button.setEnabled(False)
        if self is not self.jobs.running:
            self._end(f"{self.job.name}: cancelled")
        else:
            self.text.setText(f"{self.job.name}: stopping")

    def is_stopped(self) -> bool:
        """Whether somebody has asked to stop: here, in the activity dock, or by closing napari."""
        in_dock = self.dock is not None and self.dock.is_canceled
        return self.stopped.is_set() or in_dock or bool(self.worker.abort_requested)

    def report(self, progress: Progress) -> None:
        """Take note how far it is; called in the thread that saves."""
        self.latest = progress

    def _show_progress(self) -> None:
        if self.dock is None:
            self.dock = cancelable_progress(total=_STEPS, desc=f"Export {self.job.name}")
            return
        progress = self.latest
        if progress is None or self.stopped.is_set():
            return
        steps = round(_STEPS * progress.done / progress.total) if progress.total else _STEPS
        # each draws the whole window anew, so they take turns
        if self.in_dock and steps - self.dock.n >= _SEEN:
            self.dock.update(steps - self.dock.n)
        else:
            self.bar.setUpdatesEnabled(False)  # it would draw the window at once, by itself
            self.text.setText(f"{self.job.name}: {describe_progress(progress)}")
            self.bar.setValue(steps)
            self.bar.setUpdatesEnabled(True)
        self.in_dock = not self.in_dock

    def _on_done(self, made: tuple[list[Path], int]) -> None:
        paths, nbytes = made
        many = f" in {len(paths)} files" if len(paths) > 1 else ""
        self._end(f"{self.job.name}: saved{many}, {size_text(nbytes)}")
        self._add_button("Open folder", lambda: _open_folder(paths[0].parent))
        self._add_button("Open in napari", lambda: self._open_in_napari(paths[0]))
        show_info(f"{paths[0]} was exported.")

    def _on_error(self, error: Exception) -> None:
        if isinstance(error, SaveCancelledError):
            self._end(f"{self.job.name}: cancelled; nothing was left behind")
        else:
            self._end(f"{self.job.name}: {sentence(error)}")

    def _end(self, text: str) -> None:
        """Say what came of it, and let the next one begin."""
        self.timer.stop()
        self.opened.close()
        if self.dock is not None:
            self.dock.close()
        self.bar.hide()
        self.button.hide()
        self.text.setText(text)
        self._add_close_button()
        self.jobs.done(self)

    def _add_button(self, text: str, do: Callable[[], object]) -> None:
        button = QPushButton(text)
        button.clicked.connect(do)
        self.buttons.insertWidget(self.buttons.count() - 2, button)

    def _add_close_button(self) -> None:
        button = QToolButton()
        button.setText("✕")
        button.setToolTip("Take this line away.")
        button.setAccessibleName("Take this line away")
        button.clicked.connect(self.deleteLater)
        self.buttons.addWidget(button)

    def _open_in_napari(self, path: Path) -> None:
        self.jobs.viewer.open(str(path), plugin="napari-ferry")


class _Work:
    """What the other thread does; napari shows its name when it is closed in the meantime."""

    def __init__(self, row: JobRow, plan: Plan) -> None:
        self.row = row
        self.plan = plan

    def __str__(self) -> str:
        return f"the export of {self.row.job.name}"

    def __call__(self) -> tuple[list[Path], int]:
        """Export, and return the files that were made, and how many bytes they have."""
        row = self.row
        paths = run(
            self.plan,
            overwrite=row.job.overwrite,
            workers=default_workers(self.plan, _CORES),
            progress=row.report,
            cancel=row.is_stopped,
        )
        return paths, sum(path.stat().st_size for path in paths)


def _open_folder(folder: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
