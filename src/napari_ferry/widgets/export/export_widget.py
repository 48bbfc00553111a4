"""*Export layers*: choose layers and a format, see what you will get, export."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import QLabel, QMessageBox, QPushButton, QVBoxLayout, QWidget

from napari_ferry.errors import FerryError
from napari_ferry.io import plan
from napari_ferry.saving import Plan
from napari_ferry.widgets.canvas import canvas_image
from napari_ferry.widgets.export.fields import Fields, OfCanvas
from napari_ferry.widgets.export.jobs import Job, Jobs
from napari_ferry.widgets.export.preview import Preview
from napari_ferry.widgets.form import make_scroll_area
from napari_ferry.widgets.summary import Request, describe_plan, preview, sentence
from napari_ferry.widgets.worker import BackgroundWorker

if TYPE_CHECKING:
    from napari import Viewer

_PAUSE = 200
"""Milliseconds after the last change before what it means is worked out."""

_MARGIN = 6


@dataclass(frozen=True)
class _Offer:
    """What a click exports: to where, what stands there, and how the plan of it is opened."""

    path: Path
    standing: Callable[[], tuple[Path, ...]]
    open: Callable[[], AbstractContextManager[Plan]]


class ExportLayers(QWidget):
    """The form of an export, what it will make, and the exports under way."""

    of_movie = False
    """Whether it begins with a movie of all that is seen."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.offer: _Offer | None = None
        self.is_clicked = False
        self.latest: Request | None = None
        self.fields = Fields(self.viewer, of_movie=self.of_movie)
        self._make_results()
        self._lay_out()
        self._connect()
        self._schedule()

    def _make_results(self) -> None:
        self.preview = Preview()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setTextFormat(Qt.TextFormat.RichText)
        self.summary.setMargin(_MARGIN)
        self.summary.setAccessibleName("What will be made")
        self.button = QPushButton("Export")
        self.button.setToolTip("Export what is described above; other exports may be under way.")
        self.jobs = Jobs(self.viewer)
        self.planning, self.drawing = BackgroundWorker(self), BackgroundWorker(self)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(_PAUSE)

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.addWidget(self.fields)
        column.addWidget(self.preview)
        column.addStretch()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(make_scroll_area(inner))
        # what will come of it stays in sight, however long the form is
        for part in (self.summary, self.button, self.jobs):
            outer.addWidget(part)

    def _connect(self) -> None:
        self.fields.changed.connect(self._schedule)
        self.preview.wanted.connect(self._draw)
        self.button.clicked.connect(self._on_export)
        self.timer.timeout.connect(self._refresh)
        for later in (self.planning, self.drawing):
            later.failed.connect(self._say_error)

    # --- what it means ----------------------------------------------------------------------

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Look anew at what the viewer shows."""
        super().showEvent(event)
        self._schedule()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Keep what was chosen."""
        super().hideEvent(event)
        self.fields.remember()

    def event(self, event: QEvent | None) -> bool:
        """Go when the dock around it was closed, though not before its exports are done."""
        found = super().event(event)
        if event and event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self._leave()
        return bool(found)

    def _leave(self) -> None:
        self.timer.stop()
        self.planning.discard()
        self.drawing.discard()
        self.fields.release()
        self.jobs.when_idle(self.deleteLater)

    def _schedule(self) -> None:
        """Work out soon what was changed means; a click waits for that."""
        self.offer = self.latest = None
        self.planning.discard()
        self.drawing.discard()
        self.preview.setVisible(self.fields.is_movie)
        self.timer.start()

    def _refresh(self) -> None:
        """Plan what is chosen, in another thread, and draw a picture of it."""
        if not self.isVisible():
            return
        try:
            if self.fields.is_of_canvas:
                self._offer_canvas(self.fields.of_canvas())
                return
            request = self.latest = self.fields.request()
        except FerryError as error:
            self._say_error(error)
            return
        self.planning.call(lambda: _described(request), self._on_planned)
        if self.fields.is_movie:
            self.preview.set_count(self.fields.nframes)
            self._draw()

    def _draw(self, _: object = None) -> None:
        """Draw the frame that is looked at, in another thread."""
        request, frame = self.latest, self.preview.frame
        self.drawing.discard()
        if request is not None:
            self.drawing.call(lambda: preview(request, frame), self.preview.show_pixels)

    def _on_planned(self, found: tuple[Plan, str]) -> None:
        planned, said = found
        self.summary.setText(said)
        path = planned.paths[0]
        self._make_offer(_Offer(path, lambda: planned.standing, lambda: nullcontext(planned)))

    def _offer_canvas(self, movie: OfCanvas) -> None:
        """Say what the canvas will be drawn for; it is not drawn before."""
        path = movie.path
        self.preview.set_count(1)
        self.preview.say("as the canvas shows it now")
        self.summary.setText(
            f"{_escaped(path.name)}: the viewer draws each frame, one after the other, and you "
            "see it doing so; its sliders stand as before when it is done."
            + (f" The movie plays at {movie.pace}." if movie.pace else "")
        )
        self._make_offer(
            _Offer(
                path,
                lambda: (path,) if path.exists() else (),
                lambda: _canvas_plan(self.viewer, movie),
            )
        )

    def _make_offer(self, offer: _Offer) -> None:
        """Let it be exported; at once, if the button was clicked before it was known."""
        self.offer = offer
        self.button.setEnabled(True)
        if self.is_clicked:
            self._on_export()

    def _say_error(self, error: Exception) -> None:
        self.offer = None
        self.is_clicked = False
        self.button.setEnabled(False)
        self.preview.say("")
        self.summary.setText(_escaped(sentence(error)))

    # --- export -----------------------------------------------------------------------------

    def _on_export(self) -> None:
        """Put the export into the queue, after the question whether files may be replaced."""
        offer = self.offer
        self.is_clicked = offer is None
        if offer is None:
            return
        standing = offer.standing()
        if standing and not self._may_replace(standing):
            return
        self.fields.remember()
        self.jobs.add(Job(offer.path.name, offer.open, overwrite=bool(standing)))

    def _may_replace(self, standing: tuple[Path, ...]) -> bool:
        """Ask once about all files that stand there."""
        names = ", ".join(path.name for path in standing[:5])
        more = f" and {len(standing) - 5} more" if len(standing) > 5 else ""
        answer = QMessageBox.question(
            self,
            "Replace files?",
            f"{names}{more} already exist{'s' * (len(standing) == 1)} in {standing[0].parent}. "
            f"Replace {'it' if len(standing) == 1 else 'them'}?",
        )
        return bool(answer == QMessageBox.StandardButton.Yes)


def _escaped(text: str) -> str:
    return html.escape(text, quote=False)


def _described(request: Request) -> tuple[Plan, str]:
    """Return the plan of an export, and what it says."""
    planned = request.plan()
    said = [_escaped(line) for line in describe_plan(planned)]
    if planned.losses:
        said.append("<b>What is lost or assumed:</b>")
        said += [f"• {_escaped(loss)}" for loss in planned.losses]
    return planned, "<br>".join(said)


@contextmanager
def _canvas_plan(viewer: Viewer, movie: OfCanvas) -> Iterator[Plan]:
    """Give the plan of a movie that the canvas draws, for as long as it does."""
    with canvas_image(viewer, **movie.drawing) as image:
        yield plan(image, movie.path, **movie.options)


class ExportMovie(ExportLayers):
    """The same form, which begins with a movie of all layers that are seen."""

    of_movie = True
