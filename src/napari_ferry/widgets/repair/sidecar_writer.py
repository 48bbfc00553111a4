"""Writing of sidecars, once the user has agreed to replace existing ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from qtpy.QtCore import QObject, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_ferry.codecs.binary.calibration import Calibration, Field
from napari_ferry.codecs.binary.layout import Layout
from napari_ferry.codecs.binary.sidecar import sidecar_path
from napari_ferry.codecs.binary.sidecar_check import SidecarStatus, read_sidecar_status
from napari_ferry.codecs.binary.sidecar_plan import plan_sidecar, write_sidecar
from napari_ferry.codecs.binary.sidecar_search import one_per_sidecar
from napari_ferry.errors import FerryError
from napari_ferry.plugin.notice import notify
from napari_ferry.saving.disk.backup import free_backup_path
from napari_ferry.widgets.repair.sentences import (
    Question,
    error_sentence,
    not_written,
    replace_question,
    write_question,
    written,
)
from napari_ferry.widgets.worker import BackgroundWorker

Losses = Mapping[str, Sequence[Path]]
"""Sidecars with each loss, by the description of the loss."""


class SidecarRequest(NamedTuple):
    """Sidecars to write: the layout of each raw file, its calibration, and its edited fields.

    The sidecar of the current file is read again once it was written.
    """

    current: Path
    layouts: Mapping[Path, Layout]
    calibration: Calibration
    edited: Collection[Field]


class WrittenSidecars(NamedTuple):
    """Paths of new sidecars and of backups, the error after them, and the new status, if any."""

    paths: list[Path]
    backups: list[Path]
    error: str
    status: SidecarStatus | None = None


class SidecarWriter(QObject):
    """Writer of sidecars in another thread; it asks before replacing any.

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
            lambda: make_question(request, left_out, find_losses(request)),
            lambda question: self._ask(request, question),
        )

    def _ask(self, request: SidecarRequest, question: Question | None) -> None:
        if question is None:
            self._write(request)
            return
        box = QMessageBox(
            QMessageBox.Icon.Question, question.title, question.text, parent=self._parent
        )
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText(question.explanation)
        agree = box.addButton(question.agree, QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(QMessageBox.StandardButton.Cancel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        assert agree is not None
        agree.clicked.connect(lambda: self._write(request))
        box.open()  # unlike `exec`, this returns: the rest of the program goes on

    def _write(self, request: SidecarRequest) -> None:
        self._worker.call(lambda: write_and_read(request), self._on_written)

    def _on_written(self, result: WrittenSidecars) -> None:
        if result.paths:
            notify(written(result.paths, result.backups))
        self.written.emit(result)


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


def make_question(
    request: SidecarRequest, left_out: Sequence[Path], losses: Losses
) -> Question | None:
    """Return the question about sidecars to write; None for a single new one.

    Parameters
    ----------
    request : SidecarRequest
        Sidecars to write.
    left_out : sequence of Path
        Raw files without a new sidecar.
    losses : mapping
        Losses, as returned by `find_losses`.
    """
    files = list(request.layouts)
    existing = [path for file in files if (path := sidecar_path(file)).exists()]
    if len(files) > 1:
        return write_question(files[0].parent, files, existing, left_out, losses)
    if not existing:
        return None
    return replace_question(existing[0], free_backup_path(existing[0]), list(losses))


def write_and_read(request: SidecarRequest) -> WrittenSidecars:
    """Write sidecars, and read the status of the current file's sidecar."""
    written = write_all(request)
    if sidecar_path(request.current) not in written.paths:
        return written
    try:
        return written._replace(status=read_sidecar_status(request.current))
    except OSError as error:
        return written._replace(error=written.error or error_sentence(error))


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
        except OSError as error:
            return WrittenSidecars(paths, backups, not_written(sidecar_path(data), error))
        paths.append(path)
        if backup is not None:
            backups.append(backup)
    return WrittenSidecars(paths, backups, "")
