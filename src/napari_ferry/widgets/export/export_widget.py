"""Dock widget *Export*, with one tab for data and one for movies."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtGui import QHideEvent
from qtpy.QtWidgets import QLayout, QSizePolicy, QTabWidget, QVBoxLayout, QWidget

from napari_ferry.plugin.window import show_dock
from napari_ferry.widgets.export.saved_choices import load_choices, save_choices
from napari_ferry.widgets.export.widget_steps import Steps
from napari_ferry.widgets.form import FORM_WIDTH, make_scroll_area
from napari_ferry.widgets.help_button import HelpButton
from napari_ferry.widgets.module_import import EXPORT, import_modules
from napari_ferry.widgets.worker import BackgroundWorker

if TYPE_CHECKING:
    from napari import Viewer

    from napari_ferry.layers.layer_data import LayerData
    from napari_ferry.widgets.export.export_tab import ExportTab
    from napari_ferry.widgets.export.export_task import Job, OpenPlan
    from napari_ferry.widgets.export.job_queue import Jobs
    from napari_ferry.widgets.export.movie_tab import MovieTab

_JOBS_HEIGHT = 150
"""Maximum height of the list of exports, in pixels; more of them scroll."""

_TAB, _DATA, _MOVIE = "tab", "data", "movie"
"""Keys of the stored choices."""

_TITLES = {
    "Data": "Save the values of the layers, for analysis or storage",
    "Movie": "Save a movie of the layers as the viewer shows them",
}
"""Titles of the tabs, and their tooltips."""


class Export(QWidget):
    """Forms to export layers as data or as a movie, and the queue of exports.

    Its modules are imported in another thread, then the tabs are made in steps, each in an event of
    its own: all at once would stop the window for up to a second. A tab that is used before that is
    made at once.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Viewer with the layers.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.saved = load_choices()
        self._data, self._movie = Steps(self._make_data()), Steps(self._make_movie())
        self._jobs: Jobs | None = None
        self._lay_out()

        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.timeout.connect(self._take_step)
        self.worker = BackgroundWorker(self)
        self.worker.failed.connect(self._take_step)  # which raises the same error
        self.worker.call(partial(import_modules, EXPORT), self._take_step)

    def _lay_out(self) -> None:
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("What to export")
        self.pages = []
        for i, (title, tooltip) in enumerate(_TITLES.items()):
            page = QWidget()
            self.pages.append(QVBoxLayout(page))
            self.pages[i].setContentsMargins(0, 0, 0, 0)
            page.setMinimumWidth(FORM_WIDTH)
            self.tabs.addTab(page, title)
            self.tabs.setTabToolTip(i, tooltip)
        self.tabs.setCornerWidget(HelpButton("export.md"))
        self.tabs.setCurrentIndex(1 if self.saved.get(_TAB) == _MOVIE else 0)

        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.addWidget(self.tabs, stretch=1)

    # --- parts that are made later ------------------------------------------------------------

    def _take_step(self, _: object = None) -> None:
        """Take one step in making the visible tab, or else the other one."""
        if self.tabs.currentIndex():
            order: tuple[Steps[Any], ...] = (self._movie, self._data)
        else:
            order = (self._data, self._movie)
        unfinished = [steps for steps in order if steps.result is None]
        if unfinished:
            unfinished[0].take()
            self.timer.start()  # the window handles and draws its changes first

    def _make_data(self) -> Generator[None, None, ExportTab]:
        from napari_ferry.widgets.export.data_fields import DataFields
        from napari_ferry.widgets.export.export_tab import ExportTab

        fields = DataFields(self.viewer, self._stored(_DATA))
        yield
        tab = ExportTab(self.viewer, fields)
        self._place(tab, 0)
        tab.add_results()
        return tab

    def _make_movie(self) -> Generator[None, None, MovieTab]:
        from napari_ferry.widgets.camera import CameraForm
        from napari_ferry.widgets.export.drawing_form import DrawingForm
        from napari_ferry.widgets.export.movie_fields import MovieFields
        from napari_ferry.widgets.export.movie_tab import MovieTab

        drawing = DrawingForm()
        yield
        camera = CameraForm(self.viewer)
        yield
        fields = MovieFields(self.viewer, self._stored(_MOVIE), drawing, camera)
        yield
        tab = MovieTab(self.viewer, fields)
        yield
        self._place(tab, 1)
        for section in (drawing, camera):
            yield
            fields.add_section(section)
        tab.add_results()
        return tab

    def _place(self, tab: ExportTab, index: int) -> None:
        tab.export_requested.connect(self._add_job)
        page = self.pages[index]
        page.addWidget(tab)
        page.setSizeConstraint(QLayout.SizeConstraint.SetMinimumSize)  # the tab's, not FORM_WIDTH

    @property
    def is_complete(self) -> bool:
        """True if both tabs have been made."""
        return None not in (self._data.result, self._movie.result)

    @property
    def data(self) -> ExportTab:
        """Tab for data."""
        return self._data.finish()

    @property
    def movie(self) -> MovieTab:
        """Tab for movies."""
        return self._movie.finish()

    @property
    def jobs(self) -> Jobs:
        """Queue of exports."""
        if self._jobs is None:
            from napari_ferry.widgets.export.job_queue import Jobs

            self._jobs = Jobs(self.viewer)
            self.job_area = make_scroll_area(self._jobs)
            self.job_area.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
            self.job_area.setMaximumHeight(_JOBS_HEIGHT)
            self.job_area.hide()
            self.column.addWidget(self.job_area)
        return self._jobs

    @property
    def current(self) -> ExportTab:
        """The visible tab."""
        return self.movie if self.tabs.currentIndex() else self.data

    def show_tab(self, *, is_movie: bool) -> None:
        """Show the tab for movies, or the one for data."""
        self.tabs.setCurrentIndex(int(is_movie))

    # --- events of the window -----------------------------------------------------------------

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Store the choices."""
        super().hideEvent(event)
        self.save_choices()

    def event(self, event: QEvent | None) -> bool:
        """Delete the widget when its dock was closed, but not before its exports are done."""
        is_handled = super().event(event)
        if event and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._leave()
        return bool(is_handled)

    def save_choices(self) -> None:
        """Store the choices of both tabs for the next session."""
        for steps in (self._data, self._movie):
            if steps.result is not None:
                steps.result.fields.save()
        self.saved[_TAB] = _MOVIE if self.tabs.currentIndex() else _DATA
        save_choices(self.saved)

    def _leave(self) -> None:
        self.worker.discard()
        self.timer.stop()
        self.save_choices()
        for steps in (self._data, self._movie):
            tab = steps.end() if steps.is_begun else None  # it may follow the viewer already
            if tab is not None:
                tab.leave()
        if self._jobs is None:
            self.deleteLater()
        else:
            self._jobs.when_idle(self.deleteLater)

    def _stored(self, key: str) -> dict[str, Any]:
        """Return the stored choices of one tab, to be changed in place."""
        stored = self.saved.get(key)
        found: dict[str, Any] = stored if isinstance(stored, dict) else {}
        self.saved[key] = found
        return found

    def _add_job(self, job: Job, open_plan: OpenPlan, layers: list[LayerData]) -> None:
        self.save_choices()
        self.jobs.add(job, open_plan, layers)
        self.job_area.show()


def show_export(viewer: Viewer, *, is_movie: bool) -> Export:
    """Open the dock *Export* at one of its tabs, and return its widget."""
    widget = show_dock(viewer, "Export")
    assert isinstance(widget, Export)
    widget.show_tab(is_movie=is_movie)
    return widget


def show_data_export(viewer: Viewer) -> None:
    """Open the dock *Export* for data; a command of the manifest."""
    show_export(viewer, is_movie=False)


def show_movie_export(viewer: Viewer) -> None:
    """Open the dock *Export* for a movie; a command of the manifest."""
    show_export(viewer, is_movie=True)
