"""Queue of exports, with the progress and the result of each."""

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
from qtpy.QtCore import QMimeData, Qt, QTimer, QUrl
from qtpy.QtGui import QDesktopServices, QDrag, QGuiApplication, QMouseEvent, QPixmap
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
from napari_ferry.plugin.manifest import PLUGIN
from napari_ferry.saving import Plan, Progress, run
from napari_ferry.saving.plan import default_workers
from napari_ferry.saving.progress import size_text
from napari_ferry.widgets.file_manager import show_in_folder
from napari_ferry.widgets.form import escape_text
from napari_ferry.widgets.summary import describe_progress, sentence

if TYPE_CHECKING:
    from napari import Viewer

_POLL_INTERVAL = 200
"""Milliseconds between updates of the progress."""

_CORES = max(1, (os.cpu_count() or 1) - 1)
"""Processor cores of an export: one is left to the window."""

_STEPS = 1000
"""Steps of a progress bar."""

_BAR_HEIGHT, _THUMBNAIL = 6, 40
"""Height of a progress bar, and side of a small picture, in pixels."""

_ACTIVITY_STEPS = 10
"""Minimum number of steps between updates of napari's activity dock."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One export.

    Parameters
    ----------
    path : Path
        Its first file.
    open_plan : callable
        Opens the plan for the duration of the export; called in the GUI thread.
    overwrite : bool
        Whether to replace existing files; the user has been asked.
    is_movie : bool
        Whether a player opens the file, or else napari.
    thumbnail : QPixmap, optional
        Small picture of it.
    """

    path: Path
    open_plan: Callable[[], AbstractContextManager[Plan]]
    overwrite: bool
    is_movie: bool = False
    thumbnail: QPixmap | None = None

    @property
    def name(self) -> str:
        """Name of its first file, for display."""
        return self.path.name


class Jobs(QWidget):
    """List of waiting, running and finished exports."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.on_idle: Callable[[], None] | None = None
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


class JobRow(QWidget):
    """Row of one export, with its progress and buttons."""

    def __init__(self, job: Job, jobs: Jobs) -> None:
        super().__init__()
        self.job = job
        self.jobs = jobs
        self.cancel_event = threading.Event()
        self.progress: Progress | None = None
        self.resources = ExitStack()
        self.activity: Any = None
        self.is_activity_turn = False
        self._make_parts()
        self._lay_out()
        self.timer = QTimer(self)
        self.timer.timeout.connect(self._show_progress)

    def _make_parts(self) -> None:
        self.handle = FileHandle(self.job.thumbnail)
        self.bar = QProgressBar()
        self.bar.setRange(0, _STEPS)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(_BAR_HEIGHT)
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
        try:
            plan = self.resources.enter_context(self.job.open_plan())
        except FerryError as error:
            self._end(str(error))
            return

        self.text.setText(f"{self.job.name}: starting...")
        worker = create_worker(_ExportTask(self, plan), _ignore_errors=True, _start_thread=False)
        worker.returned.connect(self._on_done)
        worker.errored.connect(self._on_error)
        self.worker = worker
        self.timer.start(_POLL_INTERVAL)
        worker.start()

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
        in_activity = self.activity is not None and self.activity.is_canceled
        return self.cancel_event.is_set() or in_activity or bool(self.worker.abort_requested)

    def report(self, progress: Progress) -> None:
        """Store the progress; called in the thread of the export."""
        self.progress = progress

    def _show_progress(self) -> None:
        if self.activity is None:
            self.activity = cancelable_progress(total=_STEPS, desc=f"Export {self.job.name}")
            return
        progress = self.progress
        if progress is None or self.cancel_event.is_set():
            return

        steps = round(_STEPS * progress.done / progress.total) if progress.total else _STEPS
        # each of them redraws the whole window, so they take turns
        if self.is_activity_turn and steps - self.activity.n >= _ACTIVITY_STEPS:
            self.activity.update(steps - self.activity.n)
        else:
            self.bar.setUpdatesEnabled(False)  # setValue would redraw the window at once
            self.text.setText(f"{self.job.name}: {describe_progress(progress)}")
            self.bar.setValue(steps)
            self.bar.setUpdatesEnabled(True)
        self.is_activity_turn = not self.is_activity_turn

    def _on_done(self, result: tuple[list[Path], int]) -> None:
        paths, nbytes = result
        count = f" in {len(paths)} files" if len(paths) > 1 else ""
        self._end(f"{self.job.name}: saved{count}, {size_text(nbytes)}")
        self.handle.offer(paths)
        if self.job.is_movie:
            self._add_button("Play", "Play the file", lambda: _open(paths[0]))
        else:
            self._add_button(
                "Open", "Open the file in napari", lambda: self._open_in_napari(paths[0])
            )
        self._add_button("Show", "Show the file in its folder", lambda: show_in_folder(paths[0]))
        self._add_button("Copy", "Copy the file, to paste it elsewhere", lambda: _copy(paths))
        show_info(f"Exported {paths[0]}.")

    def _on_error(self, error: Exception) -> None:
        if isinstance(error, SaveCancelledError):
            self._end(f"{self.job.name}: cancelled; nothing was left behind")
        else:
            self._end(f"{self.job.name}: {sentence(error)}")

    def _end(self, text: str) -> None:
        """Show the result, and start the next export."""
        self.timer.stop()
        self.resources.close()
        if self.activity is not None:
            self.activity.close()
        self.bar.hide()
        self.button.hide()
        self.text.setText(text)
        self._add_dismiss_button()
        self.jobs.done(self)

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


class _ExportTask:
    """Function of the export's thread; napari shows its name if it is closed in the meantime."""

    def __init__(self, row: JobRow, plan: Plan) -> None:
        self.row = row
        self.plan = plan

    def __str__(self) -> str:
        return f"the export of {self.row.job.name}"

    def __call__(self) -> tuple[list[Path], int]:
        """Export; return the files written and their total size in bytes."""
        row = self.row
        paths = run(
            self.plan,
            overwrite=row.job.overwrite,
            workers=default_workers(self.plan, _CORES),
            progress=row.report,
            cancel=row.is_cancelled,
        )
        return paths, sum(path.stat().st_size for path in paths)


class FileHandle(QLabel):
    """Small picture of an exported file, to drag it to another program.

    Parameters
    ----------
    thumbnail : QPixmap, optional
        The picture; without one, the handle is hidden.
    """

    def __init__(self, thumbnail: QPixmap | None) -> None:
        super().__init__()
        self.paths: list[Path] = []
        self.setAccessibleName("Exported file")
        self.setFixedWidth(_THUMBNAIL)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setVisible(thumbnail is not None)
        if thumbnail is not None:
            side = _THUMBNAIL
            self.setPixmap(thumbnail.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio))

    def offer(self, paths: list[Path]) -> None:
        """Let the user drag files from now on."""
        self.paths = paths
        self.setToolTip("Drag the file to a folder, a presentation or an e-mail.")
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Start to drag the files."""
        if self.paths:
            drag = QDrag(self)
            drag.setMimeData(_mime_data(self.paths))
            drag.setPixmap(self.pixmap())
            drag.exec(Qt.DropAction.CopyAction)


def _open(path: Path) -> None:
    """Open a file in the program that the system chooses."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def _copy(paths: list[Path]) -> None:
    """Copy files to the clipboard, as a file manager does."""
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    clipboard.setMimeData(_mime_data(paths))


def _mime_data(paths: list[Path]) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data
