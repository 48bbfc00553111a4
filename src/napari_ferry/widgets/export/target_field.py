"""Field for the file to export to: suggested, typed, or chosen in a dialog."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from napari_ferry.errors import InvalidImageError
from napari_ferry.io.search import suffixes
from napari_ferry.plugin.target_name import with_suffix
from napari_ferry.widgets.form_words import TARGET
from napari_ferry.widgets.plan_summary import Format

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
"""Characters not allowed in file names by some operating system."""

_MAX_LENGTH = 80
"""Characters of a suggested name: file systems allow 255 bytes."""

_DEFAULT_STEM = "layers"


class FolderLookup(NamedTuple):
    """Result of looking for a folder: the text, True if it names a folder, or an error."""

    text: str
    is_folder: bool = False
    error: OSError | RuntimeError | ValueError | None = None

    @classmethod
    def of(cls, text: str) -> FolderLookup:
        """Look for the folder named by a text."""
        try:
            return cls(text, Path(text).expanduser().is_dir())
        except (OSError, RuntimeError, ValueError) as error:
            return cls(text, error=error)


class TargetField(QWidget):
    """Line edit for the path of the file, and a button for a dialog."""

    changed = Signal()
    """The user typed or chose another path."""

    def __init__(self, file_format: Format, folder: Path) -> None:
        super().__init__()
        self.format = file_format
        self.folder = folder
        self.suggested = _DEFAULT_STEM
        self.is_edited = False
        self.found: FolderLookup | None = None

        self.line = QLineEdit()
        self.line.setAccessibleName(TARGET.label)
        self.line.setToolTip(TARGET.tooltip)
        self.line.textEdited.connect(self._on_edit)
        self.browse = QPushButton("Browse...")
        self.browse.clicked.connect(self._on_browse)

        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        label = QLabel(TARGET.label)
        label.setToolTip(TARGET.tooltip)
        label.setBuddy(self.line)
        row.addWidget(label)
        row.addWidget(self.line)
        row.addWidget(self.browse)

    def set_format(self, file_format: Format) -> None:
        """Replace the suffix by the first one of a format, unless it is another of them."""
        self.format = file_format
        text = self.line.text().strip()
        if text.lower().endswith(file_format.suffixes):
            return
        path = Path(text)
        with suppress(OSError, RuntimeError, ValueError):
            if text and self._is_folder(text, path.expanduser()):
                return
        known = [suffix for suffix in suffixes() if path.name.lower().endswith(suffix)]
        stem = path.name[: -len(max(known, key=len))] if known else path.name
        self.line.setText(str(path.parent / ((stem or _DEFAULT_STEM) + file_format.suffixes[0])))

    def suggest(self, name: str) -> None:
        """Suggest a file named after a layer, unless the user entered a path."""
        self.suggested = _UNSAFE.sub("-", name)[:_MAX_LENGTH].strip(" .") or _DEFAULT_STEM
        if not self.is_edited:
            self.line.setText(str(self.folder / (self.suggested + self.format.suffixes[0])))

    def lookup(self) -> Callable[[], FolderLookup]:
        """Return a function to look up the entered path in a thread.

        A folder of a network may take seconds. The other methods use its result if it is stored in
        `found`, and if the text is still the same.
        """
        text = self.line.text().strip()
        return lambda: FolderLookup.of(text)

    def _is_folder(self, text: str, path: Path) -> bool:
        """Return True for an existing folder, or for a path with a separator at its end."""
        if text.endswith(("/", os.sep)):
            return True
        if self.found is None or self.found.text != text:
            self.found = FolderLookup.of(text)
        if self.found.error is not None:
            raise self.found.error
        return self.found.is_folder and path.suffix not in suffixes()

    def path(self) -> Path:
        """Return the path of the file to save.

        Raises
        ------
        InvalidImageError, UnsupportedFormatError
            The name is empty, or has the suffix of another format.
        """
        text = self.line.text().strip()
        if not text:
            raise InvalidImageError("The file name is empty: enter one, or click Browse.")
        try:
            path = Path(text).expanduser()
            if self._is_folder(text, path):
                path = path / self.suggested
        except (OSError, RuntimeError, ValueError) as error:
            raise InvalidImageError(
                f"{Path(text).name or text} cannot be looked up ({error}): type another path, or "
                "click Browse."
            ) from error
        return with_suffix(path, self.format.suffixes)

    @property
    def chosen_folder(self) -> Path:
        """Folder typed or chosen by the user."""
        text = self.line.text().strip()
        path = Path(text)
        with suppress(OSError, RuntimeError, ValueError):
            path = path.expanduser()
            return path if self._is_folder(text, path) else path.parent
        return path.parent

    def _on_edit(self, text: str) -> None:
        self.is_edited = bool(text.strip())
        self.changed.emit()

    def _on_browse(self) -> None:
        pattern = " ".join(f"*{suffix}" for suffix in self.format.suffixes)
        path, _ = QFileDialog.getSaveFileName(
            self,
            "Export",
            self.line.text(),
            f"{self.format.title} ({pattern})",
            # asked once, on export
            options=QFileDialog.Option.DontConfirmOverwrite,
        )
        if path:
            self.line.setText(path)
            self._on_edit(path)
