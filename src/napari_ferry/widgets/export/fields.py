"""Form of an export: layers, format, target and options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox
from napari.layers import Image, Labels
from qtpy.QtCore import Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_ferry.errors import InvalidImageError
from napari_ferry.io import hooks_of
from napari_ferry.layers.layer_data import from_layers
from napari_ferry.movie.frame_rate import choose_rate, seconds_per_step
from napari_ferry.plugin.view_check import check_view, view_events
from napari_ferry.plugin.viewer import ViewerState, viewer_images, viewer_state
from napari_ferry.rendering.view import make_frame_axis
from napari_ferry.saving.target import check_target
from napari_ferry.signatures import options_of
from napari_ferry.widgets.export.canvas_movie import CANVAS_OPTIONS, CanvasMovie
from napari_ferry.widgets.export.layer_list import LayerList
from napari_ferry.widgets.export.options import OptionsForm
from napari_ferry.widgets.export.picture_form import PLAYBACK_OPTIONS, PictureForm
from napari_ferry.widgets.export.playback import PlaybackForm
from napari_ferry.widgets.export.saved_choices import (
    load_choices,
    load_preferences,
    save_choices,
    save_preferences,
)
from napari_ferry.widgets.export.target_field import TargetField
from napari_ferry.widgets.form import lay_out
from napari_ferry.widgets.sliders import choose_slider, find_sliders, slider_axis
from napari_ferry.widgets.summary import Format, Request, formats

if TYPE_CHECKING:
    from napari import Viewer

_FORMAT, _FOLDER = "format", "folder"
"""Keys of the stored choices; further keys are titles of formats."""


class Fields(QWidget):
    """Fields of an export, updated as the viewer changes.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer with the layers.
    of_movie : bool
        Whether the initial choice is a movie of all visible layers.
    """

    changed = Signal()
    """A field changed, or the viewer shows something else."""

    def __init__(self, viewer: Viewer, *, of_movie: bool = False) -> None:
        super().__init__()
        self.viewer = viewer
        self.of_movie = of_movie
        self.saved = load_choices()
        self.saved_format: Format | None = None
        self.nframes = 1
        self.frame_axis: int | None = None
        self.slider_positions: object = None
        self._make_fields()
        self._lay_out()
        self._connect()
        self._on_format()

    def _make_fields(self) -> None:
        self.layer_list = LayerList(self.viewer, follow_visible=self.of_movie)
        self.follow_button = QPushButton(
            "Follow visible layers" if self.of_movie else "Follow selected layers"
        )
        self.follow_button.setToolTip("Discard your choice of layers, and follow the viewer again.")

        choices = [(f"{each.title} ({each.suffixes[0]})", each) for each in formats()]
        self.format = ComboBox(
            name=_FORMAT, label="Format", choices=choices, tooltip="Format of the file"
        )
        offered = [
            each for _, each in choices if hooks_of(each.codec).IS_MOVIE or not self.of_movie
        ]
        previous = [each for each in offered if each.title == self.saved.get(_FORMAT)]
        self.format.value = (previous or offered)[0]

        folder = load_preferences().get(_FOLDER) or self.saved.get(_FOLDER) or Path.home()
        self.target = TargetField(self.selected_format, Path(folder).expanduser())
        self.format_options = OptionsForm([])
        self.playback = PlaybackForm()
        self.picture = PictureForm()

    def _lay_out(self) -> None:
        heading = QWidget()
        row = QHBoxLayout(heading)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Layers"))
        row.addWidget(self.follow_button)
        format_row = QWidget()
        lay_out(format_row, [self.format])

        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        for part in (heading, self.layer_list, format_row, self.target):
            self.column.addWidget(part)
        for part in (self.format_options, self.playback, self.picture):
            self.column.addWidget(part)

    def _connect(self) -> None:
        self.layer_list.changed.connect(self._on_layers)
        self.follow_button.clicked.connect(self.layer_list.follow)
        self.format.changed.connect(self._on_format)
        for field in (self.target, self.playback, self.picture):
            field.changed.connect(self._on_change)
        for event, slot in self._viewer_slots():
            event.connect(slot)

    def release(self) -> None:
        """Disconnect from the viewer."""
        self.layer_list.release()
        for event, slot in self._viewer_slots():
            event.disconnect(slot)

    def _viewer_slots(self) -> list[tuple[Any, Callable[..., None]]]:
        """Return events of the viewer, each with its slot."""
        dims = self.viewer.dims.events
        moved = [(event, self._on_dims) for event in (dims.point, dims.order)]
        return [*moved, *((event, self._on_change) for event in view_events(self.viewer))]

    # --- what to export ---------------------------------------------------------------------

    @property
    def selected_format(self) -> Format:
        """Format of the file."""
        selected: Format = self.format.value
        return selected

    @property
    def is_movie(self) -> bool:
        """True if the format is a movie format."""
        return hooks_of(self.selected_format.codec).IS_MOVIE

    @property
    def uses_canvas(self) -> bool:
        """True if the viewer's canvas draws the movie."""
        return self.is_movie and self.picture.uses_canvas

    def request(self) -> Request:
        """Return the export described by the fields.

        Raises
        ------
        FerryError
            The content of a field is not valid.
        """
        path, data, options = self.target.path(), self._layer_data(), self.format_options.values()
        if not self.is_movie:
            return Request(tuple(from_layers(data)), path, options)

        images = viewer_images(data)
        drawing = self.picture.values()
        state = viewer_state(images, self.playback.axis.value, path=path)
        self._show_viewer_state(state, drawing)
        rate = self.playback.values()["frame_rate"]
        options = {**options, **state.with_choices(drawing), "frame_rate": rate}
        missing = check_view(images, path, options)
        return Request(tuple(images), path, options, missing)

    def canvas_movie(self) -> CanvasMovie:
        """Return the movie of the canvas described by the fields.

        Raises
        ------
        FerryError
            The content of a field is not valid.
        """
        path, names = self.target.path(), [slider.label for slider in find_sliders(self.viewer)]
        check_target(path)
        self.playback.set_axes(names, "t" if "t" in names else None)
        playback, drawing = self.playback.values(), self.picture.values()
        canvas_options = {name: drawing[name] for name in CANVAS_OPTIONS}
        return CanvasMovie(
            viewer=self.viewer,
            path=path,
            canvas_options={**canvas_options, "axis": playback["axis"]},
            format_options={**self.format_options.values(), "frame_rate": playback["frame_rate"]},
            pace=self._canvas_pace(playback, max(1, drawing["step"])),
        )

    def _canvas_pace(self, playback: Mapping[str, Any], step: int) -> str:
        """Describe the frame rate of a movie of the canvas, and show it in the fields."""
        number = choose_slider(self.viewer, playback["axis"])
        if number is None:
            return ""
        axis = make_frame_axis(slider_axis(self.viewer, number), range(0, 1, step), None)
        self.playback.set_frame_seconds(seconds_per_step(axis))
        return choose_rate(playback["frame_rate"], axis).note

    def _layer_data(self) -> list[Any]:
        """Return the layer data tuples of the checked layers.

        Raises
        ------
        InvalidImageError
            No layer is checked, or the data of one cannot be drawn in a movie.
        """
        layers = self.layer_list.checked_layers()
        if not layers:
            raise InvalidImageError("No layer is checked: check one, or select it in the viewer.")
        others = [layer for layer in layers if not isinstance(layer, Image | Labels)]
        if others and self.is_movie:
            raise InvalidImageError(
                f"{others[0].name} is a {type(others[0]).__name__} layer, which only the viewer "
                'draws: under Picture, set Render to "As on screen", or uncheck the layer.'
            )
        return [layer.as_layer_data_tuple() for layer in layers]

    def _show_viewer_state(self, state: ViewerState, drawing: Mapping[str, Any]) -> None:
        """Show the axes and their timing in the fields, and store the positions of the sliders."""
        start, stop, step = (drawing[name] for name in ("start", "stop", "step"))
        self.playback.set_axes(state.axes, state.axis)
        self.playback.set_frame_seconds(None if state.seconds is None else state.seconds * step)
        self.nframes = len(range(start, state.size if stop is None else stop, max(1, step)))
        self.frame_axis = state.number
        self.slider_positions = self._other_positions(state.number)

    # --- changes ----------------------------------------------------------------------------

    def _on_change(self, _: object = None) -> None:
        self.changed.emit()

    def _on_format(self) -> None:
        """Show the options of the selected format, with their stored values."""
        self._store_texts()
        selected = self.saved_format = self.selected_format
        options = [
            option
            for option in options_of([selected.codec.plan])
            if option.name not in PLAYBACK_OPTIONS
        ]
        previous, self.format_options = self.format_options, OptionsForm(options)
        texts = {**self.saved.get(selected.title, {}), **load_preferences()}
        self.format_options.fill(texts)
        if self.is_movie:
            self.picture.fill(texts)
            self.playback.fill(texts)

        self.format_options.changed.connect(self._on_change)
        self.column.replaceWidget(previous, self.format_options)
        self.format_options.set_tab_order_after(self.target.browse)
        previous.hide()
        previous.deleteLater()

        for part in (self.playback, self.picture):
            part.setVisible(self.is_movie)
        self.target.set_format(selected)
        self._on_layers()

    def _on_layers(self) -> None:
        self.follow_button.setVisible(self.layer_list.is_edited)
        layers = self.layer_list.checked_layers()
        self.target.suggest(layers[-1].name if layers else "")
        self.changed.emit()

    def _other_positions(self, frame_axis: int | None) -> tuple[Any, ...]:
        """Return the order of the axes, and the positions of all but the frame axis."""
        dims = self.viewer.dims
        return (dims.order, *(point for k, point in enumerate(dims.point) if k != frame_axis))

    def _on_dims(self, _: object = None) -> None:
        """Report a changed movie; playing along its frame axis in the viewer does not change it."""
        if self.is_movie and self.slider_positions != self._other_positions(self.frame_axis):
            self.changed.emit()

    # --- stored choices ---------------------------------------------------------------------

    def save(self) -> None:
        """Save the choices, for this format and for the next session."""
        self._store_texts()
        self.saved[_FORMAT] = self.selected_format.title
        if self.target.is_edited:
            self.saved[_FOLDER] = str(Path(self.target.line.text()).parent)
        save_choices(self.saved)

    def _store_texts(self) -> None:
        """Store the contents of the fields under the title of their format."""
        if self.saved_format is None:
            return
        texts = self.format_options.texts()
        save_preferences(texts)
        if hooks_of(self.saved_format.codec).IS_MOVIE:
            texts |= self.picture.texts()
            texts |= self.playback.texts()
        self.saved[self.saved_format.title] = texts
