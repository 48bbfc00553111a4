"""Batches of the dock *Convert folder*: start, progress, stop, and report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_ferry.batch.job_count import BatchProgress
from napari_ferry.batch.report import Report
from napari_ferry.files.short_texts import count_things
from napari_ferry.plugin.manifest import PLUGIN
from napari_ferry.plugin.notice import notify
from napari_ferry.widgets.activity import Activity, steps_of
from napari_ferry.widgets.convert import convert_words
from napari_ferry.widgets.convert.batch_run import BatchRun
from napari_ferry.widgets.convert.choice_panel import ChoicePanel
from napari_ferry.widgets.convert.format_fields import FormatFields
from napari_ferry.widgets.convert.report_text import (
    describe_problems,
    describe_progress,
    describe_report,
)
from napari_ferry.widgets.plan_summary import sentence
from napari_ferry.widgets.task_entry import TaskEntry

if TYPE_CHECKING:
    from napari import Viewer


class BatchPanel(ChoicePanel):
    """Form that converts a folder.

    Parameters
    ----------
    viewer, saved, formats
        As for `ConvertPanels`.
    """

    def __init__(self, viewer: Viewer, saved: dict[str, Any], formats: FormatFields) -> None:
        self.batch: BatchRun | None = None
        self.report: Report | None = None
        self.entry: TaskEntry | None = None
        self.activity = Activity("")
        self.on_idle: Callable[[], object] | None = None
        self.by_source: dict[object, int] = {}
        super().__init__(viewer, saved, formats)
        self._restore()
        self.summary.show_error(convert_words.IDLE)

    def _connect(self) -> None:
        super()._connect()
        self.button.clicked.connect(self._on_button)
        self.detail.open_clicked.connect(self._open)
        self.workers["converting"].failed.connect(self._on_failed)

    # --- start and stop ---------------------------------------------------------------------

    @property
    def is_running(self) -> bool:
        """Whether a batch is running."""
        return self.batch is not None

    def _on_button(self) -> None:
        if self.batch is None:
            self.start()
        else:
            self.stop()

    def start(self) -> None:
        """Convert the checked files in another thread."""
        self._on_settled()
        chosen = [row for row in self.rows.rows if row.is_checked]
        if self.request is None or self.search is not None or not chosen:
            return
        if self.place.is_cluster and not self.place.scheduler:
            self._show_status(convert_words.NO_ADDRESS)
            return
        for row in chosen:
            row.outcomes = []
        self.entry = entry = TaskEntry("the conversion of a folder")
        self.activity = activity = Activity(f"Convert {self.sources[0].name}")
        self.by_source = {row.input.source: k for k, row in enumerate(self.rows.rows)}
        self.batch = BatchRun(
            request=self.request,
            inputs=[row.input for row in chosen],
            overwrite=not self.replace.isHidden() and self.replace.isChecked(),
            threads=self.place.n_threads,
            address=self.place.scheduler,
            is_closed=lambda: entry.is_stopped or activity.is_cancelled,
        )
        self.destroyed.connect(self.batch.cancelled.set)
        self.version += 1  # leaves the processor to the batch
        self.report = None
        self._store_unfinished(0, len(chosen))
        self.save()
        self._enable_fields(False)
        self._show_status("")
        self.bar.setValue(0)
        self.bar.show()
        self.summary.show_error(convert_words.STARTING)
        self._show_button()
        self.workers["converting"].call(self.batch.run, self._on_done)
        self.tick.start()

    def stop(self) -> None:
        """Stop the batch soon; what is converted stays."""
        if self.batch is not None:
            self.batch.cancelled.set()
            self._show_button()

    def when_idle(self, on_idle: Callable[[], object]) -> None:
        """Call a function as soon as no batch is running."""
        self.on_idle = on_idle
        if not self.is_running:
            on_idle()

    def leave(self) -> None:
        """Stop the search and all estimates; a batch goes on."""
        self.settle.stop()
        self._discard()
        if not self.is_running:
            self.tick.stop()

    # --- progress ---------------------------------------------------------------------------

    def _on_tick(self) -> None:
        if self.batch is not None:
            self._show_outcomes(self.batch)
            self._show_progress(self.batch)
        super()._on_tick()
        self._show_activity()

    def _show_outcomes(self, batch: BatchRun) -> None:
        """Show in their rows what became of data sets."""
        changed = []
        while batch.outcomes:
            outcome = batch.outcomes.popleft()
            number = self.by_source.get(outcome.source)
            if number is not None:
                row = self.rows.rows[number]
                row.outcomes.append(outcome)
                row.n_targets = batch.n_targets[outcome.source]
                row.share = None
                changed.append(number)
        self.rows.model.show_changes(changed)
        if changed:
            self.detail.show_row(self.rows.selected)

    def _show_progress(self, batch: BatchRun) -> None:
        """Show the progress of the whole, and in the row of the current data set."""
        progress = batch.progress
        if progress is None:
            return
        for number in self._share_rows(progress):
            self.rows.model.show_changes([number])
            self.rows.follow(number)
        self.bar.setUpdatesEnabled(False)  # setValue would redraw the window at once
        self.bar.setValue(steps_of(progress.done, progress.total))
        self.bar.setUpdatesEnabled(True)
        if not batch.cancelled.is_set():
            self.summary.show_error(describe_progress(progress))

    def _show_activity(self) -> None:
        """Show the progress in the activity dock, as the last step of an update.

        napari handles events meanwhile: the batch may end, and a closed form is deleted then.
        """
        progress = None if self.batch is None else self.batch.progress
        if progress is not None and (self.isVisible() or not self.activity.open()):
            self.activity.update(steps_of(progress.done, progress.total))

    def _share_rows(self, progress: BatchProgress) -> list[int]:
        """Note the share of each row in progress; return the rows that have changed."""
        changed = []
        for number, row in enumerate(self.rows.rows):
            # one that has ended waits for the outcomes of those before it
            otherwise = None if row.share is None else 1.0
            own = progress.shares.get(row.input.source, otherwise)
            share = None if row.is_done else own
            if share != row.share:
                row.share = share
                changed.append(number)
        return changed

    # --- end --------------------------------------------------------------------------------

    def _on_done(self, report: Report) -> None:
        self._show_report(report)
        self._end()

    def _look_again(self) -> None:
        super()._look_again()
        self.report = None

    def _on_failed(self, error: Exception) -> None:
        text = convert_words.in_form_words(sentence(error))
        self._announce(text, is_problem=True)
        self._end()
        self.summary.show_error(text)

    def _announce(self, text: str, *, is_problem: bool) -> None:
        """Show how the batch has ended in a notification, unless the form is visible."""
        is_stopped = self.entry is not None and self.entry.is_stopped  # the window is closed
        if not self.isVisible() and not is_stopped:
            notify(f"Convert folder: {text}", "warning" if is_problem else "info")

    def _show_report(self, report: Report) -> None:
        """Show the numbers, and the files that failed."""
        assert self.batch is not None
        self._show_outcomes(self.batch)
        self.report = report
        total = report.remaining + len(report.outcomes)
        self._store_unfinished(total - report.remaining, total)
        folder = self.batch.request.naming.folder
        description = describe_report(report, folder)
        self.summary.show_plan(description, describe_problems(report))
        self._announce(description.headline, is_problem=bool(report.count("failed")))

    def _end(self) -> None:
        """Enable the form again."""
        for row in self.rows.rows:
            row.share = None
        self.batch = None
        self.activity.close()
        if self.entry is not None:
            self.entry.close()
        self.bar.hide()
        self._enable_fields(True)
        self.rows.model.show_changes(range(len(self.rows.rows)))
        self.detail.show_row(self.rows.selected)
        self.is_changed, self.has_ended = False, True
        self.records = {}
        self._show_button()
        if self.on_idle is not None:
            self.on_idle()

    def _show_button(self) -> None:
        """Show on the button what it does."""
        if self.batch is not None:
            is_stopping = self.batch.cancelled.is_set()
            text = convert_words.STOPPING if is_stopping else convert_words.STOP
            self._label_button(text, convert_words.STOP_TIP)
            self.button.setEnabled(not is_stopping)
            return
        count = sum(row.is_pending for row in self.rows.rows)
        was_stopped = self.report is not None and bool(self.report.remaining)
        verb = convert_words.GO_ON if was_stopped else convert_words.CONVERT
        text = f"{verb} {count_things(count, 'file')}" if count else convert_words.CONVERT
        self._label_button(text, convert_words.CONVERT_TIP)
        is_ready = self.request is not None and self.search is None and not self.obstacle
        self.button.setEnabled(bool(count) and is_ready)

    def _label_button(self, text: str, tooltip: str) -> None:
        self.button.setText(text)
        self.button.setToolTip(tooltip)

    def _open(self, path: Path) -> None:
        self.viewer.open(str(path), plugin=PLUGIN)
