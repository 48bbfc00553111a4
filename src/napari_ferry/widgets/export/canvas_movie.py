"""Movie of the viewer's canvas as an export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_ferry.image import Image
from napari_ferry.movie.frame_rate import MovieRate
from napari_ferry.plugin.view_state import ViewState, capture_view, show_view
from napari_ferry.rendering.save import plan
from napari_ferry.saving import Plan
from napari_ferry.saving.target import check_target
from napari_ferry.widgets.canvas import canvas_image
from napari_ferry.widgets.export.export_task import OpenPlan

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer


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
        Why the canvas draws it, as a clause; empty if the user chose it.
    """

    viewer: Viewer
    layers: Sequence[Layer]
    path: Path
    canvas_options: Mapping[str, Any]
    format_options: Mapping[str, Any]
    rate: MovieRate
    reason: str

    def losses(self, shape: tuple[int, ...]) -> tuple[str, ...]:
        """Return the losses of the format, for pictures of a shape (y, x, s); for a thread.

        Raises
        ------
        TargetError
            The target cannot be written.
        """
        check_target(self.path)
        frames = np.broadcast_to(np.uint8(0), (2, *shape))
        planned = plan(Image.from_array(frames, "tyxs"), self.path, **self.format_options)
        return planned.losses

    def prepare(self) -> OpenPlan:
        """Capture the present view, and return a function to open the plan of its movie."""
        view = capture_view(self.viewer)
        return lambda: self._open(view)

    @contextmanager
    def _open(self, view: ViewState) -> Iterator[Plan]:
        """Yield the plan of the movie of a view; the canvas draws its frames until exit."""
        with (
            showing(self.viewer, self.layers, view),
            canvas_image(self.viewer, **self.canvas_options) as image,
        ):
            # the title of the window would replace the name of the file in players
            yield plan(replace(image, name=""), self.path, **self.format_options)


@contextmanager
def showing(
    viewer: Viewer, layers: Sequence[Layer], view: ViewState | None = None
) -> Iterator[None]:
    """Show layers and hide all others until exit, in the present view or in another one."""
    before = capture_view(viewer)
    visible = {layer: layer.visible for layer in viewer.layers}
    try:
        if view is not None:
            show_view(viewer, view)
        for layer in viewer.layers:
            _set_visible(layer, layer in layers)
        yield
    finally:
        if view is not None:
            show_view(viewer, before)
        for layer, was_visible in visible.items():
            _set_visible(layer, was_visible)


def _set_visible(layer: Layer, is_visible: bool) -> None:
    """Show or hide a layer; napari reports a change even if there is none."""
    if layer.visible != is_visible:
        layer.visible = is_visible
