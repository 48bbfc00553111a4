"""Fields for the folder and the names of the converted files, with an example."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from napari_ferry.arguments import to_path
from napari_ferry.batch.inputs import Input
from napari_ferry.batch.output_names import NamedSource, Naming
from napari_ferry.errors import FerryError, TargetError
from napari_ferry.io.search import known_suffix
from napari_ferry.widgets.convert.convert_words import BROWSE_TARGET, PATTERN, TARGET, in_form_words
from napari_ferry.widgets.convert.folder_field import FolderField
from napari_ferry.widgets.form import make_label
from napari_ferry.widgets.plan_summary import Format

_DEFAULT_PATTERN = "{name}"


LABEL_WIDTH = 52
"""Width of the labels in pixels: less than in other forms, as paths are long."""


class TargetFields(QWidget):
    """Folder beside the one to convert, unless another is entered, and a pattern of names."""

    changed = Signal()
    """The folder or the pattern was changed."""

    def __init__(self) -> None:
        super().__init__()
        self.is_edited = False
        self.folder = FolderField(TARGET, BROWSE_TARGET)
        self.folder.edited.connect(self._on_edit)
        self.pattern = QLineEdit(_DEFAULT_PATTERN)
        self.pattern.setAcceptDrops(False)
        self.pattern.setAccessibleName(PATTERN.label)
        self.pattern.setToolTip(PATTERN.tooltip)
        self.pattern.textEdited.connect(lambda _: self.changed.emit())
        self.example = make_label()
        self._lay_out()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        rows = QFormLayout()
        column.addLayout(rows)
        column.addWidget(self.example)
        self.example.setContentsMargins(LABEL_WIDTH + rows.horizontalSpacing(), 0, 0, 0)
        for words, field in ((TARGET, self.folder), (PATTERN, self.pattern)):
            label = QLabel(words.label)
            label.setMinimumWidth(LABEL_WIDTH)
            label.setToolTip(words.tooltip)
            rows.addRow(label, field)

    def suggest(self, sources: Sequence[Path], file_format: Format) -> None:
        """Suggest a folder beside the sources, unless the user entered one."""
        if self.is_edited or not sources:
            return
        ending = file_format.suffixes[0].lstrip(".").replace(".", "-")
        first = Path(os.path.abspath(sources[0].expanduser()))  # noqa: PTH100 - drops ``..``
        folder = first if len(sources) == 1 and not known_suffix(first.name) else first.parent
        self.folder.show_path(str(folder.with_name(f"{folder.name}-{ending}")))

    def restore(self, folder: str, pattern: str) -> None:
        """Enter a stored folder and pattern."""
        self.is_edited = bool(folder)
        self.folder.show_path(folder)
        self.pattern.setText(pattern or _DEFAULT_PATTERN)

    def naming(self, file_format: Format) -> Naming:
        """Return the names of the targets.

        Raises
        ------
        FerryError
            The folder is empty, or the pattern is not valid.
        """
        text, pattern = self.folder.text, self.pattern.text().strip() or _DEFAULT_PATTERN
        if not text:
            raise TargetError("The folder for the new files is empty: enter one, or browse.")
        own = known_suffix(pattern).lower()
        suffix = own if own in file_format.suffixes else file_format.suffixes[0]
        return Naming(folder=to_path(text, TargetError), pattern=pattern, suffix=suffix)

    def show_example(self, source: Input | None, count: int, file_format: Format) -> None:
        """Show the name of the first of some files before and after, or why there is none."""
        try:
            naming = self.naming(file_format)
            self.example.setText("" if source is None else _example(source, count, naming))
        except FerryError as error:
            self.example.setText(in_form_words(str(error)) if self.folder.text else "")

    def _on_edit(self) -> None:
        self.is_edited = bool(self.folder.text)
        self.changed.emit()


def _example(source: Input, count: int, naming: Naming) -> str:
    named = NamedSource(source.source, source.folder, source.files)
    target = naming.name_target(named, 1, count)
    return f"{Path(source.source).name} → {os.path.relpath(target, naming.folder)}"
