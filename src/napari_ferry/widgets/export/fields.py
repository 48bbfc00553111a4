"""The fields of an export: which layers, which format, where to, and the options of all that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from magicgui.widgets import ComboBox
from napari.layers import Image, Labels
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_ferry.errors import InvalidImageError
from napari_ferry.layers.layer_data import from_layers
from napari_ferry.movie.frame_rate import choose_rate, seconds_per_step
from napari_ferry.plugin.viewer import ViewerState, background, viewer_images, viewer_state
from napari_ferry.rendering.render import render
from napari_ferry.rendering.save import is_movie
from napari_ferry.rendering.view import make_frame_axis
from napari_ferry.saving.target import check_place
from napari_ferry.signatures import options_of
from napari_ferry.widgets.export.layer_list import LayerTicks
from napari_ferry.widgets.export.options import OptionsForm
from napari_ferry.widgets.export.playback import PlayForm
from napari_ferry.widgets.export.preferences import prefer, preferred
from napari_ferry.widgets.export.saved_choices import keep, recall
from napari_ferry.widgets.export.target_field import Where
from napari_ferry.widgets.form import lay_out
from napari_ferry.widgets.sliders import choose_slider, find_sliders, slider_axis
from napari_ferry.widgets.summary import Format, Request, formats

if TYPE_CHECKING:
    from napari import Viewer

_PLAYED = ("axis", "position", "plane", "speed", "frame_rate")
"""Options that have their own fields, or that the viewer says."""

_OF_CANVAS = ("start", "stop", "step", "scale")

_OF_DATA = frozenset({"start", "stop"})
"""Options that suit the layers of the moment, and are not remembered."""

_DRAWN_BY = (("from the data", "data"), ("by the canvas", "canvas"))
_DRAWN_TIP = (
    "From the data, sharp at any size; or by napari's canvas, as it stands now, with points, "
    "shapes and three dimensions."
)


class OfCanvas(NamedTuple):
    """A movie that the canvas draws: where to, options of it and of the format, pace."""

    path: Path
    drawing: Mapping[str, Any]
    options: Mapping[str, Any]
    pace: str


class Fields(QWidget):
    """What somebody chooses to export; it follows the viewer.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers are exported.
    of_movie : bool
        Whether to begin with a movie of all that is seen.
    """

    changed = Signal()
    """Something else is chosen, or the viewer shows something else."""

    def __init__(self, viewer: Viewer, *, of_movie: bool = False) -> None:
        super().__init__()
        self.viewer = viewer
        self.of_movie = of_movie
        self.remembered = recall()
        self.remembered_for: Format | None = None
        self.nframes = 1
        self.running: int | None = None
        self.place: object = None
        self._make_fields()
        self._lay_out()
        self._connect()
        self._choose_format()

    def _make_fields(self) -> None:
        self.ticks = LayerTicks(self.viewer, of_visible=self.of_movie)
        choices = [(f"{each.title} ({each.suffixes[0]})", each) for each in formats()]
        self.format = ComboBox(name="format", choices=choices, tooltip="What the file will be.")
        suited = [each for _, each in choices if is_movie(each.codec) or not self.of_movie]
        last = [each for each in suited if each.title == self.remembered.get("format")]
        self.format.value = (last or suited)[0]
        folder = preferred().get("folder") or self.remembered.get("folder") or Path.home()
        self.where = Where(self.chosen, Path(folder).expanduser())
        self.form = OptionsForm([])
        self.play = PlayForm()
        self.source = ComboBox(name="source", label="drawn", choices=_DRAWN_BY, tooltip=_DRAWN_TIP)
        self.drawing = OptionsForm([o for o in options_of([render]) if o.name not in _PLAYED])
        self.drawing.fill({"background": background()})

    def _lay_out(self) -> None:
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.more = QCollapsible("Picture")
        self.more.setToolTip("Size, range, and what is written on the frames.")
        self.more.addWidget(_form_of(self.source))
        self.more.addWidget(self.drawing)
        self.again = QPushButton("Tick the visible" if self.of_movie else "Tick the selected")
        self.again.setToolTip("Forget the ticks made by hand, and follow the viewer again.")
        layers, form = _beside(QLabel("Layers"), self.again), _form_of(self.format)
        for part in (layers, self.ticks, form, self.where, self.form, self.play, self.more):
            self.column.addWidget(part)

    def _connect(self) -> None:
        self.ticks.changed.connect(self._on_layers)
        self.again.clicked.connect(self.ticks.follow)
        self.format.changed.connect(self._choose_format)
        for field in (self.where, self.play, self.source, self.drawing):
            field.changed.connect(self._say_changed)
        for event in (self.viewer.dims.events.point, self.viewer.dims.events.order):
            event.connect(self._on_dims)

    def release(self) -> None:
        """Follow the viewer no more."""
        self.ticks.release()
        for event in (self.viewer.dims.events.point, self.viewer.dims.events.order):
            event.disconnect(self._on_dims)

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
        images = viewer_images(data)
        drawing = self.drawing.values()
        shown = viewer_state(images, self.play.axis.value)
        self._show(shown, drawing)
        rate = self.play.values()["frame_rate"]
        of_movie = {**shown.options, **drawing, "frame_rate": rate}
        return Request(tuple(images), path, {**options, **of_movie})

    def of_canvas(self) -> OfCanvas:
        """Return what is to be exported of the canvas.

        Raises
        ------
        FerryError
            A field says nothing that can be exported.
        """
        path, names = self.where.target(), [slider.label for slider in find_sliders(self.viewer)]
        check_place(path)
        self.play.set_axes(names, "t" if "t" in names else None)
        played, drawing = self.play.values(), self.drawing.values()
        of_canvas = {name: drawing[name] for name in _OF_CANVAS} | {"axis": played["axis"]}
        pace = self._pace_of_canvas(played, max(1, drawing["step"]))
        options = {**self.form.values(), "frame_rate": played["frame_rate"]}
        return OfCanvas(path, of_canvas, options, pace)

    def _pace_of_canvas(self, played: Mapping[str, Any], step: int) -> str:
        """Say how fast the slider runs that was chosen, in the fields, too."""
        number = choose_slider(self.viewer, played["axis"])
        if number is None:
            return ""
        axis = make_frame_axis(slider_axis(self.viewer, number), range(0, 1, step), None)
        self.play.set_clock(seconds_per_step(axis))
        return choose_rate(played["frame_rate"], axis).note

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
        others = [layer for layer in layers if not isinstance(layer, Image | Labels)]
        if others and self.is_movie:
            raise InvalidImageError(
                f"{others[0].name} is a {type(others[0]).__name__} layer, which the canvas alone "
                "draws: choose drawn by the canvas under Picture, or take its tick away."
            )
        return [layer.as_layer_data_tuple() for layer in layers]

    def _show(self, shown: ViewerState, drawing: Mapping[str, Any]) -> None:
        """Offer the axes that can run, say how fast they ran, and note where the others stand."""
        start, stop, step = (drawing[name] for name in ("start", "stop", "step"))
        self.play.set_axes(shown.axes, shown.axis)
        self.play.set_clock(None if shown.seconds is None else shown.seconds * step)
        self.nframes = len(range(start, shown.size if stop is None else stop, max(1, step)))
        self.running, self.place = shown.number, self._place(shown.number)

    # --- what changes -----------------------------------------------------------------------

    def _say_changed(self, _: object = None) -> None:
        self.changed.emit()

    def _choose_format(self) -> None:
        """Show the options of the format that was chosen, as they stood the last time."""
        self._keep_texts()
        self.remembered_for = self.chosen
        options = [o for o in options_of([self.chosen.codec.plan]) if o.name not in _PLAYED]
        old, self.form = self.form, OptionsForm(options)
        texts = {**self.remembered.get(self.chosen.title, {}), **preferred()}
        for form in (self.form, self.drawing, self.play) if self.is_movie else (self.form,):
            form.fill(texts)
        self.form.changed.connect(self._say_changed)
        self.column.replaceWidget(old, self.form)
        self.form.follow_in_tabs(self.where.browse)
        old.hide()
        old.deleteLater()
        for part in (self.play, self.more):
            part.setVisible(self.is_movie)
        self.where.set_format(self.chosen)
        self._on_layers()

    def _on_layers(self) -> None:
        self.again.setVisible(self.ticks.is_by_hand)
        layers = self.ticks.chosen()
        self.where.suggest(layers[-1].name if layers else "")
        self.changed.emit()

    def _place(self, running: int | None) -> tuple[Any, ...]:
        """Return where the viewer's sliders stand, but for the one that runs in the movie."""
        dims = self.viewer.dims
        return (dims.order, *(point for k, point in enumerate(dims.point) if k != running))

    def _on_dims(self, _: object = None) -> None:
        """Say if the movie would be another one; it is not while the viewer plays it."""
        if self.is_movie and self.place != self._place(self.running):
            self.changed.emit()

    # --- what is remembered -----------------------------------------------------------------

    def remember(self) -> None:
        """Keep what was chosen, for this format and for the next start."""
        self._keep_texts()
        self.remembered["format"] = self.chosen.title
        if self.where.is_named:
            self.remembered["folder"] = str(Path(self.where.path.text()).parent)
        keep(self.remembered)

    def _keep_texts(self) -> None:
        """Note what stands in the fields of the format that is shown."""
        if self.remembered_for is None:
            return
        texts = self.form.texts()
        prefer(texts)
        if is_movie(self.remembered_for.codec):
            drawn = self.drawing.texts()
            if drawn["background"] == background():  # which is that of the theme
                del drawn["background"]
            texts |= {name: text for name, text in drawn.items() if name not in _OF_DATA}
            texts |= self.play.texts()
        self.remembered[self.remembered_for.title] = texts


def _beside(*parts: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        layout.addWidget(part)
    return row


def _form_of(field: Any) -> QWidget:
    form = QWidget()
    lay_out(form, [field])
    return form
