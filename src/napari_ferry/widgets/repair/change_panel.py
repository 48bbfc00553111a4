"""Changes to make the metadata of a file or folder valid, and buttons to write and open it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QListWidget, QPushButton, QVBoxLayout, QWidget

from napari_ferry.arguments import reading
from napari_ferry.errors import FerryError, SaveError, TargetError
from napari_ferry.io.search import find_repair
from napari_ferry.plugin.manifest import PLUGIN
from napari_ferry.plugin.notice import notify
from napari_ferry.saving.document_repair import Repair, RepairPlanner, run_repair
from napari_ferry.widgets.form import FoldedSection, make_label
from napari_ferry.widgets.repair.option_fields import OptionFields
from napari_ferry.widgets.repair.repair_words import (
    CHANGES,
    KEPT,
    KNOWN_VALUES,
    OPEN_REPAIRED,
    WRITE_CHANGES,
)
from napari_ferry.widgets.repair.sentences import change_line, changes_headline, repaired
from napari_ferry.widgets.worker import BackgroundWorker

if TYPE_CHECKING:
    from napari import Viewer

_ROWS = 8
"""Rows of the list visible at once."""


class PlannedChanges(NamedTuple):
    """A file or folder, the changes of its metadata, and the planner of these changes."""

    path: Path
    repair: Repair
    planner: RepairPlanner


class WrittenChanges(NamedTuple):
    """Copies of old documents, and the remaining changes."""

    backups: list[Path]
    planned: PlannedChanges


def find_changes(path: Path) -> PlannedChanges | None:
    """Return the changes to make metadata valid; ``None`` for a format without such a repair.

    Raises
    ------
    UnreadableFileError
        The metadata are damaged beyond repair.
    """
    planner = find_repair(path)
    if planner is None:
        return None
    return plan_changes(path, planner, {})


def plan_changes(path: Path, planner: RepairPlanner, values: Mapping[str, Any]) -> PlannedChanges:
    """Return the changes of metadata with known values.

    Parameters
    ----------
    path : Path
        The file or folder.
    planner : callable
        Function `repair` of its format.
    values : mapping of str to object
        Options of that function.

    Raises
    ------
    UnreadableFileError
        The metadata are damaged beyond repair.
    InvalidImageError
        The values do not fit.
    """
    with reading(path):
        return PlannedChanges(path, planner(path, **values), planner)


class ChangePanel(QWidget):
    """List of changes, remarks about damage beyond repair, and buttons to write and to open.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer that opens the file.
    """

    failed = Signal(object)
    """Exception raised while planning, writing or opening."""

    planned_again = Signal()
    """Other values led to other changes."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.planned: PlannedChanges | None = None
        self._worker = BackgroundWorker(self)
        self._worker.failed.connect(self._on_failed)
        self._make_parts()
        self._lay_out()
        self.hide()

    def _make_parts(self) -> None:
        self.headline, self.remarks, self.note = make_label(), make_label(), make_label()
        font = self.headline.font()
        font.setBold(True)
        self.headline.setFont(font)
        self.note.setText(KEPT)

        self.list = QListWidget()
        self.list.setAccessibleName(CHANGES.label)
        self.list.setToolTip(CHANGES.tooltip)
        self.list.setWordWrap(True)
        self.list.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.list.setMinimumHeight(self.fontMetrics().lineSpacing() * _ROWS)

        self.open_button = QPushButton(OPEN_REPAIRED.label)
        self.write_button = QPushButton(WRITE_CHANGES.label)
        self.open_button.setToolTip(OPEN_REPAIRED.tooltip)
        self.write_button.setToolTip(WRITE_CHANGES.tooltip)

        self.options = OptionFields()
        self.options.changed.connect(self._on_options)
        self.known = FoldedSection(KNOWN_VALUES.label, KNOWN_VALUES.tooltip, self.options)
        self.open_button.clicked.connect(lambda _: self._open())
        self.write_button.clicked.connect(lambda _: self._write())

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.open_button)
        row.addWidget(self.write_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (self.headline, self.list, self.remarks, self.known, self.note):
            column.addWidget(part)
        column.addLayout(row)

    def show_file(self, planned: PlannedChanges) -> None:
        """Show the changes of another file, with empty fields."""
        self.options.offer(planned.planner)
        self.known.collapse(False)
        self._show(planned)

    def _show(self, planned: PlannedChanges) -> None:
        """Show unwritten changes."""
        self.planned = planned
        changes, remarks = planned.repair.changes, planned.repair.remarks
        self.headline.setText(changes_headline(planned.path.name, len(changes)))
        self.list.clear()
        self.list.addItems([change_line(change) for change in changes])
        self.remarks.setText("\n".join(f"{remark[:1].upper()}{remark[1:]}" for remark in remarks))
        self.list.setVisible(bool(changes))
        self.note.setVisible(bool(changes))
        self.remarks.setVisible(bool(remarks))
        self.write_button.setEnabled(bool(changes))
        self.show()

    def clear(self) -> None:
        """Hide the changes, and forget them."""
        self._worker.discard()
        self.planned = None
        self.hide()

    def _on_options(self) -> None:
        """Look for changes with other values, in another thread."""
        if self.planned is None:
            return
        path, _, planner = self.planned
        values = self.options.values
        self.write_button.setEnabled(False)
        self._worker.discard()
        self._worker.call(lambda: plan_changes(path, planner, values), self._on_planned)

    def _on_planned(self, planned: PlannedChanges) -> None:
        self._show(planned)
        self.planned_again.emit()

    def _write(self) -> None:
        """Write the changes in another thread."""
        planned = self.planned
        if planned is not None:
            self.write_button.setEnabled(False)
            values = self.options.values
            self._worker.call(lambda: write_changes(planned, values), self._on_written)

    def _on_written(self, written: WrittenChanges) -> None:
        self._show(written.planned)
        notify(repaired(written.planned.path, written.backups))

    def _on_failed(self, error: Exception) -> None:
        """Show an error; after wrong values there is nothing to write."""
        is_write = isinstance(error, TargetError | SaveError)
        self.write_button.setEnabled(is_write and self.planned is not None)
        self.failed.emit(error)

    def _open(self) -> None:
        """Open the file as it is now."""
        if self.planned is None:
            return
        try:
            self.viewer.open(str(self.planned.path), plugin=PLUGIN)
        except FerryError as error:
            self.failed.emit(error)


def write_changes(planned: PlannedChanges, values: Mapping[str, Any]) -> WrittenChanges:
    """Write changes, and look for remaining ones."""
    backups = run_repair(planned.repair)
    return WrittenChanges(backups, plan_changes(planned.path, planned.planner, values))
