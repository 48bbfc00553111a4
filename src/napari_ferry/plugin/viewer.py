"""Current state of napari's viewer, and display settings missing from its layer data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_ferry.image import Image
from napari_ferry.layers.layer_data import LayerData, from_layer
from napari_ferry.movie.frame_rate import seconds_per_step
from napari_ferry.rendering.world import World, make_world


def viewer_images(layers: Sequence[LayerData]) -> list[Image]:
    """Convert layers to images, including display settings missing from layer data."""
    return [_with_label_display(from_layer(*layer), layer) for layer in layers]


def _with_label_display(image: Image, layer: LayerData) -> Image:
    """Add the contour width and the only visible label of a Labels layer to its image."""
    from napari import current_viewer

    viewer = current_viewer()
    if image.kind != "labels" or viewer is None or image.name not in viewer.layers:
        return image

    labels = viewer.layers[image.name]
    # another layer may have taken the name
    if labels.data is not layer[0]:
        return image
    settings = {"contour": int(labels.contour)}
    if labels.show_selected_label:
        settings["shown_label"] = int(labels.selected_label)
    return replace(image, display={**image.display, **settings})


@dataclass(frozen=True, kw_only=True)
class ViewerState:
    """Movie defined by the current state of the viewer.

    Parameters
    ----------
    axes : tuple of str
        Names of possible frame axes.
    axis : str, optional
        Name of the frame axis; None for a single picture.
    options : mapping
        Options of `render` for this movie: ``background``, ``axis`` and ``position`` if there is a
        choice, and ``plane`` unless it is the default.
    number : int, optional
        Index of the frame axis among the sliders of the viewer.
    size : int
        Number of positions on the frame axis.
    seconds : float, optional
        Time between positions in seconds, if known.
    """

    axes: tuple[str, ...] = ()
    axis: str | None = None
    options: Mapping[str, Any]
    number: int | None = None
    size: int = 1
    seconds: float | None = None


def viewer_state(images: Sequence[Image], axis: str | None = None) -> ViewerState:
    """Describe the movie in the viewer; the default frame axis is time or else the first axis."""
    from napari import current_viewer

    viewer = current_viewer()
    world = make_world(images)
    ndim = len(world.axes)
    if viewer is None or viewer.dims.ndim < ndim:
        return ViewerState(options={})

    # other layers of the viewer may have more axes than these images
    offset = viewer.dims.ndim - ndim
    order = [number - offset for number in viewer.dims.order if number >= offset]
    plane = tuple(order[-2:])
    options = {"background": background()}
    if plane != (ndim - 2, ndim - 1):
        options["plane"] = " ".join(world.names[k] for k in plane)

    sliders = [k for k in range(ndim) if k not in plane and world.sizes[k] > 1]
    names = [world.names[k] for k in sliders]
    if not sliders:
        return ViewerState(options=options)

    frame_axis = sliders[names.index(axis if axis in names else "t" if "t" in names else names[0])]
    if len(sliders) > 1:
        points = viewer.dims.point[offset:]
        position = " ".join(
            f"{world.names[k]}={_nearest_step(world, k, points[k])}"
            for k in sliders
            if k != frame_axis
        )
        options = {"axis": world.names[frame_axis], "position": position, **options}
    return ViewerState(
        axes=tuple(names),
        axis=world.names[frame_axis],
        options=options,
        number=frame_axis + offset,
        size=world.sizes[frame_axis],
        seconds=seconds_per_step(world.axes[frame_axis]),
    )


def background() -> str:
    """Return the color of the viewer's canvas, as ``#rrggbb``."""
    from napari import current_viewer
    from napari.utils.theme import get_theme

    viewer = current_viewer()
    color = get_theme(viewer.theme if viewer else "dark").canvas
    return "#" + "".join(f"{value:02x}" for value in color.as_rgb_tuple()[:3])


def _nearest_step(world: World, axis: int, point: float) -> int:
    """Return the step of an axis nearest to a world coordinate."""
    step = round((point - world.axes[axis].translation) / world.axes[axis].scale)
    return min(max(step, 0), world.sizes[axis] - 1)
