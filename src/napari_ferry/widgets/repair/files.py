"""Selection of the raw file to repair, or of several files of one camera."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from qtpy.QtCore import QSignalBlocker, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_ferry.codecs.binary.described import data_file
from napari_ferry.codecs.binary.layout import Layout, count_frames
from napari_ferry.codecs.binary.sidecar import RAW_SUFFIXES, raw_files
from napari_ferry.widgets.form import escape_text
from napari_ferry.widgets.help_button import HelpButton
from napari_ferry.widgets.repair import repair_words
from napari_ferry.widgets.repair.sentences import file_line

_ROWS = 4
"""Rows of the list visible at once."""

_SPACING = 4
"""Pixels between the buttons: there is little room for the path."""


class RawFiles(NamedTuple):
    """Size of each raw file in bytes, and the opened file or folder."""

    path: Path
    sizes: dict[Path, int]


class FileSelector(QWidget):
    """Field for a file or folder, and a list to choose from several files."""

    paths_entered = Signal(object)
    """List of paths entered by the user or chosen in a dialog."""

    file_selected = Signal()
    """Another file of the list was selected."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[Path] = []
        self.sizes: dict[Path, int] = {}
        self._make_parts()
        self._lay_out()
        self.line.returnPressed.connect(self._on_enter)
        self.file_button.clicked.connect(self._browse_file)
        self.folder_button.clicked.connect(self._browse_folder)
        self.list.currentRowChanged.connect(self._on_row)

    def _make_parts(self) -> None:
        self.line = QLineEdit()
        self.line.setPlaceholderText(repair_words.FILE_PLACEHOLDER)
        self.line.setAccessibleName(repair_words.FILE_LINE.label)
        self.line.setToolTip(repair_words.FILE_LINE.tooltip)
        self.file_button, self.folder_button = QPushButton(), QPushButton()
        for button, each in (
            (self.file_button, repair_words.FILE_BUTTON),
            (self.folder_button, repair_words.FOLDER_BUTTON),
        ):
            button.setText(each.label)
            button.setToolTip(each.tooltip)
        self.help_button = HelpButton(repair_words.HELP_PAGE)

        self.list = QListWidget()
        self.list.setAccessibleName(repair_words.FILE_LIST.label)
        self.list.setToolTip(repair_words.FILE_LIST.tooltip)
        self.list.setMaximumHeight(self.fontMetrics().lineSpacing() * (_ROWS + 1) + 12)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.hide()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(_SPACING)
        for part in (self.line, self.file_button, self.folder_button, self.help_button):
            row.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.list)

    @property
    def current(self) -> Path | None:
        """The selected file, or None without files."""
        row = max(0, self.list.currentRow())
        return self.paths[row] if row < len(self.paths) else None

    @property
    def nbytes(self) -> int:
        """Size of the selected file in bytes."""
        return 0 if self.current is None else self.sizes[self.current]

    def set_files(self, files: RawFiles) -> None:
        """Replace the files and select the first one."""
        self.sizes = files.sizes
        self.paths = list(self.sizes)
        self._show_path(files.path)
        with QSignalBlocker(self.list):
            self.list.clear()
            self.list.addItems([path.name for path in self.paths])
            self.list.setCurrentRow(0)
        self.list.setVisible(len(self.paths) > 1)

    def show_counts(self, layout: Layout) -> None:
        """Show the number of frames in each file for a layout, or the remaining bytes."""
        for row, path in enumerate(self.paths):
            count, rest = count_frames(self.sizes[path], layout)
            item = self.list.item(row)
            if item is not None:
                item.setText(f"{path.name}: {file_line(count, rest)}")
                item.setToolTip(escape_text(str(path)))

    def count_fitting(self, layout: Layout) -> dict[Path, int]:
        """Return the number of frames of each file with whole frames and no remaining bytes."""
        counts = {path: count_frames(self.sizes[path], layout) for path in self.paths}
        return {path: count for path, (count, rest) in counts.items() if count and not rest}

    def _show_path(self, path: Path) -> None:
        self.line.setText(str(path))
        self.line.setToolTip(escape_text(f"{path}\n{repair_words.FILE_LINE.tooltip}"))

    def _on_row(self, row: int) -> None:
        if 0 <= row < len(self.paths):
            self._show_path(self.paths[row])
            self.file_selected.emit()

    def _on_enter(self) -> None:
        text = self.line.text().strip()
        if text:
            self.paths_entered.emit([Path(text)])

    def _browse_file(self) -> None:
        patterns = " ".join(f"*{suffix}" for suffix in RAW_SUFFIXES)
        path, _ = QFileDialog.getOpenFileName(
            self, repair_words.FILE_TITLE, self._folder(), f"Raw files ({patterns});;All files (*)"
        )
        if path:
            self.paths_entered.emit([Path(path)])

    def _browse_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, repair_words.FOLDER_TITLE, self._folder())
        if path:
            self.paths_entered.emit([Path(path)])

    def _folder(self) -> str:
        return "" if self.current is None else str(self.current.parent)


def list_raw_files(paths: Sequence[Path]) -> RawFiles:
    """List raw files with their sizes; a folder is replaced by its raw files.

    Parameters
    ----------
    paths : sequence of Path
        Folders, and raw files, their sidecars or their headers.

    Raises
    ------
    UnreadableFileError, OSError
        A raw file does not exist, or a folder cannot be read.
    """
    named = [data_file(path) if path.is_file() else path for path in paths]
    files = [file for path in named for file in (raw_files(path) if path.is_dir() else [path])]
    return RawFiles(named[0], {path: path.stat().st_size for path in files})
