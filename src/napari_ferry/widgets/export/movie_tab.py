"""Tab of the export dock for movies, with a preview."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from qtpy.compat import isalive
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QWidget

from napari_ferry.arrays.progress import size_text
from napari_ferry.saving import Plan
from napari_ferry.widgets.export.canvas_movie import CanvasMovie, showing
from napari_ferry.widgets.export.export_tab import ExportTab, ReadyExport
from napari_ferry.widgets.export.export_task import OpenPlan
from napari_ferry.widgets.export.frame_source import FrameSource
from napari_ferry.widgets.export.movie_fields import MovieFields
from napari_ferry.widgets.export.preview import Preview
from napari_ferry.widgets.plan_summary import Description, Request, elide_name, sentence
from napari_ferry.widgets.worker import BackgroundWorker

if TYPE_CHECKING:
    pass

_MAIL_BYTES = 20_000_000
"""Size of attachments accepted by most e-mail servers, in bytes."""


class MovieTab(ExportTab):
    """Form of an export of a movie, with an always visible preview.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer with the layers.
    fields : MovieFields
        Fields of the form.
    """

    fields: MovieFields

    def _make_results(self) -> None:
        super()._make_results()
        self.source: FrameSource | None = None
        self.shown: FrameSource | None = None
        self.is_new = True
        self.is_drawing = self.is_canvas_busy = False
        self.preview = Preview()
        self.drawing = BackgroundWorker(self)

    def _top(self) -> tuple[QWidget, ...]:
        return (self.preview,)

    def _connect(self) -> None:
        super()._connect()
        self.preview.frame_changed.connect(self._draw)
        self.preview.range_changed.connect(self.fields.drawing.set_range)
        self.summary.suggestion_accepted.connect(self.fields.drawing.halve)
        self.preview.cropped.connect(self._crop)
        self.preview.overlay_moved.connect(self.fields.drawing.move_overlay)
        self.drawing.failed.connect(self._show_preview_error)

    def leave(self) -> None:
        """Stop following the viewer, and release the data of its layers."""
        super().leave()
        self.source = self.shown = None
        self.preview.stop()
        self.drawing.discard()

    def schedule(self) -> None:
        """Plan again after a short delay; a click in the meantime waits for the plan.

        While the canvas draws a movie, changes of the viewer are not made by the user.
        """
        if self.is_canvas_busy:
            self.ready = None
            self.button.setEnabled(False)
            return
        super().schedule()
        self.source = None
        self.is_drawing = False
        self.drawing.discard()

    def _prepare(self) -> None:
        movie = self.fields.movie()
        self._show_axis()
        if isinstance(movie, CanvasMovie):
            self._prepare_canvas_movie(movie)
            return
        self.source = FrameSource(movie)
        self._plan(movie)
        self._draw()

    def _show_axis(self) -> None:
        """Show the frame axis in the preview, at first at the position of the viewer."""
        fields = self.fields
        self.preview.set_axis(fields.axis_size, fields.axis_seconds)
        self.preview.set_range(fields.positions)
        if self.is_new:
            self.is_new = False
            self.preview.move_to(fields.viewer_position)

    def _crop(self, edges: tuple[tuple[float, float], tuple[float, float]]) -> None:
        """Enter the drawn part of the picture in the field Crop."""
        source, crop = self.shown, self.fields.drawing.fields["crop"]
        if source is None:
            return

        def enter(text: str) -> None:
            """Enter the part in the field."""
            crop.value = text

        self.drawing.call(lambda: source.find_crop(edges), enter)

    def _draw(self, _: object = None) -> None:
        """Draw the chosen frame of the preview in another thread."""
        source, position = self.source, self.preview.position
        if source is None:
            return
        if self.preview.is_playing:
            if not self.is_drawing:  # frames that are not drawn in time are left out
                self.is_drawing = True
                self.drawing.call(
                    lambda: source.draw(position), lambda pixels: self._show(source, pixels)
                )
            return
        self.is_drawing = False
        self.drawing.discard()
        self.drawing.call(
            lambda: source.encode(position), lambda pixels: self._show(source, pixels)
        )

    def _show_error(self, error: Exception) -> None:
        super()._show_error(error)
        self.source = self.shown = None
        self.drawing.discard()
        self.preview.show_text("")

    def _show(self, source: FrameSource, pixels: NDArray[np.uint8]) -> None:
        """Show a frame, and remember its source for a part drawn on it."""
        self.is_drawing = False
        self.shown = source
        self.preview.crop_button.setEnabled(source.can_be_cropped)
        self.preview.show_pixels(pixels)

    def _show_preview_error(self, error: Exception) -> None:
        """Show an error in place of a frame; the export may leave the frame out."""
        self.is_drawing = False
        self.preview.show_text(sentence(error))

    def _on_planned(self, request: Request, planned: Plan, description: Description) -> None:
        super()._on_planned(request, planned, description)
        self.fields.playback.set_rate(planned.frame_rate, self._step)
        self.preview.set_rate(planned.frame_rate, self._step)

    def _on_estimated(self, planned: Plan, nbytes: int | None) -> None:
        super()._on_estimated(planned, nbytes)
        is_for_mail = "loop" in self.fields.format_options.fields
        if is_for_mail and nbytes is not None and nbytes > _MAIL_BYTES:
            self.summary.show_suggestion(
                f"Most e-mail servers accept at most {size_text(_MAIL_BYTES)}:", "halve the size"
            )

    @property
    def _positions(self) -> range:
        return self.fields.positions

    @property
    def _step(self) -> int:
        return self.fields.positions.step

    def _thumbnail(self) -> QPixmap | None:
        picture = self.preview.picture.pixmap()
        return None if picture.isNull() else picture

    def _prepare_canvas_movie(self, movie: CanvasMovie) -> None:
        """Describe a movie of the canvas, and show the canvas as it is now."""
        self.source = self.shown = None
        with showing(self.viewer, movie.layers):
            pixels = self.viewer.screenshot(flash=False)[..., :3]
        self.preview.show_pixels(pixels)
        self.preview.crop_button.setEnabled(False)
        self.preview.show_still()

        rate = movie.rate.rate
        self.fields.playback.set_rate(rate, self._step)
        shape = pixels.shape
        self.planning.call(
            lambda: movie.losses(shape), lambda losses: self._on_canvas_planned(movie, losses)
        )

    def _on_canvas_planned(self, movie: CanvasMovie, losses: tuple[str, ...]) -> None:
        """Show the description of a movie of the canvas, and let it be exported."""
        seconds = float(len(self.fields.positions) / movie.rate.rate)
        why = f", because {movie.reason}" if movie.reason else ""
        headline = f"{elide_name(movie.path.name)}, {seconds:.4g} s, drawn as on screen{why}"
        details = [
            f"{movie.rate.note}." if movie.rate.note else "",
            "The viewer draws each frame while you watch; it is restored afterwards.",
        ]
        missing = self.fields.drawing.drawn_overlays()
        if missing:
            left_out = f"{', '.join(missing)} (set above): the viewer draws only its own overlays"
            losses = (left_out, *losses)
        self.summary.show_plan(Description(headline, tuple(filter(None, details)), losses))

        path = movie.path
        self._set_ready(
            ReadyExport(
                path,
                lambda: (path,) if path.exists() else (),
                lambda: self._prepare_canvas_export(movie),
            )
        )

    def _prepare_canvas_export(self, movie: CanvasMovie) -> OpenPlan:
        """Capture the present view, and return a function to open the plan of its movie."""
        self.fields.camera.stop()
        open_plan = movie.prepare()

        @contextmanager
        def opened() -> Iterator[Plan]:
            """Open the plan, and note the use of the canvas until its end."""
            self.fields.camera.stop()
            self.is_canvas_busy = True
            try:
                with open_plan() as planned:
                    yield planned
            finally:
                self.is_canvas_busy = False
                if isalive(self):  # type: ignore[no-untyped-call]  # the window may be closed
                    self.schedule()

        return opened
