"""Where an export goes: a name that is suggested, typed, or chosen in a dialog."""

from __future__ import annotations

import re
from pathlib import Path

from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

from napari_ferry.errors import InvalidImageError
from napari_ferry.io import suffixes, with_suffix
from napari_ferry.widgets.summary import Format

_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
"""What some system does not take in names."""

_LONGEST = 80
"""Characters of a name that is suggested: systems take 255 bytes."""


class Where(QWidget):
    """A field with the file to make, and a button that browses for one."""

    changed = Signal()
    """Another name was typed or chosen."""

    def __init__(self, form: Format, folder: Path) -> None:
        super().__init__()
        self.form = form
        self.folder = folder
        self.is_named = False
        self.path = QLineEdit()
        self.path.setAccessibleName("File to make")
        self.path.setToolTip("The file to make; its folder is remembered.")
        self.path.textEdited.connect(self._on_typed)
        self.browse = QPushButton("Browse…")
        self.browse.clicked.connect(self._on_browse)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.path)
        row.addWidget(self.browse)

    def set_format(self, form: Format) -> None:
        """Give the name the suffix of a format."""
        self.form = form
        path = Path(self.path.text().strip())
        known = [suffix for suffix in suffixes() if path.name.lower().endswith(suffix)]
        stem = path.name[: -len(max(known, key=len))] if known else path.name
        self.path.setText(str(path.parent / ((stem or "layers") + form.suffixes[0])))

    def suggest(self, name: str) -> None:
        """Suggest the name of a layer, unless somebody has named the file."""
        if not self.is_named:
            stem = _UNSAFE.sub("-", name)[:_LONGEST].strip(" .") or "layers"
            self.path.setText(str(self.folder / (stem + self.form.suffixes[0])))

    def target(self) -> Path:
        """Return the file that is to be made.

        Raises
        ------
        InvalidImageError, UnsupportedFormatError
            No name, or one of another format.
        """
        text = self.path.text().strip()
        if not text or not Path(text).name:
            raise InvalidImageError("There is no name yet: type one, or browse for a place.")
        return with_suffix(Path(text).expanduser(), self.form.suffixes)

    def _on_typed(self, text: str) -> None:
        self.is_named = bool(text.strip())
        self.changed.emit()

    def _on_browse(self) -> None:
        pattern = " ".join(f"*{suffix}" for suffix in self.form.suffixes)
        found, _ = QFileDialog.getSaveFileName(
            self,
            "Export layers",
            self.path.text(),
            f"{self.form.title} ({pattern})",
            options=QFileDialog.Option.DontConfirmOverwrite,  # asked once, when it is exported
        )
        if found:
            self.path.setText(found)
            self._on_typed(found)
