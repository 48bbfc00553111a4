"""What napari's viewer shows at this moment, and what its layers do not tell writers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from napari_ferry.image import Image
from napari_ferry.layers import LayerData, from_layer
from napari_ferry.rendering.world import World, make_world


def shown_images(layers: Sequence[LayerData]) -> list[Image]:
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


def shown_place(images: Sequence[Image]) -> dict[str, Any]:
    """Return the options of `render` that show what the viewer shows: axis, position and plane.

    Time runs, or else the first long axis that is not seen. Nothing is returned where there is no
    choice, or no viewer.
    """
    from napari import current_viewer

    viewer = current_viewer()
    world = make_world(images)
    ndim = len(world.axes)
    if viewer is None or viewer.dims.ndim < ndim:
        return {}
    more = viewer.dims.ndim - ndim
    order = [axis - more for axis in viewer.dims.order if axis >= more]
    seen = tuple(order[-2:])
    long = [k for k in range(ndim) if k not in seen and world.sizes[k] > 1]
    plane = (
        {} if seen == (ndim - 2, ndim - 1) else {"plane": " ".join(world.names[k] for k in seen)}
    )
    if len(long) < 2:
        return plane
    running = next((k for k in long if world.names[k] == "t"), long[0])
    points = viewer.dims.point[more:]
    places = [f"{world.names[k]}={_step(world, k, points[k])}" for k in long if k != running]
    return {"axis": world.names[running], "position": " ".join(places), **plane}


def _step(world: World, axis: int, point: float) -> int:
    """Return the step of an axis that lies nearest to a point."""
    step = round((point - world.axes[axis].translation) / world.axes[axis].scale)
    return min(max(step, 0), world.sizes[axis] - 1)
