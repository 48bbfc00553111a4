"""What napari's viewer shows at this moment, and what its layers do not tell writers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari_ferry.image import Image
from napari_ferry.layers.layer_data import LayerData, from_layer
from napari_ferry.movie.frame_rate import seconds_per_step
from napari_ferry.rendering.world import World, make_world


def viewer_images(layers: Sequence[LayerData]) -> list[Image]:
    """Return an image of each layer, with what of its look only the viewer knows."""
    return [_with_outlines(from_layer(*layer), layer) for layer in layers]


def _with_outlines(image: Image, layer: LayerData) -> Image:
    """Return labels that say whether they are outlined, and whether one alone is shown."""
    from napari import current_viewer

    viewer = current_viewer()
    if image.kind != "labels" or viewer is None or image.name not in viewer.layers:
        return image
    found = viewer.layers[image.name]
    if found.data is not layer[0]:
        return image
    more = {"contour": int(found.contour)}
    if found.show_selected_label:
        more["shown_label"] = int(found.selected_label)
    return replace(image, display={**image.display, **more})


@dataclass(frozen=True)
class ViewerState:
    """What a movie of images would show, as the viewer stands.

    Parameters
    ----------
    axes : tuple of str
        The axes that could run.
    axis : str, optional
        The one that runs; ``None`` for a single picture.
    options : mapping
        The options of `render` that show it: ``axis`` and ``position`` where there is a choice, and
        ``plane`` where it is not the usual one.
    number : int, optional
        Of that axis, among the sliders of the viewer.
    size : int
        Steps of the axis that runs.
    seconds : float, optional
        Time between these, where it is known.
    """

    axes: tuple[str, ...]
    axis: str | None
    options: Mapping[str, Any]
    number: int | None = None
    size: int = 1
    seconds: float | None = None


def viewer_state(images: Sequence[Image], axis: str | None = None) -> ViewerState:
    """Return what a movie would show: time runs, or the first axis, unless another is named."""
    from napari import current_viewer

    viewer = current_viewer()
    world = make_world(images)
    ndim = len(world.axes)
    if viewer is None or viewer.dims.ndim < ndim:
        return ViewerState((), None, {})
    more = viewer.dims.ndim - ndim
    order = [number - more for number in viewer.dims.order if number >= more]
    seen = tuple(order[-2:])
    is_usual = seen == (ndim - 2, ndim - 1)
    options = {"background": background()}
    options |= {} if is_usual else {"plane": " ".join(world.names[k] for k in seen)}
    long = [k for k in range(ndim) if k not in seen and world.sizes[k] > 1]
    names = [world.names[k] for k in long]
    if not long:
        return ViewerState((), None, options)
    running = long[names.index(axis if axis in names else "t" if "t" in names else names[0])]
    if len(long) > 1:
        points = viewer.dims.point[more:]
        places = [f"{world.names[k]}={_step(world, k, points[k])}" for k in long if k != running]
        options = {"axis": world.names[running], "position": " ".join(places), **options}
    seconds = seconds_per_step(world.axes[running])
    name, size = world.names[running], world.sizes[running]
    return ViewerState(tuple(names), name, options, running + more, size, seconds)


def background() -> str:
    """Return the color of the viewer's canvas, as ``#rrggbb``."""
    from napari import current_viewer
    from napari.utils.theme import get_theme

    viewer = current_viewer()
    color = get_theme(viewer.theme if viewer else "dark").canvas
    return "#" + "".join(f"{value:02x}" for value in color.as_rgb_tuple()[:3])


def _step(world: World, axis: int, point: float) -> int:
    """Return the step of an axis that lies nearest to a point."""
    step = round((point - world.axes[axis].translation) / world.axes[axis].scale)
    return min(max(step, 0), world.sizes[axis] - 1)
