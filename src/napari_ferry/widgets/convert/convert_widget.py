"""Dock widget *Convert folder*."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QHideEvent
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from napari_ferry.widgets.convert.stored_batch import load_choices
from napari_ferry.widgets.export.widget_steps import Steps
from napari_ferry.widgets.file_drop import accept_files, dropped_files
from napari_ferry.widgets.form import FORM_WIDTH
from napari_ferry.widgets.module_import import CONVERT, import_modules
from napari_ferry.widgets.worker import BackgroundWorker

if TYPE_CHECKING:
    from napari import Viewer

    from napari_ferry.widgets.convert.batch_panel import BatchPanel

_CLOSED: list[ConvertFolder] = []
"""Forms whose docks were closed while their batches go on; a new dock shows them again."""


class ConvertFolder(QWidget):
    """Form that converts every data set of a folder; accepts dropped folders and files.

    Its modules are imported in another thread, then the form is made in steps, each in an event of
    its own. A form that is used before that is made at once. While a batch of a closed dock is
    running, a new dock shows its form again.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Viewer to open results in.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        panel = _take_running(napari_viewer)
        self.saved = load_choices() if panel is None else panel.saved
        self._steps = Steps(self._make() if panel is None else self._show_again(panel))
        self.setAcceptDrops(True)
        self.setMinimumWidth(FORM_WIDTH)
        # or else napari would add a stretch above the form, which is not there yet
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.timeout.connect(self._take_step)
        self.worker = BackgroundWorker(self)
        self.worker.failed.connect(self._take_step)  # which raises the same error
        if panel is None:
            self.worker.call(partial(import_modules, CONVERT), self._take_step)
        else:
            self._steps.finish()

    def _take_step(self, _: object = None) -> None:
        if not self.is_complete:
            self._steps.take()
            self.timer.start()  # the window handles and draws what has changed first

    def _make(self) -> Generator[None, None, BatchPanel]:
        from napari_ferry.widgets.convert.batch_panel import BatchPanel
        from napari_ferry.widgets.convert.format_fields import FormatFields
        from napari_ferry.widgets.export.drawing_form import DrawingForm

        drawing = DrawingForm(has_renderer=False)
        yield
        formats = FormatFields(self.saved, drawing)
        yield
        panel = BatchPanel(self.viewer, self.saved, formats)
        yield
        self.column.addWidget(panel)
        yield
        panel.add_formats()
        yield
        formats.add_drawing()
        return panel

    def _show_again(self, panel: BatchPanel) -> Generator[None, None, BatchPanel]:
        self.column.addWidget(panel)
        yield
        return panel

    @property
    def is_complete(self) -> bool:
        """Whether the form has been made."""
        return self._steps.result is not None

    @property
    def panel(self) -> BatchPanel:
        """The form."""
        return self._steps.finish()

    # --- events of the window -----------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802 - Qt's name
        """Accept files and folders."""
        accept_files(event)

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802 - Qt's name
        """List the dropped folder or files."""
        paths = dropped_files(event)
        if paths:
            self.panel.set_sources(paths)

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Store the choices."""
        super().hideEvent(event)
        self._save_choices()

    def event(self, event: QEvent | None) -> bool:
        """Delete the widget when its dock was closed, but not before its batch is done."""
        is_handled = super().event(event)
        if event and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._leave()
        return bool(is_handled)

    def _save_choices(self) -> None:
        if self._steps.result is not None:
            self._steps.result.save()

    def _leave(self) -> None:
        self.worker.discard()
        self.timer.stop()
        panel = self._steps.end() if self._steps.is_begun else None
        if panel is None:  # or a step has failed
            self.deleteLater()
            return
        self._save_choices()
        panel.leave()
        _CLOSED.append(self)
        panel.when_idle(self._delete)

    def _delete(self) -> None:
        _CLOSED.remove(self)
        self._save_choices()
        self.deleteLater()

    def hand_over(self) -> BatchPanel:
        """Return the form for another dock, and delete this one."""
        panel = self.panel
        panel.on_idle = None
        _CLOSED.remove(self)
        self.deleteLater()
        return panel


def _take_running(viewer: Viewer) -> BatchPanel | None:
    """Return the form of a closed dock of a viewer whose batch is running, if there is one."""
    closed = (form for form in _CLOSED if _is_same(form.viewer, viewer))
    form = next(closed, None)
    return None if form is None else form.hand_over()


def _is_same(first: Viewer, second: Viewer) -> bool:
    """Return True for one viewer, of which napari gives each plugin another proxy."""
    return getattr(first, "__wrapped__", first) is getattr(second, "__wrapped__", second)
