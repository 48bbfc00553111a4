"""*Export layers*: choose layers and a format, see what you will get, export."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import (
    QLabel,
    QMessageBox,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible
from superqt.utils import create_worker

from napari_ferry.as_seen import is_movie
from napari_ferry.codecs import plan
from napari_ferry.errors import FerryError, InvalidImageError
from napari_ferry.exports import Format, Request, describe_plan, formats, preview
from napari_ferry.layers import from_layers
from napari_ferry.options import options_of
from napari_ferry.plan import Plan
from napari_ferry.rendering.render import render
from napari_ferry.shown import Shown, background, look, shown_images
from napari_ferry.widgets.canvas import canvas_image
from napari_ferry.widgets.form import OptionsForm, lay_out
from napari_ferry.widgets.jobs import Job, Jobs
from napari_ferry.widgets.play import PlayForm
from napari_ferry.widgets.preferences import prefer, preferred
from napari_ferry.widgets.preview import Preview
from napari_ferry.widgets.remembered import keep, recall
from napari_ferry.widgets.ticks import LayerTicks
from napari_ferry.widgets.where import Where

if TYPE_CHECKING:
    from napari import Viewer

_PAUSE = 200
"""Milliseconds after the last change before what it means is worked out."""

_WIDTH = 300
"""Least pixels of the form, which fits beside the layers on a small screen."""

_PLAYED = ("axis", "position", "plane", "speed", "frame_rate")
"""Options that have their own fields, or that the viewer says."""

_OF_CANVAS = ("start", "stop", "step", "scale")


def _form_of(field: Any) -> QWidget:
    form = QWidget()
    lay_out(form, [field])
    return form


class ExportLayers(QWidget):
    """The form of an export, what it will make, and the exports under way."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.remembered = recall()
        self.planned: Plan | None = None
        self.asked = 0
        self._make_fields()
        self._make_results()
        self._lay_out()
        self._connect()
        self._choose_format()

    # --- parts ------------------------------------------------------------------------------

    def _make_fields(self) -> None:
        self.ticks = LayerTicks(self.viewer)
        choices = [(f"{each.title} ({each.suffixes[0]})", each) for each in formats()]
        self.format = ComboBox(name="format", choices=choices, tooltip="What the file will be.")
        last = [each for _, each in choices if each.title == self.remembered.get("format")]
        if last:
            self.format.value = last[0]
        folder = preferred().get("folder") or self.remembered.get("folder") or Path.home()
        self.where = Where(self.chosen, Path(folder).expanduser())
        self.form = OptionsForm([])
        self.play = PlayForm()
        self.source = ComboBox(
            name="source",
            label="drawn",
            choices=[("from the data, at its resolution", "data"), ("by the canvas", "canvas")],
            tooltip="From the data, sharp at any size; or by napari's canvas, as it stands now, "
            "with points, shapes and three dimensions.",
        )
        self.drawing = OptionsForm([o for o in options_of([render]) if o.name not in _PLAYED])
        self.drawing.fill({"background": background()})

    def _make_results(self) -> None:
        self.preview = Preview()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setAccessibleName("What will be made")
        self.button = QPushButton("Export")
        self.button.setToolTip("Export what is described above; other exports may be under way.")
        self.jobs = Jobs(self.viewer)
        self.timer = QTimer(self)
        self.timer.setSingleShot(True)
        self.timer.setInterval(_PAUSE)

    def _lay_out(self) -> None:
        inner = QWidget()
        self.column = QVBoxLayout(inner)
        self.more = QCollapsible("Picture")
        self.more.setToolTip("Size, range, and what is written on the frames.")
        self.more.addWidget(_form_of(self.source))
        self.more.addWidget(self.drawing)
        for part in (
            QLabel("Layers"),
            self.ticks,
            _form_of(self.format),
            self.where,
            self.form,
            self.play,
            self.more,
            self.preview,
        ):
            self.column.addWidget(part)
        self.column.addStretch()
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        area.setMinimumWidth(_WIDTH)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        # what will come of it stays in sight, however long the form is
        for part in (self.summary, self.button, self.jobs):
            outer.addWidget(part)

    def _connect(self) -> None:
        self.ticks.changed.connect(self._on_layers)
        self.format.changed.connect(self._choose_format)
        self.where.changed.connect(self._schedule)
        self.play.changed.connect(self._schedule)
        self.source.changed.connect(self._schedule)
        self.drawing.changed.connect(self._schedule)
        self.preview.wanted.connect(self._schedule)
        self.button.clicked.connect(self._on_export)
        self.timer.timeout.connect(self._refresh)
        self.viewer.dims.events.point.connect(self._schedule)
        self.viewer.dims.events.order.connect(self._schedule)

    # --- what is chosen ---------------------------------------------------------------------

    @property
    def chosen(self) -> Format:
        """The format that is chosen."""
        found: Format = self.format.value
        return found

    @property
    def is_movie(self) -> bool:
        """Whether that is one of movies."""
        return is_movie(self.chosen.codec)

    @property
    def is_of_canvas(self) -> bool:
        """Whether the viewer's canvas draws the movie."""
        return self.is_movie and self.source.value == "canvas"

    def _choose_format(self) -> None:
        """Show the options of the format that was chosen."""
        options = [o for o in options_of([self.chosen.codec.plan]) if o.name not in _PLAYED]
        form = OptionsForm(options)
        form.fill({**self.remembered.get(self.chosen.title, {}), **preferred()})
        form.changed.connect(self._schedule)
        old, self.form = self.form, form
        self.column.replaceWidget(old, form)
        old.deleteLater()
        for part in (self.play, self.more, self.preview):
            part.setVisible(self.is_movie)
        self.where.set_format(self.chosen)
        self._on_layers()

    def _on_layers(self) -> None:
        layers = self.ticks.chosen()
        self.where.suggest(layers[-1].name if layers else "")
        self._schedule()

    def _layer_data(self) -> list[Any]:
        """Return the data of the chosen layers.

        Raises
        ------
        InvalidImageError
            There are none.
        """
        layers = self.ticks.chosen()
        if not layers:
            raise InvalidImageError("No layer is ticked: tick one, or select it in the list.")
        return [layer.as_layer_data_tuple() for layer in layers]

    def _movie_options(self, shown: Shown) -> dict[str, Any]:
        """Return what the fields of a movie say, and what the viewer shows."""
        played, drawn = self.play.values(), self.drawing.values()
        return {**shown.options, **drawn, "frame_rate": played["frame_rate"]}

    def request(self) -> Request:
        """Return what is to be exported.

        Raises
        ------
        FerryError
            A field says nothing that can be exported.
        """
        path, data, options = self.where.target(), self._layer_data(), self.form.values()
        if not self.is_movie:
            return Request(tuple(from_layers(data)), path, options)
        images = shown_images(data)
        shown = look(images, self.play.axis.value)
        self._show_place(shown)
        return Request(tuple(images), path, {**options, **self._movie_options(shown)})

    def _show_place(self, shown: Shown) -> None:
        """Offer the axes that can run, and say how fast they ran."""
        step = self.drawing.values()["step"]
        self.play.set_axes(shown.axes, shown.axis)
        self.play.set_clock(None if shown.seconds is None else shown.seconds * step)
        start, stop = (self.drawing.values()[name] for name in ("start", "stop"))
        self.preview.set_count(len(range(start, shown.size if stop is None else stop, step)))

    # --- what it means ----------------------------------------------------------------------

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Look anew at what the viewer shows."""
        super().showEvent(event)
        self._schedule()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Keep what was chosen."""
        super().hideEvent(event)
        self._remember()

    def _schedule(self, _: object = None) -> None:
        """Work out soon what was changed means; nothing can be exported before."""
        self.planned = None
        self.button.setEnabled(False)
        self.asked += 1
        self.timer.start()

    def _refresh(self) -> None:
        """Plan what is chosen, in another thread, and draw a picture of it."""
        if not self.isVisible():
            return
        try:
            if self.is_of_canvas:
                self._say_canvas()
                return
            request = self.request()
        except FerryError as error:
            self._say_error(error)
            return
        number, frame = self.asked, self.preview.frame
        self._work(request.plan, lambda plan: self._on_planned(number, plan), number)
        if self.is_movie:
            self._work(lambda: preview(request, frame), self.preview.show_pixels, number)

    def _work(self, function: Any, use: Any, number: int) -> None:
        """Call a function in another thread, and use what it gives if nothing was changed since."""

        def use_if_wanted(result: Any) -> None:
            if number == self.asked:
                use(result)

        def say_if_wanted(error: Exception) -> None:
            if number == self.asked:
                self._say_error(error)

        worker = create_worker(function, _ignore_errors=True, _start_thread=False)
        worker.returned.connect(use_if_wanted)
        worker.errored.connect(say_if_wanted)
        worker.start()

    def _on_planned(self, number: int, planned: Plan) -> None:
        self.planned = planned
        said = [html.escape(line) for line in describe_plan(planned)]
        if planned.losses:
            said.append("<b>What the file does not hold:</b>")
            said += [f"• {html.escape(loss)}" for loss in planned.losses]
        self.summary.setText("<br>".join(said))
        self.button.setEnabled(True)

    def _say_error(self, error: Exception) -> None:
        self.planned = None
        self.button.setEnabled(False)
        self.summary.setText(html.escape(str(error)))

    def _say_canvas(self) -> None:
        """Say what the canvas will be drawn for; it is not drawn before."""
        path = self.where.target()
        self.preview.say("as the canvas shows it now")
        self.summary.setText(
            f"{html.escape(path.name)}: the viewer draws each frame, one after the other, and you "
            "see it doing so; its sliders stand as before when it is done."
        )
        self.button.setEnabled(True)

    # --- export -----------------------------------------------------------------------------

    def _on_export(self) -> None:
        """Put the export into the queue, after the question whether files may be replaced."""
        path = self.where.target()
        planned = self.planned
        standing = [path] if path.exists() else []
        if planned is not None:
            standing = list(planned.standing)
        if standing and not self._may_replace(standing):
            return
        self._remember()
        opened = nullcontext(planned) if planned else self._canvas_plan(path)
        self.jobs.add(Job(path.name, lambda: opened, overwrite=bool(standing)))

    def _may_replace(self, standing: list[Path]) -> bool:
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

    @contextmanager
    def _canvas_plan(self, path: Path) -> Iterator[Plan]:
        """Give the plan of a movie that the canvas draws, for as long as it does."""
        played, drawn = self.play.values(), self.drawing.values()
        of_canvas = {name: drawn[name] for name in _OF_CANVAS}
        options = {**self.form.values(), "frame_rate": played["frame_rate"]}
        with canvas_image(self.viewer, axis=played["axis"], **of_canvas) as image:
            yield plan(image, path, **options)

    def _remember(self) -> None:
        """Keep what was chosen, for this format and for the next start."""
        self.remembered["format"] = self.chosen.title
        self.remembered[self.chosen.title] = self.form.texts()
        prefer(self.form.texts())
        if self.where.is_named:
            self.remembered["folder"] = str(Path(self.where.path.text()).parent)
        keep(self.remembered)
