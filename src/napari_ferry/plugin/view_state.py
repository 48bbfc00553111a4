"""The view of the viewer as a value: camera, sliders, and the appearance of layers."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from napari_ferry.plugin.camera_rotation import Angles

if TYPE_CHECKING:
    from napari.components import ViewerModel

Layers = Mapping[Hashable, "LayerState"]
"""States of layers by their `unique_id`, which renaming does not change."""


@dataclass(frozen=True, kw_only=True)
class CameraState:
    """State of the camera.

    Parameters
    ----------
    center : tuple of float
        Center of the view in world coordinates.
    zoom : float
        Pixels of the canvas per world unit.
    angles : tuple of float
        Angles of a 3-D view in degrees.
    perspective : float
        Field of view in degrees.
    orientation : tuple
        Directions of depth, vertical and horizontal axis. It is not changed by `show_view`.
    """

    center: tuple[float, ...]
    zoom: float
    angles: Angles
    perspective: float
    orientation: Any


@dataclass(frozen=True, kw_only=True)
class SliderState:
    """State of one dimension of the viewer.

    Parameters
    ----------
    label : str
        Label of the axis.
    point : float
        Position in world coordinates.
    start, step : float
        World coordinates of the first step, and distance between steps.
    nsteps : int
        Number of steps.
    """

    label: str
    point: float
    start: float
    step: float
    nsteps: int

    def at_step(self, number: int) -> SliderState:
        """Return the state at a step."""
        return replace(self, point=self.start + number * self.step)


@dataclass(frozen=True, kw_only=True)
class LayerState:
    """Appearance of a layer.

    Parameters
    ----------
    name : str
        Name of the layer, for messages.
    visible : bool
        Whether the layer is displayed.
    opacity : float
        Opacity from 0 to 1.
    contrast_limits : tuple of float, optional
        Values displayed as black and white; None for layers without contrast.
    gamma : float, optional
        Exponent of the contrast; None for layers without contrast.
    """

    name: str
    visible: bool
    opacity: float
    contrast_limits: tuple[float, float] | None = None
    gamma: float | None = None


@dataclass(frozen=True, kw_only=True)
class ViewState:
    """State of the view.

    Parameters
    ----------
    ndisplay : int
        Number of displayed dimensions, 2 or 3.
    order : tuple of int
        Order of the dimensions; the last ones are displayed.
    sliders : tuple of SliderState
        All dimensions.
    camera : CameraState
        The camera.
    layers : mapping
        Appearance of layers by `unique_id`; `show_view` does not change other layers.
    """

    ndisplay: int
    order: tuple[int, ...]
    sliders: tuple[SliderState, ...]
    camera: CameraState
    layers: Layers = field(default_factory=dict)

    def without(self, layers: Collection[Hashable]) -> ViewState:
        """Return the view without the states of layers, given by `unique_id`."""
        kept = {id_: state for id_, state in self.layers.items() if id_ not in layers}
        return replace(self, layers=kept)

    def at_step(self, dimension: int, number: int) -> ViewState:
        """Return the view with one dimension at another step."""
        before, after = self.sliders[:dimension], self.sliders[dimension + 1 :]
        return replace(self, sliders=(*before, self.sliders[dimension].at_step(number), *after))


def find_camera(viewer: ViewerModel) -> Any:
    """Return the camera of a viewer; since napari 0.9, it is in its scene."""
    try:
        return viewer.scene.camera
    except AttributeError:
        return viewer.camera


def capture_view(viewer: ViewerModel, layer_ids: Collection[Hashable] | None = None) -> ViewState:
    """Return the state of the view.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Viewer, with or without a window.
    layer_ids : collection, optional
        `unique_id` of the layers to include; by default all.
    """
    dims = viewer.dims
    sliders = zip(dims.axis_labels, dims.point, dims.range, dims.nsteps, strict=True)

    return ViewState(
        ndisplay=int(dims.ndisplay),
        order=tuple(int(k) for k in dims.order),
        sliders=tuple(
            SliderState(
                label=str(label),
                point=float(point),
                start=float(span.start),
                step=float(span.step) or 1.0,
                nsteps=int(nsteps),
            )
            for label, point, span, nsteps in sliders
        ),
        camera=_capture_camera(viewer),
        layers={
            layer.unique_id: _capture_layer(layer)
            for layer in viewer.layers
            if layer_ids is None or layer.unique_id in layer_ids
        },
    )


def _capture_camera(viewer: ViewerModel) -> CameraState:
    camera = find_camera(viewer)
    first, second, third = (float(angle) for angle in camera.angles)
    return CameraState(
        center=tuple(float(position) for position in camera.center),
        zoom=float(camera.zoom),
        angles=(first, second, third),
        perspective=float(camera.perspective),
        orientation=tuple(str(direction) for direction in camera.orientation),
    )


def _capture_layer(layer: Any) -> LayerState:
    limits = gamma = None
    if _has_contrast(layer):
        dark, bright = layer.contrast_limits
        limits, gamma = (float(dark), float(bright)), float(layer.gamma)
    return LayerState(
        name=str(layer.name),
        visible=bool(layer.visible),
        opacity=float(layer.opacity),
        contrast_limits=limits,
        gamma=gamma,
    )


def _has_contrast(layer: Any) -> bool:
    from napari.layers import Image, Surface

    return isinstance(layer, Image | Surface)


def show_view(viewer: ViewerModel, view: ViewState) -> None:
    """Set the state of the view, leaving out missing dimensions and layers."""
    dims = viewer.dims
    for layer in viewer.layers:
        state = view.layers.get(layer.unique_id)
        if state is not None:
            _show_layer(layer, state)

    # before the camera, which napari moves when the displayed dimensions change
    dims.ndisplay = view.ndisplay
    if len(view.order) == dims.ndim:
        dims.order = view.order
    points = [slider.point for slider in view.sliders[-dims.ndim :]]
    dims.point = (*dims.point[: dims.ndim - len(points)], *points)

    camera = find_camera(viewer)
    camera.center = view.camera.center
    camera.zoom = view.camera.zoom
    camera.angles = view.camera.angles
    camera.perspective = view.camera.perspective


def _show_layer(layer: Any, state: LayerState) -> None:
    """Set only the changed settings of a layer; each of them draws the layer again."""
    before = _capture_layer(layer)
    if before.visible != state.visible:
        layer.visible = state.visible
    if before.opacity != state.opacity:
        layer.opacity = state.opacity
    if None not in (before.contrast_limits, state.contrast_limits):
        if before.contrast_limits != state.contrast_limits:
            layer.contrast_limits = state.contrast_limits
        if before.gamma != state.gamma:
            layer.gamma = state.gamma
