"""Movie of the viewer's canvas as an export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_ferry.movie.frame_rate import MovieRate
from napari_ferry.rendering.save import plan
from napari_ferry.saving import Plan
from napari_ferry.widgets.canvas import canvas_image

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

SCREEN_SIZES = {"1080p": (1080, 1920), "4K": (2160, 3840)}
"""Choice of the option ``fit`` -> height and width of a picture of the canvas in pixels."""


@dataclass(frozen=True, kw_only=True)
class CanvasMovie:
    """A movie to be drawn by the viewer's canvas.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer to draw.
    layers : sequence of Layer
        Layers to show; the others are hidden in the meantime.
    path : Path
        File to save.
    canvas_options : mapping
        Options of `canvas_image`.
    format_options : mapping
        Options of the format.
    rate : MovieRate
        Frame rate of the movie.
    reason : str
        Why the canvas draws it; empty if the user chose it.
    """

    viewer: Viewer
    layers: Sequence[Layer]
    path: Path
    canvas_options: Mapping[str, Any]
    format_options: Mapping[str, Any]
    rate: MovieRate
    reason: str

    @contextmanager
    def open(self) -> Iterator[Plan]:
        """Yield the plan of the movie; the canvas draws its frames until exit."""
        with (
            _showing_only(self.viewer, self.layers),
            canvas_image(self.viewer, **self.canvas_options) as image,
        ):
            yield plan(image, self.path, **self.format_options)


@contextmanager
def _showing_only(viewer: Viewer, layers: Sequence[Layer]) -> Iterator[None]:
    """Show layers and hide all others until exit."""
    changed = [layer for layer in viewer.layers if layer.visible != (layer in layers)]
    for layer in changed:
        layer.visible = not layer.visible
    try:
        yield
    finally:
        for layer in changed:
            layer.visible = not layer.visible
