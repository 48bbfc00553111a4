"""Layout of *Repair binary metadata*: its parts, in one column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.codecs.binary.sidecar_check import SidecarStatus
from napari_ferry.widgets.file_drop import accept_files, dropped_files
from napari_ferry.widgets.form import FoldedSection, make_label, make_scroll_area
from napari_ferry.widgets.repair.calibration_form import CalibrationForm
from napari_ferry.widgets.repair.candidate_list import CandidateList
from napari_ferry.widgets.repair.change_panel import ChangePanel, PlannedChanges
from napari_ferry.widgets.repair.files import FileSelector, RawFiles
from napari_ferry.widgets.repair.layout_form import LayoutForm
from napari_ferry.widgets.repair.layout_preview import LivePreview
from napari_ferry.widgets.repair.mismatch_table import mismatch_table
from napari_ferry.widgets.repair.notes import rival_notes
from napari_ferry.widgets.repair.question import LayoutQuestion, ReasonsPanel
from napari_ferry.widgets.repair.repair_words import CALIBRATION, NUMBERS, USE
from napari_ferry.widgets.repair.result import ResultPanel
from napari_ferry.widgets.repair.sentences import error_sentence, typed_headline, use
from napari_ferry.widgets.repair.sidecar_writer import SidecarWriter
from napari_ferry.widgets.worker import BackgroundWorker

if TYPE_CHECKING:
    from napari import Viewer

_GATHER_DELAY = 200
"""Milliseconds within which files offered one by one are treated as one selection."""

_SHOW_DELAY, _SEARCH_DELAY = 80, 400
"""Milliseconds between the last change and its preview, and the search for other values."""


class RepairPanels(QWidget):
    """Files, candidates, layout, calibration and buttons in one column; accepts dropped files.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer of the preview.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.displayed_layout: Layout | None = None
        self.sidecar_status: SidecarStatus | None = None
        self.setAcceptDrops(True)
        self._make_parts()
        self._make_workers()
        self._lay_out()
        self.form.setEnabled(False)

    def _make_parts(self) -> None:
        self.files, self.question = FileSelector(), LayoutQuestion()
        self.candidate_list, self.reasons = CandidateList(), ReasonsPanel()
        self.form, self.calibration_form = LayoutForm(), CalibrationForm()
        self.result, self.changes = ResultPanel(), ChangePanel(self.viewer)
        self.changes.failed.connect(self._show_error)
        self.changes.planned_again.connect(lambda: self._show_status(""))
        self.status, self.mismatch = make_label(), make_label()
        self.mismatch.setTextFormat(Qt.TextFormat.RichText)
        self.status.hide()
        self.mismatch.hide()
        self.preview = LivePreview(self.viewer, self.candidate_list.step)
        self.destroyed.connect(self.preview.release)

    def _make_workers(self) -> None:
        self.opening, self.searching = BackgroundWorker(self), BackgroundWorker(self)
        self.drawing = BackgroundWorker(self)
        self.writer = SidecarWriter(self)
        self.timers = {
            "gather": self._make_timer(_GATHER_DELAY),
            "show": self._make_timer(_SHOW_DELAY),
            "search": self._make_timer(_SEARCH_DELAY),
        }

    def _make_timer(self, delay: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(delay)
        return timer

    def _lay_out(self) -> None:
        self.numbers = FoldedSection(NUMBERS.label, NUMBERS.tooltip, self.form)
        self.more = FoldedSection(CALIBRATION.label, CALIBRATION.tooltip, self.calibration_form)
        inner = QWidget()
        column = QVBoxLayout(inner)
        for part in (
            self.files,
            self.status,
            self.question,
            self.changes,
            self.mismatch,
            self.candidate_list,
            self.reasons,
            self.numbers,
            self.more,
        ):
            column.addWidget(part)
        column.addStretch()

        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(make_scroll_area(inner))
        outer.addWidget(self.result)

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802 - Qt's name
        """Accept files."""
        accept_files(event)

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802 - Qt's name
        """Open the dropped files."""
        paths = dropped_files(event)
        if paths:
            self.files.paths_entered.emit(paths)

    def _clear(self) -> None:
        """Clear everything about the previous file."""
        self.form.setEnabled(False)
        for worker in (self.opening, self.searching, self.drawing):
            worker.discard()
        for timer in self.timers.values():
            timer.stop()
        self.preview.remove()
        self.sidecar_status = self.displayed_layout = None
        self.candidate_list.show_candidates([])
        self.form.show_notes({})
        self.numbers.collapse(False)
        self.question.hide()
        self.reasons.hide()
        self.mismatch.hide()
        self._show_status("")

    def _show_changes(self, planned: PlannedChanges | None) -> None:
        """Show changes of metadata instead of the numbers of a raw file; None for the latter."""
        for part in (self.numbers, self.more, self.result):
            part.setVisible(planned is None)
        if planned is None:
            self.changes.clear()
        else:
            self._clear()
            self.files.set_files(RawFiles(planned.path, {}))
            self.changes.show_file(planned)

    def event(self, event: QEvent | None) -> bool:
        """Delete the widget when its dock was closed."""
        is_handled = super().event(event)
        if event and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._clear()
            self.deleteLater()
        return bool(is_handled)

    def _ask(self, layout: Layout) -> None:
        """Ask about a layout, and give the reasons for it."""
        candidate = self.candidate_list.select_layout(layout)
        if self.preview.opened:
            return
        headline = candidate.headline if candidate else typed_headline(layout)
        has_others = len(self.candidate_list.candidates) > (candidate is not None)
        self.question.ask(headline, has_others=has_others)
        self.reasons.show_reasons(
            candidate.reasons if candidate else "", candidate.details if candidate else ""
        )

    def _suggest(self, layout: Layout, rival: Layout) -> None:
        """Suggest the numbers of a rival, supported by the bytes, in place of the user's."""
        notes = rival_notes(layout, rival, self.form.fixed)
        self.form.show_notes(notes)
        self.candidate_list.select_layout(layout)
        self.reasons.hide()
        sentence = ". ".join(text for text, _ in notes.values())
        values = [better for _, better in notes.values()]
        self.question.suggest(f"{sentence}.", use(values[0]) if len(values) == 1 else USE.label)

    def _show_mismatch(self, layouts: Sequence[Layout]) -> None:
        """Compare a wrong sidecar with the first layout found."""
        status = self.sidecar_status
        if status is not None and status.error:
            detected = next((layout for layout in layouts if layout != status.layout), None)
            self.mismatch.setText(mismatch_table(status, detected, self.files.nbytes))
            self.mismatch.show()

    def _show_status(self, text: str) -> None:
        self.status.setText(text)
        self.status.setVisible(bool(text))

    def _show_error(self, error: Exception) -> None:
        self._show_status(error_sentence(error))
