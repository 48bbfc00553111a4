"""Current state of napari's viewer, and display settings missing from its layer data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from napari_ferry.image import Image
from napari_ferry.layers.layer_data import LayerData, from_layer
from napari_ferry.movie.frame_rate import seconds_per_step
from napari_ferry.plugin.view_state import find_camera
from napari_ferry.plugin.viewer_overlays import find_attribute, overlay_options
from napari_ferry.rendering.drawing_choice import keeps_samples
from napari_ferry.rendering.style import is_visible, projection_of
from napari_ferry.rendering.world import World, make_world

GRID = ("canvas.grid",)
"""Attribute of a viewer for its grid; before napari 0.9, the order of layers in it differs."""


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


class AxisPosition(NamedTuple):
    """Position of a slider: its axis, its step, and the number of its steps."""

    name: str
    step: int
    size: int


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
        choice, and others unless they are the default: ``plane``, ``flip``, ``thickness``, those of
        the grid, and those of overlays.
    number : int, optional
        Index of the frame axis among the sliders of the viewer.
    size : int
        Number of positions on the frame axis.
    seconds : float, optional
        Time between positions in seconds, if known.
    others : tuple of AxisPosition
        Positions on the axes that are neither displayed nor the frame axis.
    """

    axes: tuple[str, ...] = ()
    axis: str | None = None
    options: Mapping[str, Any]
    number: int | None = None
    size: int = 1
    seconds: float | None = None
    others: tuple[AxisPosition, ...] = ()

    def with_choices(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options, replaced by chosen ones unless these switch an overlay off."""
        options = dict(self.options)
        absent = [name for name in ("scale_bar", "color_bar", "text") if not chosen.get(name)]
        if "text" in absent:
            absent.append("text_corner")
        kept = {name: options[name] for name in absent if name in options}
        return {**options, **chosen, **kept}


def viewer_state(
    images: Sequence[Image], axis: str | None = None, *, path: Path | None = None
) -> ViewerState:
    """Describe the movie in the viewer.

    Parameters
    ----------
    images : sequence of Image
        The images of visible or hidden layers.
    axis : str, optional
        Name of the frame axis; by default time, or else the first axis.
    path : Path, optional
        File to save. If its format keeps the samples of these images, options that would require a
        drawing instead, such as a grid, are left out.
    """
    from napari import current_viewer

    state = _movie_state(images, axis)
    viewer = current_viewer()
    if viewer is None or (path and keeps_samples(images, path, state.options)):
        return state
    shown = {**_flip(viewer), **_grid(viewer, images), **_thickness(viewer, images)}
    overlays = overlay_options(viewer, visible_layers(viewer, images))
    return replace(state, options={**state.options, **shown, **overlays})


def visible_layers(viewer: Any, images: Sequence[Image]) -> list[Any]:
    """Return the layers of a viewer for visible images."""
    names = {image.name for image in images if is_visible(image)}
    return [layer for layer in viewer.layers if layer.name in names]


def _movie_state(images: Sequence[Image], axis: str | None) -> ViewerState:
    """Return the state of the viewer's sliders and theme."""
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
    points = viewer.dims.point[offset:]
    others = tuple(
        AxisPosition(world.names[k], _nearest_step(world, k, points[k]), world.sizes[k])
        for k in sliders
        if k != frame_axis
    )
    if others:
        position = " ".join(f"{other.name}={other.step}" for other in others)
        options = {"axis": world.names[frame_axis], "position": position, **options}
    return ViewerState(
        axes=tuple(names),
        axis=world.names[frame_axis],
        options=options,
        number=frame_axis + offset,
        size=world.sizes[frame_axis],
        seconds=seconds_per_step(world.axes[frame_axis]),
        others=others,
    )


def _flip(viewer: Any) -> dict[str, Any]:
    """Return the option of `render` for the directions of the axes of the picture."""
    vertical, horizontal = map(str, find_camera(viewer).orientation2d)
    names = {
        ("up", "right"): "vertical",
        ("down", "left"): "horizontal",
        ("up", "left"): "both",
    }
    flip = names.get((vertical, horizontal))
    return {} if flip is None else {"flip": flip}


def _grid(viewer: Any, images: Sequence[Image]) -> dict[str, Any]:
    """Return the options of `render` for layers side by side."""
    grid = find_attribute(viewer, *GRID)
    if grid is None or not grid.enabled or len(images) == 1:
        return {}
    sides = ["auto" if count == -1 else str(count) for count in grid.shape]
    options = {"grid": " x ".join(sides)}
    chosen = {"grid_stride": int(grid.stride), "grid_spacing": float(grid.spacing)}
    usual = {"grid_stride": 1, "grid_spacing": 0.0}
    return options | {name: value for name, value in chosen.items() if value != usual[name]}


def _thickness(viewer: Any, images: Sequence[Image]) -> dict[str, Any]:
    """Return the option of `render` for thick slices, if images are projected."""
    world = make_world(images)
    offset = viewer.dims.ndim - len(world.axes)
    if offset < 0 or not any(projection_of(image, None) for image in images):
        return {}

    margins = {}
    for number in viewer.dims.not_displayed:
        before, after = viewer.dims.margin_left[number], viewer.dims.margin_right[number]
        if number >= offset and (before or after):
            axis = world.axes[number - offset]
            margins[axis.name] = f"{before / axis.scale:.10g}+{after / axis.scale:.10g}"
    text = " ".join(f"{name}={steps}" for name, steps in margins.items())
    return {"thickness": text} if text else {}


def background() -> str:
    """Return the color of the viewer's canvas, as ``#rrggbb``."""
    from napari import current_viewer
    from napari.utils.theme import get_theme

    viewer = current_viewer()
    chosen = find_attribute(viewer, "canvas.background_color_override")
    if chosen is not None:
        values = [round(float(value) * 255) for value in chosen[:3]]
    else:
        values = get_theme(viewer.theme if viewer else "dark").canvas.as_rgb_tuple()[:3]
    return "#" + "".join(f"{value:02x}" for value in values)


def _nearest_step(world: World, axis: int, point: float) -> int:
    """Return the step of an axis nearest to a world coordinate."""
    step = round((point - world.axes[axis].translation) / world.axes[axis].scale)
    return min(max(step, 0), world.sizes[axis] - 1)
