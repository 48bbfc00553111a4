"""Fields of an export of a movie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from weakref import ref

from napari.layers import Image, Labels, Layer
from qtpy.QtWidgets import QWidget

from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image as FerryImage
from napari_ferry.plugin.view_check import check_view, needs_canvas, view_events
from napari_ferry.plugin.viewer import ViewerState, viewer_images, viewer_state
from napari_ferry.plugin.viewer_overlays import restyled_overlays
from napari_ferry.rendering.drawing_choice import keeps_samples
from napari_ferry.widgets.export.canvas_fields import CanvasFields
from napari_ferry.widgets.export.canvas_movie import CanvasMovie
from napari_ferry.widgets.export.export_options import OptionsForm
from napari_ferry.widgets.export.other_axes import OtherAxesField
from napari_ferry.widgets.export.purposes import PURPOSES, draws_pictures
from napari_ferry.widgets.form import ChoiceField, lay_out
from napari_ferry.widgets.form_words import PURPOSE
from napari_ferry.widgets.plan_summary import Format, Request

_MOVING_RATE = 30
"""Frames per second of a moving camera unless the user enters a rate."""


class MovieFields(CanvasFields):
    """Fields to export a movie, by default of the visible layers."""

    def _make_fields(self) -> None:
        super()._make_fields()
        self.slider_positions: object = None
        self.recording: list[ref[Layer]] = []
        self.is_applying = self.is_filled = False

        self.purpose = ChoiceField("purpose", PURPOSE)
        self.other_axes = OtherAxesField()

    def _parts(self) -> Iterator[QWidget]:
        self.purpose_row = QWidget()
        lay_out(self.purpose_row, [self.purpose])
        yield self.purpose_row
        yield from super()._parts()
        yield self.playback
        self.other_row = QWidget()
        lay_out(self.other_row, [self.other_axes])
        yield self.other_row

    def add_section(self, section: QWidget) -> None:
        """Add the drawing form, or else the form of the camera, at the end.

        Each is added when the others are in the window, which then sets the style of fewer widgets
        at a time.
        """
        self.column.addWidget(section)

    def _connect(self) -> None:
        super()._connect()
        self.purpose.changed.connect(self._on_purpose)
        for field in (self.playback, self.drawing, self.camera, self.other_axes):
            field.changed.connect(self._on_change)
        self.playback.step_requested.connect(self._set_step)
        for event, slot in self._viewer_slots():
            event.connect(slot)

    def release(self) -> None:
        """Disconnect from the viewer."""
        super().release()
        self.camera.release()
        for event, slot in self._viewer_slots():
            event.disconnect(slot)

    def _viewer_slots(self) -> list[tuple[Any, Callable[..., None]]]:
        """Return events of the viewer, each with its slot."""
        dims = self.viewer.dims.events
        moved = [(event, self._on_dims) for event in (dims.point, dims.order)]
        changed = (self.viewer.events.theme, *view_events(self.viewer))
        return [*moved, *((event, self._on_change) for event in changed)]

    # --- what to export ---------------------------------------------------------------------

    def movie(self) -> Request | CanvasMovie:
        """Return the movie described by the fields, drawn from data or by the canvas.

        Raises
        ------
        FerryError
            The content of a field is not valid.
        """
        layers, chosen = self.checked_layers(), self.drawing.chosen_renderer
        self.camera.set_frame_rate(self.playback.entered_rate or _MOVING_RATE)
        moves = self.camera.moves()
        self.playback.set_moving(moves is not None)
        if moves is not None:
            return self._moving_movie(moves)
        if chosen == "canvas":
            return self._canvas_movie("")
        others = [layer for layer in layers if not isinstance(layer, Image | Labels)]
        if chosen == "data" and others:
            raise InvalidImageError(
                f"{others[0].name} is a {type(others[0]).__name__} layer, which only the viewer "
                "draws: under Advanced, set Render to Automatic, or uncheck the layer."
            )
        reasons = () if chosen == "data" else needs_canvas(self.viewer, layers)
        if others and not reasons:  # a checked layer that is hidden in the viewer
            reasons = (f"the {type(others[0]).__name__} layer {others[0].name}",)
        if reasons and (others or not self._keeps_samples(layers)):
            return self._canvas_movie(f"the viewer shows {' and '.join(reasons)}")
        return self.request()

    def request(self) -> Request:
        """Return the movie drawn from data, as described by the fields; see `Fields.request`."""
        data = [_as_shown(layer) for layer in self.checked_layers()]
        path, images = self.target.path(), viewer_images(data)
        as_seen = draws_pictures(path)
        state = viewer_state(images, self.playback.axis.value, path=None if as_seen else path)
        drawing = self.drawing.values()
        self._show_state(state, drawing)

        options = {
            **self.format_options.values(),
            **state.with_choices(drawing),
            **self.other_axes.drawing_options(),
            "frame_rate": self.playback.values()["frame_rate"],
        }
        missing = check_view(images, path, options, as_seen=as_seen)

        return Request(
            images=tuple(images),
            path=path,
            options=options,
            as_seen=as_seen,
            losses=(*missing, *restyled_overlays(state.options), *self._unprojected(images)),
        )

    def _unprojected(self, images: Sequence[FerryImage]) -> tuple[str, ...]:
        """Return a loss if labels are shown at the sliders under projected images."""
        names = [image.name for image in images if image.kind == "labels"]
        if not names or not self.other_axes.drawing_options():
            return ()
        return (f"{', '.join(names)}: labels are shown at {self.other_axes.text}, not projected",)

    def _keeps_samples(self, layers: list[Layer]) -> bool:
        """Return True if the format stores the values of these images instead of a drawing."""
        images = viewer_images([layer.as_layer_data_tuple() for layer in layers])
        path = self.target.path()
        return not draws_pictures(path) and keeps_samples(images, path, self.drawing.values())

    def _show_state(self, state: ViewerState, drawing: Mapping[str, Any]) -> None:
        """Show the axes and their timing in the fields, and note the positions of the sliders."""
        self.playback.set_axes(state.axes, state.axis)
        self.frame_axis = state.number
        self.slider_positions = self._other_positions(state.number)
        self._show_frames(state.size, state.seconds, drawing, state.axis or "")
        self.other_axes.show_positions(state.others)
        self.other_row.setVisible(self.other_axes.is_needed)

    # --- changes ----------------------------------------------------------------------------

    @property
    def viewer_position(self) -> int:
        """Position of the viewer on the frame axis."""
        steps = self.viewer.dims.current_step
        number = self.frame_axis
        return 0 if number is None or number >= len(steps) else int(steps[number])

    def _set_step(self, step: int) -> None:
        """Use only every n-th frame, at the previous speed."""
        field = self.drawing.fields["step"]
        self.playback.slow_down(step / max(1, field.value))
        field.value = step

    def _on_change(self, _: object = None) -> None:
        purpose = PURPOSES.get(self.purpose.value)
        if purpose and not self.is_applying:
            texts = {**self.format_options.texts(), **self.drawing.texts()}
            if not purpose.is_applied(self.selected_format.suffixes, texts):
                with self.purpose.changed.blocked():
                    self.purpose.value = None
        super()._on_change()

    def _on_layers(self) -> None:
        recording = [ref(layer) for layer in self.layer_list.checked_layers()]
        # the frame rate of one recording does not apply to another
        if recording and self.recording and not set(recording) & set(self.recording):
            self.playback.forget_rate()
        self.recording = recording or self.recording
        super()._on_layers()

    def _on_purpose(self, purpose: str | None) -> None:
        """Set format, quality and size for a purpose."""
        if purpose is None:
            return
        self.is_applying = True
        chosen = PURPOSES[purpose]
        self.format.value = self._find_format(chosen.suffix)
        self.format_options.fill(chosen.format_texts)
        self.drawing.fill(chosen.drawing_texts)
        self.is_applying = False
        self._on_change()

    def _find_format(self, suffix: str) -> Format:
        return next(each for each in self.offered if suffix in each.suffixes)

    def _place_options(self, previous: OptionsForm) -> None:
        self.drawing.advanced.column.removeWidget(previous)
        self.drawing.advanced.add(self.format_options)
        self.format_options.set_tab_order_after(self.drawing.last_field)

    def _fill(self, texts: dict[str, Any]) -> None:
        super()._fill(texts)
        if self.is_filled:  # another format does not change the picture
            return
        self.is_filled = True
        self.drawing.fill(texts)
        self.playback.fill(texts)
        self.camera.fill(texts)

    def _texts(self) -> dict[str, Any]:
        return {
            **super()._texts(),
            **self.drawing.texts(),
            **self.playback.texts(),
            **self.camera.texts(),
        }

    def _other_positions(self, frame_axis: int | None) -> tuple[Any, ...]:
        """Return the order of the axes, and the positions of all but the frame axis."""
        dims = self.viewer.dims
        return (dims.order, *(point for k, point in enumerate(dims.point) if k != frame_axis))

    def _on_dims(self, _: object = None) -> None:
        """Report a changed movie; playing along its frame axis in the viewer does not change it."""
        if self.slider_positions != self._other_positions(self.frame_axis):
            self.changed.emit()


def _as_shown(layer: Layer) -> Any:
    """Return the layer data tuple of a checked layer, visible even if the layer is hidden."""
    data, settings, kind = layer.as_layer_data_tuple()
    return data, {**settings, "visible": True}, kind
