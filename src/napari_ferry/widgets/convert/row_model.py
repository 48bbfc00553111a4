"""Model of the list of data sets, which Qt asks for the rows that it draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, Signal  # type: ignore[attr-defined]

from napari_ferry.widgets.convert.row import Row
from napari_ferry.widgets.form import escape_text

_FLAGS = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable


class RowModel(QAbstractListModel):
    """Rows of the list.

    Parameters
    ----------
    parent : QObject
        Owner.
    """

    checked = Signal()
    """The user checked or unchecked rows."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.rows: list[Row] = []
        self.is_locked = False

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """Return the number of rows."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Let the user select and check each row."""
        return _FLAGS if index.isValid() else Qt.ItemFlag.NoItemFlags

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the texts and the check mark of a row."""
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if row.is_checked else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            return escape_text("\n".join([row.name, row.summary]))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(filter(None, (row.name, row.state_text, row.summary)))
        return row.name if role == Qt.ItemDataRole.DisplayRole else None

    def setData(  # noqa: N802 - Qt's name
        self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Check or uncheck a row, unless they are being converted."""
        if role != Qt.ItemDataRole.CheckStateRole or self.is_locked:
            return False
        self.rows[index.row()].is_checked = Qt.CheckState(value) == Qt.CheckState.Checked
        self.dataChanged.emit(index, index)
        self.checked.emit()
        return True

    def check_all(self, is_checked: bool) -> None:
        """Check or uncheck all rows."""
        if self.is_locked:
            return
        for row in self.rows:
            row.is_checked = is_checked
        self.show_changes(range(len(self.rows)))
        self.checked.emit()

    def clear(self) -> None:
        """Remove all rows."""
        self.beginResetModel()
        self.rows = []
        self.endResetModel()

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows at the end."""
        first = len(self.rows)
        self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
        self.rows += rows
        self.endInsertRows()

    def show_changes(self, numbers: Iterable[int]) -> None:
        """Draw rows again that have changed."""
        changed = [*numbers]
        if changed:
            self.dataChanged.emit(self.index(min(changed)), self.index(max(changed)))
