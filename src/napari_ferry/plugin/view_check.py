"""Comparison of napari's view with a movie drawn from the data of its layers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.plugin.viewer import CAMERA, GRID, find_attribute
from napari_ferry.rendering.save import keeps_samples

_OLD_GRID = ("grid",)
"""Attribute of a viewer for its grid before napari 0.9."""

_VIEWER_OVERLAYS = {
    "scale bar": ("canvas.overlays.scale_bar", "scale_bar"),
    "axes": ("scene.overlays.axes", "axes"),
    "floating axes": ("canvas.overlays.axes",),
    "text": ("canvas.overlays.text", "text_overlay"),
}
_LAYER_OVERLAYS = {
    "bounding box": ("bounding_box",),
    "color bar": ("colorbar",),
    "layer name": ("name_overlay",),
}
"""Overlays that a movie lacks -> their attributes since napari 0.9 and before."""


def check_view(images: Sequence[Image], path: Path, options: dict[str, Any]) -> tuple[str, ...]:
    """Compare the current view with the movie of images, and return the losses of the movie.

    Parameters
    ----------
    images : sequence of Image
        The images of visible or hidden layers.
    path : Path
        File to save.
    options : dict
        Options of the movie, such as those from `viewer_state`.

    Returns
    -------
    tuple of str
        Sentences about overlays that the movie lacks.

    Raises
    ------
    InvalidImageError
        The viewer shows the layers in a way that only its canvas draws.
    """
    from napari import current_viewer

    viewer = current_viewer()
    if viewer is None or keeps_samples(images, path, options):
        return ()

    names = {image.name for image in images if image.display.get("visible") is not False}
    layers = [layer for layer in viewer.layers if layer.name in names]
    states = [text for text, is_set in _states(viewer, layers).items() if is_set]
    if states:
        raise InvalidImageError(
            f"The viewer shows {' and '.join(states)}, which only its canvas draws: switch this "
            'off, or use Export movie and, under Picture, set Render to "As on screen".'
        )
    missing = _overlays(viewer, layers)
    return (f"the movie lacks the viewer's {' and '.join(missing)}",) if missing else ()


def view_events(viewer: Any) -> list[Any]:
    """Return the events of a viewer for the states that `check_view` compares."""
    events = [viewer.dims.events.ndisplay]
    events += [viewer.dims.events.margin_left, viewer.dims.events.margin_right]
    events.append(find_attribute(viewer, *CAMERA).events.orientation)
    grid = find_attribute(viewer, *GRID, *_OLD_GRID).events
    events += [grid.enabled, grid.shape, grid.stride, grid.spacing]
    overlays = [find_attribute(viewer, *paths) for paths in _VIEWER_OVERLAYS.values()]
    return [*events, *(overlay.events.visible for overlay in overlays if overlay is not None)]


def _states(viewer: Any, layers: Sequence[Any]) -> dict[str, bool]:
    """Return the states of the viewer that drawing does not know, and whether each is set."""
    dims, old_grid = viewer.dims, find_attribute(viewer, *GRID) is None and viewer.grid
    return {
        "a 3-D view": dims.ndisplay == 3,
        "layers side by side (grid)": old_grid and old_grid.enabled and len(layers) > 1,
    }


def _overlays(viewer: Any, layers: Sequence[Any]) -> list[str]:
    """Return the names of the visible overlays."""
    found = [(find_attribute(viewer, *paths), name) for name, paths in _VIEWER_OVERLAYS.items()]
    for layer in layers:
        found += [(find_attribute(layer, *paths), name) for name, paths in _LAYER_OVERLAYS.items()]
    visible = [name for overlay, name in found if overlay is not None and overlay.visible]
    return list(dict.fromkeys(visible))
