"""Dock widgets *Export layers* and *Export movie*."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QLabel, QMessageBox, QPushButton, QVBoxLayout, QWidget

from napari_ferry.errors import FerryError
from napari_ferry.saving import Plan
from napari_ferry.widgets.export.canvas_movie import CanvasMovie
from napari_ferry.widgets.export.fields import Fields
from napari_ferry.widgets.export.jobs import Job, Jobs
from napari_ferry.widgets.export.preview import Preview
from napari_ferry.widgets.form import escape_html, escape_text, make_scroll_area
from napari_ferry.widgets.summary import Request, describe_plan, preview, sentence
from napari_ferry.widgets.worker import BackgroundWorker

if TYPE_CHECKING:
    from napari import Viewer

_DELAY = 200
"""Milliseconds between the last change and planning."""

_MARGIN = 6

_MAX_NAMES = 5
"""File names listed in the question before the others are only counted."""


@dataclass(frozen=True)
class _ReadyExport:
    """A planned export, ready to start.

    Parameters
    ----------
    path : Path
        Its first file.
    existing_files : callable
        Returns the existing files that it would replace.
    open_plan : callable
        Opens its plan.
    """

    path: Path
    existing_files: Callable[[], tuple[Path, ...]]
    open_plan: Callable[[], AbstractContextManager[Plan]]


class ExportLayers(QWidget):
    """Form of an export, with a preview, a summary, and the list of exports."""

    of_movie = False
    """Whether the initial choice is a movie of all visible layers."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.ready: _ReadyExport | None = None
        self.is_export_requested = False
        self.request: Request | None = None
        self.fields = Fields(self.viewer, of_movie=self.of_movie)
        self._make_results()
        self._lay_out()
        self._connect()
        self._schedule()

    def _make_results(self) -> None:
        self.preview = Preview()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.RichText)
        self.summary.setMargin(_MARGIN)
        self.summary.setAccessibleName("Summary of the export")
        self.button = QPushButton("Export")
        self.button.setToolTip("Start this export; it waits if another one is running.")
        self.jobs = Jobs(self.viewer)

        self.planning, self.drawing = BackgroundWorker(self), BackgroundWorker(self)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(_DELAY)

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.addWidget(self.fields)
        column.addWidget(self.preview)
        column.addStretch()

        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(make_scroll_area(inner))
        # outside of the scroll area, to stay visible in a long form
        for part in (self.summary, self.button, self.jobs):
            outer.addWidget(part)

    def _connect(self) -> None:
        self.fields.changed.connect(self._schedule)
        self.preview.frame_changed.connect(self._draw)
        self.button.clicked.connect(self._on_export)
        self.timer.timeout.connect(self._refresh)
        for worker in (self.planning, self.drawing):
            worker.failed.connect(self._show_error)

    # --- events of the window ---------------------------------------------------------------

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Update the form from the viewer."""
        super().showEvent(event)
        self._schedule()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Save the choices."""
        super().hideEvent(event)
        self.fields.save()

    def event(self, event: QEvent | None) -> bool:
        """Delete the widget when its dock was closed, but not before its exports are done."""
        is_handled = super().event(event)
        if event and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._leave()
        return bool(is_handled)

    def _leave(self) -> None:
        self.timer.stop()
        self.planning.discard()
        self.drawing.discard()
        self.fields.release()
        self.jobs.when_idle(self.deleteLater)

    # --- plan and preview -------------------------------------------------------------------

    def _schedule(self) -> None:
        """Plan again after a short delay; a click in the meantime waits for the plan."""
        self.ready = self.request = None
        self.planning.discard()
        self.drawing.discard()
        self.preview.setVisible(self.fields.is_movie)
        self.timer.start()

    def _refresh(self) -> None:
        """Plan the export, and draw its preview, in other threads."""
        if not self.isVisible():
            return
        try:
            if self.fields.uses_canvas:
                self._prepare_canvas_movie(self.fields.canvas_movie())
                return
            request = self.request = self.fields.request()
        except FerryError as error:
            self._show_error(error)
            return

        self.planning.call(lambda: _plan_and_describe(request), self._on_planned)
        if self.fields.is_movie:
            self.preview.set_frame_count(self.fields.nframes)
            self._draw()

    def _draw(self, _: object = None) -> None:
        """Draw the chosen frame of the preview in another thread."""
        request, frame = self.request, self.preview.frame
        self.drawing.discard()
        if request is not None:
            self.drawing.call(lambda: preview(request, frame), self.preview.show_pixels)

    def _on_planned(self, result: tuple[Plan, str]) -> None:
        planned, description = result
        self.summary.setText(description)
        path = planned.paths[0]
        self._set_ready(_ReadyExport(path, lambda: planned.existing, lambda: nullcontext(planned)))

    def _prepare_canvas_movie(self, movie: CanvasMovie) -> None:
        """Describe a movie of the canvas; frames are drawn only once it is exported."""
        path = movie.path
        self.preview.set_frame_count(1)
        self.preview.show_text("No preview: frames are drawn as on screen.")

        text = (
            f"{escape_html(path.name)}: the viewer draws each frame while you watch; its sliders "
            "are restored afterwards."
        )
        self.summary.setText(f"{text} The movie plays at {movie.pace}." if movie.pace else text)
        self._set_ready(_ReadyExport(path, lambda: (path,) if path.exists() else (), movie.open))

    def _set_ready(self, ready: _ReadyExport) -> None:
        """Enable the button; export at once if it was clicked already."""
        self.ready = ready
        self.button.setEnabled(True)
        if self.is_export_requested:
            self._on_export()

    def _show_error(self, error: Exception) -> None:
        self.ready = None
        self.is_export_requested = False
        self.button.setEnabled(False)
        self.preview.show_text("")
        self.summary.setText(escape_html(sentence(error)))

    # --- export -----------------------------------------------------------------------------

    def _on_export(self) -> None:
        """Add the export to the queue; ask first if it would replace files."""
        ready = self.ready
        self.is_export_requested = ready is None
        if ready is None:
            return
        existing = ready.existing_files()
        if existing and not self._confirm_replacement(existing):
            return
        self.fields.save()
        self.jobs.add(Job(ready.path.name, ready.open_plan, overwrite=bool(existing)))

    def _confirm_replacement(self, existing: tuple[Path, ...]) -> bool:
        """Ask once for permission to replace files."""
        names = ", ".join(path.name for path in existing[:_MAX_NAMES])
        folder = existing[0].parent
        if len(existing) == 1:
            question = f"{names} already exists in {folder}. Replace it?"
        else:
            others = len(existing) - _MAX_NAMES
            more = f" and {others} more" if others > 0 else ""
            question = f"{names}{more} already exist in {folder}. Replace them?"
        answer = QMessageBox.question(self, "Replace files?", escape_text(question))
        return bool(answer == QMessageBox.StandardButton.Yes)


class ExportMovie(ExportLayers):
    """The same form, initially for a movie of all visible layers."""

    of_movie = True


def _plan_and_describe(request: Request) -> tuple[Plan, str]:
    """Return the plan of an export, and its description as rich text."""
    planned = request.plan()
    lines = [escape_html(line) for line in describe_plan(planned)]
    if planned.losses:
        lines.append("<b>Losses and assumptions:</b>")
        lines += [f"• {escape_html(loss)}" for loss in planned.losses]
    return planned, "<br>".join(lines)
