"""Fields of a movie drawn by the viewer's canvas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis
from napari_ferry.movie.frame_rate import MovieRate, choose_rate, seconds_per_step
from napari_ferry.plugin.camera_moves import CameraMoves
from napari_ferry.rendering.view import choose_positions, make_frame_axis
from napari_ferry.widgets.camera import CameraForm
from napari_ferry.widgets.export.canvas_movie import CanvasMovie
from napari_ferry.widgets.export.drawing_form import DrawingForm
from napari_ferry.widgets.export.fields import Fields
from napari_ferry.widgets.export.playback import PlaybackForm
from napari_ferry.widgets.sliders import choose_slider, find_sliders, slider_axis

if TYPE_CHECKING:
    from napari import Viewer


class CanvasFields(Fields):
    """Common fields of movies, and the canvas movie they describe.

    Parameters
    ----------
    viewer, saved
        As for `Fields`.
    drawing : DrawingForm
        Options of its frames.
    camera : CameraForm
        Moves of the camera.
    """

    is_movie = True

    def __init__(
        self, viewer: Viewer, saved: dict[str, Any], drawing: DrawingForm, camera: CameraForm
    ) -> None:
        self.drawing, self.camera = drawing, camera
        super().__init__(viewer, saved)

    def _make_fields(self) -> None:
        super()._make_fields()
        self.axis_size = 1
        self.axis_seconds: float | None = None
        self.positions = range(1)
        self.frame_axis: int | None = None
        self.playback = PlaybackForm()

    def _canvas_movie(self, reason: str) -> CanvasMovie:
        """Return the movie of the canvas described by the fields.

        Parameters
        ----------
        reason : str
            Why the canvas draws it, as a clause; empty if the user chose it.
        """
        names = [slider.label for slider in find_sliders(self.viewer)]
        self.playback.set_axes(names, "t" if "t" in names else None)
        axis = self._show_slider(self.drawing.values())
        playback = self.playback.values()
        rate = choose_rate(playback["frame_rate"], axis)
        return self._make_canvas_movie(rate, reason, axis=playback["axis"])

    def _moving_movie(self, moves: CameraMoves) -> CanvasMovie:
        """Return the movie of a moving camera; unchecked layers are hidden in key frames."""
        moves = moves.without([layer.unique_id for layer in self.layer_list.excluded_layers()])
        self.frame_axis = None
        self.playback.set_axes([], None)
        self._show_frames(moves.nframes, None, self.drawing.values(), "the move")
        rate = choose_rate(float(moves.frame_rate), None)
        return self._make_canvas_movie(rate, "the camera moves", moves=moves)

    def _make_canvas_movie(
        self,
        rate: MovieRate,
        reason: str,
        *,
        axis: str | None = None,
        moves: CameraMoves | None = None,
    ) -> CanvasMovie:
        path, drawing = self.target.path(), self.drawing.values()
        if drawing["crop"]:
            raise InvalidImageError(
                "A part of the picture was chosen under Size, but the viewer draws this movie: "
                "empty the field Crop, and zoom in the viewer instead."
            )

        span = {name: drawing[name] for name in ("start", "stop", "step", "scale")}
        size = self.drawing.screen_size
        return CanvasMovie(
            viewer=self.viewer,
            layers=self.checked_layers(),
            path=path,
            canvas_options={**span, "axis": axis, "moves": moves, "size": size},
            format_options={**self.format_options.values(), "frame_rate": float(rate.rate)},
            rate=rate,
            reason=reason,
        )

    def _show_slider(self, drawing: Mapping[str, Any]) -> Axis | None:
        """Show the animated slider in the fields; return the axis of the frames."""
        number = choose_slider(self.viewer, self.playback.axis.value)
        if number is None:
            self._show_frames(1, None, drawing, "")
            return None
        axis = slider_axis(self.viewer, number)
        self.frame_axis = number
        size = int(self.viewer.dims.nsteps[number])
        self._show_frames(size, seconds_per_step(axis), drawing, axis.name)
        return make_frame_axis(axis, self.positions, None)

    def _show_frames(
        self, size: int, seconds: float | None, drawing: Mapping[str, Any], name: str
    ) -> None:
        """Note the positions on the frame axis, and show their timing in the fields."""
        start, stop, step = (drawing[each] for each in ("start", "stop", "step"))
        self.axis_size, self.axis_seconds = size, seconds
        is_whole = (start, stop, step) == (0, None, 1)
        self.positions = (
            range(size) if is_whole else choose_positions(name, size, start, stop, step)
        )
        self.playback.set_frames(None if seconds is None else seconds * step, len(self.positions))
