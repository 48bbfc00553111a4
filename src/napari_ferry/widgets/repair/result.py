"""What a layout makes of its file, and the buttons that open it or write its sidecar."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QLabel, QMessageBox, QPushButton, QVBoxLayout, QWidget

from napari_ferry.codecs.binary.calibration import Calibration, Field
from napari_ferry.codecs.binary.fit import fits, remaining_bytes
from napari_ferry.codecs.binary.layout import Layout, count_frames
from napari_ferry.codecs.binary.sidecar import sidecar_path
from napari_ferry.codecs.binary.sidecar_plan import plan_sidecar, write_sidecar
from napari_ferry.codecs.binary.sidecar_search import one_per_sidecar
from napari_ferry.errors import FerryError
from napari_ferry.saving.progress import size_text

_MARGIN = 6
_NAMED = 5
"""Files that a sentence names before it counts the others."""


class Wanted(NamedTuple):
    """Sidecars that are to be written: of which files, and what they are to say."""

    layouts: Mapping[Path, Layout]
    meaning: Calibration
    by_hand: Collection[Field]


class Written(NamedTuple):
    """What came of writing sidecars: where they are, what is kept, and why it ended early."""

    paths: list[Path]
    kept: list[Path]
    error: str


class Result(QWidget):
    """What can be done with the layout that is shown."""

    open_wanted = Signal()
    """The preview is to stay."""

    write_wanted = Signal(bool)
    """The sidecar of the file is to be written; true: those of all files."""

    def __init__(self) -> None:
        super().__init__()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.summary.setAccessibleName("What the layout makes of the file")
        self.open_button, self.write_button = QPushButton("Open"), QPushButton("Write sidecar")
        self.open_button.setToolTip("Keep what is shown as a layer of the viewer.")
        self.write_button.setToolTip(
            "Store the layout, scales and units in a JSON file beside the raw file, so that it "
            "opens by itself from now on; the raw file stays as it is."
        )
        self.all_button = QPushButton()
        self.all_button.setToolTip("Store the same layout beside every file that it fits.")
        row = QHBoxLayout()
        row.addWidget(self.open_button)
        row.addWidget(self.write_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, 0, _MARGIN, _MARGIN)
        column.addWidget(self.summary)
        column.addLayout(row)
        column.addWidget(self.all_button)
        self.open_button.clicked.connect(lambda _: self.open_wanted.emit())
        self.write_button.clicked.connect(lambda: self.write_wanted.emit(False))
        self.all_button.clicked.connect(lambda: self.write_wanted.emit(True))
        self.show_nothing("")

    def show_layout(self, nbytes: int, layout: Layout, count_all: int, of: int) -> None:
        """Say what a layout makes of a file of `nbytes`, and of how many others.

        Parameters
        ----------
        nbytes : int
            Size of the file.
        layout : Layout
            The layout.
        count_all, of : int
            How many of how many files it fits.
        """
        is_fit = fits(nbytes, layout)
        count, _ = count_frames(nbytes, layout)
        whole = min(count, layout.frames)
        self.summary.setText(_summary(nbytes, layout))
        self.open_button.setEnabled(whole > 0)
        self.open_button.setText("Open" if is_fit or not whole else f"Open {whole:,} frames")
        self.write_button.setEnabled(whole > 0)
        cut = "" if is_fit or not whole else f" of {whole:,} frames"
        self.write_button.setText(f"Write sidecar{cut}")
        self.all_button.setVisible(of > 1)
        self.all_button.setEnabled(count_all > 0)
        self.all_button.setText(f"Write the sidecars of {count_all} files")

    def show_nothing(self, why: str) -> None:
        """Say why nothing can be done."""
        self.summary.setText(why)
        self.open_button.setText("Open")
        self.open_button.setEnabled(False)
        self.write_button.setText("Write sidecar")
        self.write_button.setEnabled(False)
        self.all_button.hide()


def find_losses(wanted: Wanted) -> dict[str, list[Path]]:
    """Return what sidecars say that would be replaced, and their successors will not: which do.

    Raises
    ------
    InvalidImageError
        Files share a sidecar and have different layouts.
    """
    losses: dict[str, list[Path]] = {}
    for data, layout in one_per_sidecar(wanted.layouts).items():
        planned = plan_sidecar(
            data, layout, wanted.meaning, edited=wanted.by_hand, whole_frames=True
        )
        for loss in planned.losses:
            losses.setdefault(loss, []).append(planned.paths[0])
    return losses


def may_write(
    parent: QWidget, wanted: Wanted, left: Sequence[Path], losses: Mapping[str, Sequence[Path]]
) -> bool:
    """Ask once about all sidecars that would be written, where there is anything to ask.

    Parameters
    ----------
    parent : QWidget
        Where the question is shown.
    wanted : Wanted
        What would be written.
    left : sequence of Path
        Those that get no sidecar.
    losses : mapping
        What is not taken over from sidecars, as `find_losses` returns it.
    """
    files = list(wanted.layouts)
    standing = [path for file in files if (path := sidecar_path(file)).exists()]
    if not standing and len(files) < 2:
        return True
    said = [f"Write {_counted(len(files), 'sidecar')} in {files[0].parent}?"]
    if standing:
        said.append(f"Replaced, and kept as .json.bak, or with a number: {_names(standing)}.")
        said.append(_describe_losses(losses, is_one=len(standing) == 1))
    if left:
        said.append(f"Left out, as the layout does not fit them: {_names(left)}.")
    answer = QMessageBox.question(parent, "Write sidecars?", "\n\n".join(said))
    return bool(answer == QMessageBox.StandardButton.Yes)


def write_all(wanted: Wanted) -> Written:
    """Write the sidecars of raw files, until one cannot be written."""
    paths: list[Path] = []
    kept: list[Path] = []
    options: dict[str, Any] = {"edited": wanted.by_hand, "overwrite": True, "whole_frames": True}
    for data, layout in one_per_sidecar(wanted.layouts).items():
        try:
            path, before = write_sidecar(data, layout, wanted.meaning, **options)
        except FerryError as error:
            return Written(paths, kept, str(error))
        paths.append(path)
        kept += [before] if before else []
    return Written(paths, kept, "")


def describe_written(done: Written) -> str:
    """Say where sidecars are, and where those are that were there before."""
    said = f"{done.paths[0]} was written"
    if len(done.paths) > 1:
        said = f"{len(done.paths)} sidecars were written in {done.paths[0].parent}"
    before = "the one before is" if len(done.kept) == 1 else "those before are"
    return f"{said}; {before} {_names(done.kept)}." if done.kept else f"{said}."


def _describe_losses(losses: Mapping[str, Sequence[Path]], *, is_one: bool) -> str:
    kept = f"What else {'it says' if is_one else 'they say'} of the recording is taken over"
    if not losses:
        return f"{kept}."
    lines = [
        f"• {loss}" if is_one else f"• {_names(paths)}: {loss}"
        for loss, paths in list(losses.items())[:_NAMED]
    ]
    more = [f"• and {len(losses) - _NAMED} more"] if len(losses) > _NAMED else []
    return "\n".join([f"{kept}, but:", *lines, *more])


def _summary(nbytes: int, layout: Layout) -> str:
    count, rest = count_frames(nbytes, layout)
    size = f"{layout.y} × {layout.x}"
    if fits(nbytes, layout):
        return f"{_counted(layout.frames, 'frame')} of {size}: all of the {size_text(nbytes)}."
    if not count:
        return f"The file has not even one frame of {size}: it holds {nbytes:,} bytes."
    more = remaining_bytes(nbytes, layout)
    what = (
        f"{more:,} bytes remain after the {layout.frames:,} frames"
        if more > 0
        else f"The file ends within frame {count + 1:,}, {rest:,} bytes of which are there"
    )
    return f"{what}. The whole frames can be opened and described; the rest is left aside."


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'s' * (count != 1)}"


def _names(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return ", ".join(path.name for path in paths[:_NAMED]) + more
