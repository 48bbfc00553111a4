"""One tab of the export dock: preview, fields, summary and button."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QHideEvent, QPixmap, QShowEvent
from qtpy.QtWidgets import QMessageBox, QPushButton, QVBoxLayout, QWidget

from napari_ferry.errors import FerryError
from napari_ferry.files.short_texts import list_few
from napari_ferry.saving import Plan
from napari_ferry.widgets.export.export_task import Job, OpenPlan
from napari_ferry.widgets.export.fields import Fields
from napari_ferry.widgets.export.size_estimate import estimate_size
from napari_ferry.widgets.export.summary_view import SummaryView
from napari_ferry.widgets.export.target_field import FolderLookup
from napari_ferry.widgets.form import MAIN_BUTTON, escape_text, make_scroll_area
from napari_ferry.widgets.plan_summary import Description, Request, describe_plan, sentence
from napari_ferry.widgets.worker import BackgroundWorker, call_in_thread

if TYPE_CHECKING:
    from napari import Viewer

_DELAY = 200
"""Milliseconds between the last change and planning."""

_EXPORT, _WAITING = "Export", "Waiting for the preview..."
"""Texts of the main button."""

_MAX_NAMES = 5
"""File names listed in the question before the others are only counted."""


@dataclass(frozen=True)
class ReadyExport:
    """A planned export, ready to start.

    Parameters
    ----------
    path : Path
        Its first file.
    existing_files : callable
        Returns the existing files that it would replace.
    prepare : callable
        Called at the click; returns the function that opens its plan.
    """

    path: Path
    existing_files: Callable[[], tuple[Path, ...]]
    prepare: Callable[[], OpenPlan]


class ExportTab(QWidget):
    """Form of an export of data, with a summary.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer with the layers.
    fields : Fields
        Fields of the form.
    """

    export_requested = Signal(object, object, object)
    """The user clicked *Export*, and agreed to replace files: the arguments of `Jobs.add`."""

    def __init__(self, viewer: Viewer, fields: Fields) -> None:
        super().__init__()
        self.viewer = viewer
        self.fields = fields
        self.ready: ReadyExport | None = None
        self.is_export_requested = False
        self._make_results()
        self._lay_out()
        self._connect()
        self.schedule()

    def _make_results(self) -> None:
        self.summary = SummaryView()
        self.button = QPushButton(_EXPORT)
        self.button.setDefault(True)
        self.button.setStyleSheet(MAIN_BUTTON)
        self.button.setToolTip("Start this export; it waits if another one is running.")
        self.planning, self.estimating = BackgroundWorker(self), BackgroundWorker(self)
        self.version = 0
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(_DELAY)

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(4, 4, 4, 4)
        column.addWidget(self.fields)
        column.addStretch(1)

        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 4, 0, 0)
        self.column.setSpacing(4)
        # outside of the scroll area, to stay visible in a long form
        for part in self._top():
            self.column.addWidget(part)
        self.column.addWidget(make_scroll_area(inner), stretch=1)

    def add_results(self) -> None:
        """Add the summary and the button to the complete form, and to the end of the tab order."""
        self.column.addWidget(self.summary)
        self.column.addWidget(self.button)

    def _top(self) -> tuple[QWidget, ...]:
        """Return the parts above the fields."""
        return ()

    def _connect(self) -> None:
        self.fields.changed.connect(self.schedule)
        self.button.clicked.connect(self._on_export)
        self.timer.timeout.connect(self._refresh)
        self.planning.failed.connect(self._show_error)

    # --- events of the window ---------------------------------------------------------------

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Update the form from the viewer."""
        super().showEvent(event)
        self.schedule()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Store the choices."""
        super().hideEvent(event)
        self._set_waiting(False)
        self.fields.save()

    def leave(self) -> None:
        """Stop following the viewer, and release the data of its layers."""
        self.timer.stop()
        self.ready = None
        self._discard()
        self.fields.release()

    # --- plan -------------------------------------------------------------------------------

    def schedule(self) -> None:
        """Plan again after a short delay; a click in the meantime waits for the plan.

        A change after the click ends the wait: the export would differ from the one requested.
        """
        self.ready = None
        self._set_waiting(False)
        self._discard()
        self.timer.start()

    def _set_waiting(self, is_waiting: bool) -> None:
        """Request the export, or cancel the request: it starts as soon as it is planned."""
        self.is_export_requested = is_waiting
        self.button.setText(_WAITING if is_waiting else _EXPORT)

    def _discard(self) -> None:
        """Discard all results, and stop estimating."""
        self.version += 1
        self.planning.discard()
        self.estimating.discard()

    def _refresh(self) -> None:
        """Look for the folder, then plan the export, both in another thread."""
        if self.isVisible():
            self.planning.call(self.fields.target.lookup(), self._on_looked_up)

    def _on_looked_up(self, found: FolderLookup) -> None:
        self.fields.target.found = found
        try:
            self._prepare()
        except FerryError as error:
            self._show_error(error)

    def _prepare(self) -> None:
        """Plan the export described by the fields; raise an error if they are not valid."""
        self._plan(self.fields.request())

    def _plan(self, request: Request) -> None:
        self.planning.call(
            lambda: _plan_and_describe(request), lambda result: self._on_planned(request, *result)
        )

    def _on_planned(self, request: Request, planned: Plan, description: Description) -> None:
        self.summary.show_plan(description)
        self._estimate(request, planned)
        path = planned.paths[0]
        self._set_ready(
            ReadyExport(path, lambda: planned.existing, lambda: lambda: nullcontext(planned))
        )

    def _estimate(self, request: Request, planned: Plan) -> None:
        """Replace the largest possible size by an estimate, once it is known."""
        version, positions = self.version, self._positions

        def estimate() -> int | None:
            # the export itself reports the error
            """Return the estimated size in bytes; None for an export with an error."""
            with suppress(FerryError):
                return estimate_size(request, planned, positions, lambda: self.version != version)
            return None

        if planned.is_encoded:
            self.estimating.call(estimate, lambda nbytes: self._on_estimated(planned, nbytes))

    def _stop_estimating(self) -> None:
        """Leave the processor to an export."""
        self.version += 1
        self.estimating.discard()

    def _on_estimated(self, planned: Plan, nbytes: int | None) -> None:
        """Show an estimated size, or the largest one if it could not be estimated."""
        self.summary.show_plan(describe_plan(planned, nbytes))

    @property
    def _positions(self) -> range | None:
        """Positions on the frame axis of a movie; None for data."""
        return None

    def _set_ready(self, ready: ReadyExport) -> None:
        """Enable the button; export at once if it was clicked already."""
        self.ready = ready
        self.button.setEnabled(True)
        if self.is_export_requested:
            self._on_export()

    def _show_error(self, error: Exception) -> None:
        self.ready = None
        self._discard()
        self._set_waiting(False)
        self.button.setEnabled(False)
        self.summary.show_error(sentence(error))

    # --- export -----------------------------------------------------------------------------

    def _on_export(self) -> None:
        """Request the export; ask first if it would replace files."""
        ready = self.ready
        self._set_waiting(ready is None)
        if ready is None:
            return
        existing = call_in_thread(ready.existing_files)
        if self.ready is not ready:  # a field was changed meanwhile, or the dock was closed
            return
        if existing and not self._confirm_replacement(existing):
            return
        self.fields.save()
        self._stop_estimating()
        job = Job(
            path=ready.path,
            overwrite=bool(existing),
            is_movie=self.fields.is_movie,
            thumbnail=self._thumbnail(),
        )
        layers = [each.as_layer_data_tuple() for each in self.fields.checked_layers()]
        self.export_requested.emit(job, ready.prepare(), layers)

    def _thumbnail(self) -> QPixmap | None:
        """Return a small picture of the export, if there is one."""
        return None

    def _confirm_replacement(self, existing: tuple[Path, ...]) -> bool:
        """Ask once for permission to replace files."""
        names = list_few([path.name for path in existing], _MAX_NAMES)
        folder = existing[0].parent
        if len(existing) == 1:
            question = f"{names} already exists in {folder}. Replace it?"
        else:
            question = f"{names} already exist in {folder}. Replace them?"
        answer = QMessageBox.question(self, "Replace files?", escape_text(question))
        return bool(answer == QMessageBox.StandardButton.Yes)


def _plan_and_describe(request: Request) -> tuple[Plan, Description]:
    planned = request.plan()
    return planned, describe_plan(planned, is_pending=True)
