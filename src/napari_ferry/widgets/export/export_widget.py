"""Dock widget *Export*, with one tab for data and one for movies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent
from qtpy.QtGui import QHideEvent
from qtpy.QtWidgets import QSizePolicy, QTabWidget, QVBoxLayout, QWidget

from napari_ferry.layers.layer_data import LayerData
from napari_ferry.plugin.manifest import PLUGIN
from napari_ferry.widgets.export.data_fields import DataFields
from napari_ferry.widgets.export.export_tab import ExportTab
from napari_ferry.widgets.export.export_task import Job, OpenPlan
from napari_ferry.widgets.export.jobs import Jobs
from napari_ferry.widgets.export.movie_fields import MovieFields
from napari_ferry.widgets.export.movie_tab import MovieTab
from napari_ferry.widgets.export.saved_choices import load_choices, save_choices
from napari_ferry.widgets.form import make_scroll_area
from napari_ferry.widgets.help_button import HelpButton

if TYPE_CHECKING:
    from napari import Viewer

_JOBS_HEIGHT = 150
"""Maximum height of the list of exports, in pixels; more of them scroll."""

_TAB, _DATA, _MOVIE = "tab", "data", "movie"
"""Keys of the stored choices."""


class Export(QWidget):
    """Forms to export layers as data or as a movie, and the queue of exports.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Viewer with the layers.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.saved = load_choices()
        data, movie = self._stored(_DATA), self._stored(_MOVIE)
        self.data = ExportTab(self.viewer, DataFields(self.viewer, data))
        self.movie = MovieTab(self.viewer, MovieFields(self.viewer, movie))
        self.jobs = Jobs(self.viewer)

        self.tabs = QTabWidget()
        self.tabs.setAccessibleName("What to export")
        self.tabs.addTab(self.data, "Data")
        self.tabs.addTab(self.movie, "Movie")
        self.tabs.setTabToolTip(0, "Save the values of the layers, for analysis or storage")
        self.tabs.setTabToolTip(1, "Save a movie of the layers as the viewer shows them")
        self.tabs.setCornerWidget(HelpButton("export.md"))
        self.tabs.setCurrentIndex(1 if self.saved.get(_TAB) == _MOVIE else 0)
        for tab in (self.data, self.movie):
            tab.export_requested.connect(self._add_job)

        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.tabs, stretch=1)
        self.job_area = make_scroll_area(self.jobs)
        self.job_area.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.job_area.setMaximumHeight(_JOBS_HEIGHT)
        self.job_area.hide()
        column.addWidget(self.job_area)

    @property
    def current(self) -> ExportTab:
        """The tab that is shown."""
        return self.movie if self.tabs.currentIndex() else self.data

    def show_tab(self, *, is_movie: bool) -> None:
        """Show the tab for movies, or the one for data."""
        self.tabs.setCurrentIndex(int(is_movie))

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
        for tab in (self.data, self.movie):
            tab.fields.save()
        self.saved[_TAB] = _MOVIE if self.tabs.currentIndex() else _DATA
        save_choices(self.saved)

    def _leave(self) -> None:
        self.save_choices()
        for tab in (self.data, self.movie):
            tab.leave()
        self.jobs.when_idle(self.deleteLater)

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
    dock, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Export")
    dock.show()
    dock.raise_()
    assert isinstance(widget, Export)
    widget.show_tab(is_movie=is_movie)
    return widget


def show_data_export(viewer: Viewer) -> None:
    """Open the dock *Export* for data; a command of the manifest."""
    show_export(viewer, is_movie=False)


def show_movie_export(viewer: Viewer) -> None:
    """Open the dock *Export* for a movie; a command of the manifest."""
    show_export(viewer, is_movie=True)
