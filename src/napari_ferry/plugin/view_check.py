"""Comparison of napari's view with a movie drawn from the data of its layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.layers.layer_data import from_layer
from napari_ferry.plugin.view_state import find_camera
from napari_ferry.plugin.viewer import GRID, visible_layers
from napari_ferry.plugin.viewer_overlays import (
    find_attribute,
    missing_overlays,
    overlay_events,
    overlay_options,
)
from napari_ferry.rendering.drawing_choice import keeps_samples
from napari_ferry.rendering.drawing_losses import INTERPOLATIONS
from napari_ferry.rendering.style import transforms_of

_OLD_GRID = ("grid",)
"""Attribute of a viewer for its grid before napari 0.9."""


def needs_canvas(viewer: Any, layers: Sequence[Any]) -> tuple[str, ...]:
    """Return the reasons why a movie drawn from data would differ from the view of layers.

    Parameters
    ----------
    viewer : napari.Viewer or ViewerModel
        Viewer with the layers.
    layers : sequence of napari.layers.Layer
        Layers to show; hidden ones do not matter.

    Returns
    -------
    tuple of str
        What only the canvas draws, such as ``"a 3-D view"`` or ``"the Points layer nuclei"``; empty
        if `render`, with the options of `viewer_state`, draws what the viewer shows.
    """
    from napari.layers import Image as ImageLayer
    from napari.layers import Labels

    visible = [layer for layer in layers if layer.visible]
    drawn = [layer for layer in visible if isinstance(layer, ImageLayer | Labels)]
    others = [layer for layer in visible if layer not in drawn]
    overlays = missing_overlays(viewer, visible, overlay_options(viewer, drawn))
    return (
        *_states(viewer, visible),
        *(f"the {type(layer).__name__} layer {layer.name}" for layer in others),
        *(reason for layer in drawn for reason in _layer_reasons(layer)),
        *(f"the {name}" for name in overlays),
    )


def check_view(
    images: Sequence[Image], path: Path, options: dict[str, Any], *, as_seen: bool | None = None
) -> tuple[str, ...]:
    """Compare the current view with the movie of images, and return the losses of the movie.

    Parameters
    ----------
    images : sequence of Image
        The images of visible or hidden layers.
    path : Path
        File to save.
    options : dict
        Options of the movie, such as those from `viewer_state`.
    as_seen : bool, optional
        True to draw images in any format, as in `napari_ferry.plan`.

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
    if viewer is None or (not as_seen and keeps_samples(images, path, options)):
        return ()

    layers = visible_layers(viewer, images)
    states = list(_states(viewer, layers))
    if states:
        raise InvalidImageError(
            f"The viewer shows {' and '.join(states)}, which only its canvas draws: switch this "
            "off, or use the tab Movie of Export, with Render set to Automatic."
        )
    missing = missing_overlays(viewer, layers, options)
    return (f"the movie lacks the viewer's {' and '.join(missing)}",) if missing else ()


def view_events(viewer: Any) -> list[Any]:
    """Return the events of a viewer for the states compared by `check_view`."""
    dims, grid = viewer.dims.events, find_attribute(viewer, *GRID, *_OLD_GRID).events
    return [
        *(dims.ndisplay, dims.margin_left, dims.margin_right),
        *(grid.enabled, grid.shape, grid.stride, grid.spacing),
        find_camera(viewer).events.orientation,
        *overlay_events(viewer),
    ]


def _states(viewer: Any, layers: Sequence[Any]) -> Iterator[str]:
    """Yield the states of the viewer not supported by drawing."""
    if viewer.dims.ndisplay == 3:
        yield "a 3-D view"
    if find_attribute(viewer, *GRID) is None and viewer.grid.enabled and len(layers) > 1:
        yield "layers side by side (grid)"


def _layer_reasons(layer: Any) -> Iterator[str]:
    """Yield the settings of an Image or Labels layer not supported by drawing."""
    image = from_layer(*layer.as_layer_data_tuple())
    for transform in transforms_of(image):
        yield f"the {transform} transform of {layer.name}"
    interpolation = str(image.display.get("interpolation2d", "nearest"))
    if image.kind == "image" and interpolation not in INTERPOLATIONS:
        yield f"the {interpolation} interpolation of {layer.name}"
