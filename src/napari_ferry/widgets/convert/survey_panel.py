"""What is known of the data sets of the list: facts, pictures, sizes and losses."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_ferry.batch.batch_record import Record
from napari_ferry.batch.inputs import Input
from napari_ferry.batch.output_names import TargetNumbers
from napari_ferry.errors import UnreadableFileError
from napari_ferry.widgets.convert import convert_words
from napari_ferry.widgets.convert.conversion_request import ConversionRequest
from napari_ferry.widgets.convert.convert_panels import IDLE_TICK, TICK, ConvertPanels
from napari_ferry.widgets.convert.format_fields import FormatFields
from napari_ferry.widgets.convert.input_search import InputSearch
from napari_ferry.widgets.convert.inspection import Finding, inspect, restate
from napari_ferry.widgets.convert.row import Facts, Row
from napari_ferry.widgets.convert.target_check import TargetCheck, TargetChecker, number_rows
from napari_ferry.widgets.convert.totals import Rates, describe_totals
from napari_ferry.widgets.convert.trial import choose_sample, find_rates
from napari_ferry.widgets.plan_summary import Description, sentence

if TYPE_CHECKING:
    from napari import Viewer

_MOST_ROWS, _SECONDS = 64, 0.2
"""Maximum number of rows to look into at once, and the time after which the rest waits."""


class _Task(NamedTuple):
    """A row to look into."""

    number: int
    source: Input
    numbers: TargetNumbers | None
    is_visible: bool
    facts: Facts | None
    """What is known already, apart from the state."""


class SurveyPanel(ConvertPanels):
    """Form that looks into the data sets of its list in another thread.

    Parameters
    ----------
    viewer, saved, formats
        As for `ConvertPanels`.
    """

    def __init__(self, viewer: Viewer, saved: dict[str, Any], formats: FormatFields) -> None:
        super().__init__(viewer, saved, formats)
        self.search: InputSearch | None = None
        self.request: ConversionRequest | None = None
        self.records: dict[Path, Record] = {}
        self.rates: Rates | None = None
        self.checker = TargetChecker()
        self.obstacle = ""
        self.version = 0
        self.is_inspecting = self.is_describing = self.is_changed = False
        self.is_tried = self.is_trying = self.has_ended = False

    def _connect(self) -> None:
        self.rows.model.checked.connect(self._on_check)
        self.rows.row_selected.connect(self.detail.show_row)
        self.tick.timeout.connect(self._on_tick)
        for name in ("inspecting", "estimating", "describing"):
            self.workers[name].failed.connect(self._show_error)

    @property
    def is_running(self) -> bool:
        """Whether a batch is running."""
        return False

    @property
    def is_searching(self) -> bool:
        """Whether more data sets may be found."""
        return self.search is not None

    def _discard(self) -> None:
        """Drop all results that are under way."""
        self.version += 1
        for name in ("inspecting", "estimating", "describing"):
            self.workers[name].discard()
        self.is_inspecting = self.is_describing = self.is_tried = self.is_trying = False
        self.rates, self.is_changed, self.has_ended = None, True, False
        self.obstacle = ""

    def _look_again(self) -> None:
        """Look into all rows again."""
        SurveyPanel._discard(self)  # a search goes on
        self.records = {}
        for row in self.rows.rows:
            row.is_inspected, row.is_planned, row.outcomes = False, False, []
        self._number_rows()
        self.tick.start()

    def _on_check(self) -> None:
        """Describe other files."""
        self.is_tried = self.rates is not None
        self.is_changed, self.has_ended = True, False
        self._number_rows()
        self.tick.start()

    def _number_rows(self) -> None:
        """Give the targets their numbers, and look again into the rows whose names change."""
        if self.request is not None and not self.is_searching:
            number_rows(self.rows.rows, self.request.naming)

    def _note_finding(self) -> None:
        """Describe the files again, unless the summary shows how a batch has ended."""
        self.is_changed = self.is_changed or not self.has_ended

    # --- rows -------------------------------------------------------------------------------

    def _on_tick(self) -> None:
        """Take what other threads have found, and give them more to do."""
        self._inspect_next()
        self._try_next()
        self._describe()
        is_busy = self.is_searching or self.is_inspecting or self.is_describing
        is_idle = not (is_busy or self.is_changed or self.is_running)
        self.tick.setInterval(IDLE_TICK if is_idle else TICK)

    def _next_tasks(self) -> list[_Task]:
        """Return the rows to look into next: visible ones first, also for their pictures."""
        rows, visible = self.rows.rows, self.rows.visible_range()
        wanted = [k for k in visible if not (rows[k].is_inspected and rows[k].is_drawn)]
        if not (self.is_running or self.is_trying or self.is_searching):  # few threads at a time
            others = (k for k, row in enumerate(rows) if not row.is_inspected and k not in visible)
            wanted += [k for k, _ in zip(others, range(_MOST_ROWS), strict=False)]
        return [_make_task(k, rows[k], is_visible=k in visible) for k in wanted]

    def _inspect_next(self) -> None:
        request = self.request
        tasks = self._next_tasks() if request is not None and not self.is_inspecting else []
        if request is None or not tasks:
            return
        self.is_inspecting = True
        self.workers["inspecting"].call(
            lambda: self._inspect(request, tasks), lambda found: self._on_inspected(tasks, found)
        )

    def _inspect(self, request: ConversionRequest, tasks: Sequence[_Task]) -> list[Finding]:
        """Look into rows until some time has passed; for another thread."""
        folder, end = request.naming.folder, time.perf_counter() + _SECONDS
        records = self.records  # others when a batch ends meanwhile
        if folder not in records:
            records[folder] = _read_record(folder)
        findings = []
        for task in tasks:
            record = records[folder]
            findings.append(_look_into(task, request, record))
            if time.perf_counter() > end:
                break
        return findings

    def _on_inspected(self, tasks: Sequence[_Task], findings: Sequence[Finding]) -> None:
        self.is_inspecting = False
        self._note_finding()
        for task, finding in zip(tasks, findings, strict=False):
            row = self.rows.rows[task.number]
            row.facts, row.is_planned = finding.facts, True
            row.is_inspected = row.numbers == task.numbers
            if task.is_visible:
                row.thumbnail, row.is_drawn = finding.thumbnail, True
        self._show_axes()
        if self.request is not None and self.request.naming.has_images:
            self._number_rows()  # the images are counted now
        self.rows.model.show_changes(task.number for task, _ in zip(tasks, findings, strict=False))
        self.detail.show_row(self.rows.selected)
        self._inspect_next()

    def _show_axes(self) -> None:
        """Offer the axes of all rows for movies."""
        found = [row.facts.axes for row in self.rows.rows if row.facts is not None]
        names = dict.fromkeys(name for axes in found for name in axes)
        self.formats.show_axes([*names], has_others=any(len(axes) > 1 for axes in found))

    # --- summary ----------------------------------------------------------------------------

    def _try_next(self) -> None:
        """Convert a part of one data set on trial, once the visible rows are known."""
        request, version = self.request, self.version
        if self.is_tried or self.is_running or request is None or self.is_searching:
            return
        rows = self.rows.rows
        if not all(rows[k].is_inspected for k in self.rows.visible_range()):
            return
        sample = choose_sample(rows)
        if sample is None:
            return
        self.is_tried = self.is_trying = True
        self.workers["estimating"].call(
            lambda: find_rates(sample, request, lambda: self.version != version), self._on_rates
        )

    def _on_rates(self, rates: Rates | None) -> None:
        self.rates, self.is_trying = rates, False
        self._note_finding()
        self.tick.start()

    def _describe(self) -> None:
        """Describe what is to be converted, in another thread."""
        self._show_button()
        request = self.request
        is_waiting = self.is_describing or self.is_running or self.is_searching
        if not self.is_changed or is_waiting or request is None:
            return
        self.is_changed, self.is_describing = False, True
        rows, rates, naming = [*self.rows.rows], self.rates, request.naming
        folder = naming.folder.absolute()
        self.workers["describing"].call(
            lambda: (describe_totals(rows, folder, rates), self.checker.check(rows, naming)),
            lambda found: self._on_described(*found),
        )

    def _on_described(self, description: Description, check: TargetCheck) -> None:
        self.is_describing = False
        rows = self.rows.rows
        self._show_conflicts(check.conflicts)
        self.obstacle = check.obstacle(is_pending=any(row.is_pending for row in rows))
        if rows and not (self.is_running or self.has_ended):
            if self.obstacle:
                self.summary.show_error(self.obstacle)
            else:
                self.summary.show_plan(description)
        existing = sum(row.is_checked and row.state == "exists" for row in self.rows.rows)
        self.replace.setText(f"{convert_words.REPLACE.label} ({existing})")
        self.replace.setVisible(bool(existing))

    def _show_conflicts(self, conflicts: Mapping[object, str]) -> None:
        """Mark the rows with the target of another row."""
        changed = []
        for number, row in enumerate(self.rows.rows):
            sentence = conflicts.get(row.input.source, "")
            if row.conflict != sentence:
                row.conflict = sentence
                changed.append(number)
        self.rows.model.show_changes(changed)
        if changed:
            self.detail.show_row(self.rows.selected)

    def _show_button(self) -> None:
        """Show on the button what it does."""
        raise NotImplementedError

    def _show_error(self, error: Exception) -> None:
        self.is_inspecting = self.is_describing = self.is_trying = False
        self._show_status(convert_words.in_form_words(sentence(error)))


def _make_task(number: int, row: Row, *, is_visible: bool) -> _Task:
    """Return the task for a row, which is opened to be drawn, or to be planned."""
    is_drawn = is_visible and not row.is_drawn
    facts = row.facts if row.is_planned and not is_drawn else None
    return _Task(number, row.input, row.numbers, is_drawn, facts)


def _look_into(task: _Task, request: ConversionRequest, record: Record) -> Finding:
    """Look into a row."""
    source, numbers = task.source, task.numbers
    if task.facts is not None:
        return Finding(restate(task.facts, source, request, record, numbers))
    return inspect(source, request, record, numbers=numbers, is_visible=task.is_visible)


def _read_record(folder: Path) -> Record:
    """Read the record of a folder; one that cannot be read is reported when a batch starts."""
    try:
        return Record.read(folder)
    except UnreadableFileError:
        return Record(folder=folder, is_kept=False)
