"""Fields for known properties of an image, made from the options of a repair."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QCheckBox, QFormLayout, QLineEdit, QWidget

from napari_ferry.saving.document_repair import RepairPlanner
from napari_ferry.signatures import Option, options_of
from napari_ferry.widgets.form_words import Words
from napari_ferry.widgets.repair.repair_words import REPAIR_OPTIONS


class OptionFields(QWidget):
    """A field for each option: a line of text, or a box to check."""

    changed = Signal()
    """The user entered another value."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, QLineEdit | QCheckBox] = {}
        self._rows = QFormLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._before: dict[str, Any] = {}

    def offer(self, planner: RepairPlanner) -> None:
        """Show empty fields for the options of a repair."""
        while self._rows.rowCount():
            self._rows.removeRow(0)
        self.fields = {}
        for option in options_of([planner]):
            self._add_field(option)
        self._before = {}

    def _add_field(self, option: Option) -> None:
        words = REPAIR_OPTIONS.get(option.name, Words(option.name.capitalize(), option.help))
        field: QLineEdit | QCheckBox
        if option.kind is bool:
            field = QCheckBox(words.label)
            field.toggled.connect(lambda _: self._on_edit())
            self._rows.addRow(field)
        else:
            field = QLineEdit()
            field.editingFinished.connect(self._on_edit)
            self._rows.addRow(words.label, field)
        field.setAccessibleName(words.label)
        field.setToolTip(words.tooltip)
        self.fields[option.name] = field

    @property
    def values(self) -> dict[str, Any]:
        """Values of the filled fields."""
        found = {
            name: field.isChecked() if isinstance(field, QCheckBox) else field.text().strip()
            for name, field in self.fields.items()
        }
        return {name: value for name, value in found.items() if value}

    def _on_edit(self) -> None:
        """Report a change, if there is one: leaving a field may also end an edit without it."""
        if self.values != self._before:
            self._before = self.values
            self.changed.emit()
