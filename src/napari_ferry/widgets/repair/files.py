"""The raw files of a repair: one, or those of a camera, of which one is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

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

from napari_ferry.codecs.binary.layout import Layout, count_frames
from napari_ferry.codecs.binary.sidecar import RAW_SUFFIXES, raw_files

_LINES = 4


class Files(QWidget):
    """A field for the file or folder, and the list of files where there are several."""

    wanted = Signal(object)
    """Another file or folder, a list of paths, that somebody named."""

    chosen = Signal()
    """Another file of the list is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: list[Path] = []
        self.sizes: dict[Path, int] = {}
        self.path = QLineEdit()
        self.path.setPlaceholderText("drop a file or folder")
        self.path.setAccessibleName("File or folder to repair")
        self.path.setToolTip("The raw file, or the folder of a camera's raw files.")
        self.file_button, self.folder_button = QPushButton("File…"), QPushButton("Folder…")
        self.file_button.setToolTip("Choose a raw file.")
        self.folder_button.setToolTip("Choose a folder, whose raw files get one layout.")
        self.list = QListWidget()
        self.list.setAccessibleName("Files")
        self.list.setToolTip("The files, and how many frames each has; choose one to look at it.")
        self.list.setMaximumHeight(self.fontMetrics().lineSpacing() * (_LINES + 1) + 12)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.hide()
        self._lay_out()
        self.path.returnPressed.connect(self._on_typed)
        self.file_button.clicked.connect(self._browse_file)
        self.folder_button.clicked.connect(self._browse_folder)
        self.list.currentRowChanged.connect(self._on_row)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        for part in (self.path, self.file_button, self.folder_button):
            row.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.list)

    @property
    def current(self) -> Path | None:
        """The file that is looked at."""
        row = max(0, self.list.currentRow())
        return self.paths[row] if row < len(self.paths) else None

    @property
    def nbytes(self) -> int:
        """Its size."""
        return 0 if self.current is None else self.sizes[self.current]

    def set_paths(self, paths: Sequence[Path]) -> None:
        """Look at the first of other files; folders stand for the raw files in them."""
        named = [file for path in paths for file in (raw_files(path) if path.is_dir() else [path])]
        self.sizes = {path: path.stat().st_size for path in named}
        self.paths = list(self.sizes)
        self._show_path(paths[0])
        with QSignalBlocker(self.list):
            self.list.clear()
            self.list.addItems([path.name for path in self.paths])
            self.list.setCurrentRow(0)
        self.list.setVisible(len(self.paths) > 1)

    def show_counts(self, layout: Layout) -> None:
        """Say of each file how many frames of a layout it holds, or what is left over."""
        for row, path in enumerate(self.paths):
            count, rest = count_frames(self.sizes[path], layout)
            left = f"{rest:,} bytes remain" if count else "no whole frame"
            says = f"{count:,} frames" if count and not rest else f"left out, {left}"
            item = self.list.item(row)
            if item is not None:
                item.setText(f"{path.name}: {says}")
                item.setToolTip(str(path))

    def fitting(self, layout: Layout) -> dict[Path, int]:
        """Return the files that hold whole frames of a layout and nothing else, and how many."""
        counts = {path: count_frames(self.sizes[path], layout) for path in self.paths}
        return {path: count for path, (count, rest) in counts.items() if count and not rest}

    def _show_path(self, path: Path) -> None:
        self.path.setText(str(path))
        self.path.setToolTip(f"{path}: the raw file, or the folder of a camera's raw files.")

    def _on_row(self, row: int) -> None:
        if 0 <= row < len(self.paths):
            self._show_path(self.paths[row])
            self.chosen.emit()

    def _on_typed(self) -> None:
        text = self.path.text().strip()
        if text:
            self.wanted.emit([Path(text)])

    def _browse_file(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in RAW_SUFFIXES)
        found, _ = QFileDialog.getOpenFileName(
            self, "Raw file", self._folder(), f"Raw files ({kinds});;All files (*)"
        )
        if found:
            self.wanted.emit([Path(found)])

    def _browse_folder(self) -> None:
        found = QFileDialog.getExistingDirectory(self, "Folder of raw files", self._folder())
        if found:
            self.wanted.emit([Path(found)])

    def _folder(self) -> str:
        return "" if self.current is None else str(self.current.parent)
