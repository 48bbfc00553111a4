"""Summary of a layout, and buttons to open the file or write its sidecar."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_ferry.codecs.binary.fit import fits, remaining_bytes
from napari_ferry.codecs.binary.layout import Layout, count_frames
from napari_ferry.saving.progress import size_text

_MARGIN = 6


class ResultPanel(QWidget):
    """Summary of the current layout, and buttons to use it."""

    open_clicked = Signal()
    """The user wants to keep the preview."""

    write_clicked = Signal(bool)
    """The user wants to write the sidecar of the current file, or (true) of all files."""

    def __init__(self) -> None:
        super().__init__()
        self._make_parts()
        self._lay_out()
        self.open_button.clicked.connect(lambda _: self.open_clicked.emit())
        self.write_button.clicked.connect(lambda: self.write_clicked.emit(False))
        self.all_button.clicked.connect(lambda: self.write_clicked.emit(True))
        self.show_nothing("")

    def _make_parts(self) -> None:
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.summary.setAccessibleName("Summary of the layout")

        self.open_button, self.write_button = QPushButton("Open"), QPushButton("Write sidecar")
        self.open_button.setToolTip("Keep the preview as a layer of the viewer.")
        self.write_button.setToolTip(
            "Write layout, scale and units to a JSON file next to the raw file. From then on the "
            "raw file opens directly. The raw file itself is not changed."
        )
        self.all_button = QPushButton()
        self.all_button.setToolTip(
            "Write a sidecar with the same layout next to every file that it fits."
        )

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.open_button)
        row.addWidget(self.write_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, 0, _MARGIN, _MARGIN)
        column.addWidget(self.summary)
        column.addLayout(row)
        column.addWidget(self.all_button)

    def show_layout(self, nbytes: int, layout: Layout, *, nfitting: int, nfiles: int) -> None:
        """Describe a layout of a file, and enable the buttons.

        Parameters
        ----------
        nbytes : int
            Size of the file in bytes.
        layout : Layout
            The layout.
        nfitting, nfiles : int
            Number of files that it fits, and of all files.
        """
        count, _ = count_frames(nbytes, layout)
        whole = min(count, layout.frames)
        is_truncated = whole > 0 and not fits(nbytes, layout)

        self.summary.setText(_summary(nbytes, layout))
        self.open_button.setEnabled(whole > 0)
        self.open_button.setText(f"Open {whole:,} frames" if is_truncated else "Open")
        self.write_button.setEnabled(whole > 0)
        self.write_button.setText(
            f"Write sidecar for {whole:,} frames" if is_truncated else "Write sidecar"
        )

        self.all_button.setVisible(nfiles > 1)
        self.all_button.setEnabled(nfitting > 0)
        self.all_button.setText(f"Write sidecars for {nfitting} files")

    def show_nothing(self, reason: str) -> None:
        """Disable the buttons, and show the reason."""
        self.summary.setText(reason)
        self.open_button.setText("Open")
        self.open_button.setEnabled(False)
        self.write_button.setText("Write sidecar")
        self.write_button.setEnabled(False)
        self.all_button.hide()


def _summary(nbytes: int, layout: Layout) -> str:
    count, rest = count_frames(nbytes, layout)
    size = f"{layout.y} × {layout.x} pixels"
    if fits(nbytes, layout):
        frames = f"{layout.frames:,} frame" if layout.frames == 1 else f"{layout.frames:,} frames"
        return f"{frames} of {size} fill the whole file ({size_text(nbytes)})."
    if not count:
        return f"The file is smaller than one frame of {size}: it has {nbytes:,} bytes."

    remaining = remaining_bytes(nbytes, layout)
    if remaining > 0:
        problem = f"{remaining:,} bytes remain after the {layout.frames:,} frames"
    else:
        problem = f"The file ends within frame {count + 1:,}, after {rest:,} bytes of it"
    return f"{problem}. Only the whole frames can be opened and described; the rest is ignored."
