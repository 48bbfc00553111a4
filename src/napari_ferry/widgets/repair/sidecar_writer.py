"""Writing of sidecars, once the user has agreed to replace existing ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from napari.utils.notifications import show_info
from qtpy.QtCore import QObject, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_ferry.codecs.binary.calibration import Calibration, Field
from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.codecs.binary.sidecar import sidecar_path
from napari_ferry.codecs.binary.sidecar_plan import plan_sidecar, write_sidecar
from napari_ferry.codecs.binary.sidecar_search import one_per_sidecar
from napari_ferry.errors import FerryError
from napari_ferry.widgets.form import escape_text
from napari_ferry.widgets.worker import BackgroundWorker

_MAX_NAMES = 5
"""Names or losses listed in a message before the others are only counted."""

Losses = Mapping[str, Sequence[Path]]
"""Sidecars with each loss, by the description of the loss."""


class SidecarRequest(NamedTuple):
    """Sidecars to write: the layout of each raw file, its calibration, and its edited fields."""

    layouts: Mapping[Path, Layout]
    calibration: Calibration
    edited: Collection[Field]


class WrittenSidecars(NamedTuple):
    """Paths of new sidecars and of backups, and the error after them, if any."""

    paths: list[Path]
    backups: list[Path]
    error: str


class SidecarWriter(QObject):
    """Writes sidecars in another thread, and asks before it replaces any.

    Parameters
    ----------
    parent : QWidget
        Parent of the question.
    """

    written = Signal(object)
    """`WrittenSidecars`, when all are written or one failed."""

    failed = Signal(object)
    """Exception raised before anything was written."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._parent = parent
        self._worker = BackgroundWorker(self)
        self._worker.failed.connect(self.failed)

    def write(self, request: SidecarRequest, left_out: Sequence[Path]) -> None:
        """Write sidecars; report losses and the files left out in a question first."""
        self._worker.call(
            lambda: find_losses(request), lambda losses: self._ask(request, left_out, losses)
        )

    def _ask(self, request: SidecarRequest, left_out: Sequence[Path], losses: Losses) -> None:
        if confirm(self._parent, request, left_out, losses):
            self._worker.call(lambda: write_all(request), self._on_written)

    def _on_written(self, written: WrittenSidecars) -> None:
        if written.paths:
            show_info(describe_written(written))
        self.written.emit(written)


def find_losses(request: SidecarRequest) -> dict[str, list[Path]]:
    """Return the metadata of existing sidecars to be lost, with the sidecars affected.

    Raises
    ------
    InvalidImageError
        Files share a sidecar and have different layouts.
    """
    losses: dict[str, list[Path]] = {}
    for data, layout in one_per_sidecar(request.layouts).items():
        planned = plan_sidecar(
            data, layout, request.calibration, edited=request.edited, whole_frames=True
        )
        for loss in planned.losses:
            losses.setdefault(loss, []).append(planned.paths[0])
    return losses


def confirm(
    parent: QWidget, request: SidecarRequest, left_out: Sequence[Path], losses: Losses
) -> bool:
    """Ask once about all sidecars to write; a single new one needs no question.

    Parameters
    ----------
    parent : QWidget
        Parent of the question.
    request : SidecarRequest
        Sidecars to write.
    left_out : sequence of Path
        Raw files without a new sidecar.
    losses : mapping
        Losses, as returned by `find_losses`.
    """
    files = list(request.layouts)
    existing = [path for file in files if (path := sidecar_path(file)).exists()]
    if not existing and len(files) < 2:
        return True

    count = "1 sidecar" if len(files) == 1 else f"{len(files):,} sidecars"
    paragraphs = [f"Write {count} in {files[0].parent}?"]
    if existing:
        paragraphs.append(
            f"Replaced, with the old file kept as .json.bak (or with a number): {_names(existing)}."
        )
        paragraphs.append(_describe_losses(losses, is_single=len(existing) == 1))
    if left_out:
        paragraphs.append(f"Left out, as the layout does not fit: {_names(left_out)}.")
    answer = QMessageBox.question(parent, "Write sidecars?", escape_text("\n\n".join(paragraphs)))
    return bool(answer == QMessageBox.StandardButton.Yes)


def write_all(request: SidecarRequest) -> WrittenSidecars:
    """Write sidecars until one cannot be written."""
    paths: list[Path] = []
    backups: list[Path] = []
    options: dict[str, Any] = {"edited": request.edited, "overwrite": True, "whole_frames": True}
    for data, layout in one_per_sidecar(request.layouts).items():
        try:
            path, backup = write_sidecar(data, layout, request.calibration, **options)
        except FerryError as error:
            return WrittenSidecars(paths, backups, str(error))
        paths.append(path)
        if backup is not None:
            backups.append(backup)
    return WrittenSidecars(paths, backups, "")


def describe_written(written: WrittenSidecars) -> str:
    """Return a notice with the paths of sidecars and backups."""
    paths, backups = written.paths, written.backups
    if len(paths) == 1:
        text = f"Wrote {paths[0]}"
    else:
        text = f"Wrote {len(paths)} sidecars in {paths[0].parent}"
    if not backups:
        return f"{text}."
    previous = "the previous one is" if len(backups) == 1 else "the previous ones are"
    return f"{text}; {previous} kept as {_names(backups)}."


def _describe_losses(losses: Losses, *, is_single: bool) -> str:
    text = "Its other metadata is kept" if is_single else "Their other metadata is kept"
    if not losses:
        return f"{text}."
    lines = [
        f"• {loss}" if is_single else f"• {_names(paths)}: {loss}"
        for loss, paths in list(losses.items())[:_MAX_NAMES]
    ]
    more = [f"• and {len(losses) - _MAX_NAMES} more"] if len(losses) > _MAX_NAMES else []
    return "\n".join([f"{text}, but:", *lines, *more])


def _names(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - _MAX_NAMES} more" if len(paths) > _MAX_NAMES else ""
    return ", ".join(path.name for path in paths[:_MAX_NAMES]) + more
