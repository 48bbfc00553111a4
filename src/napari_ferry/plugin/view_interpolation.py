"""Views between two others."""

from __future__ import annotations

from dataclasses import replace

from napari_ferry.plugin.camera_rotation import interpolate_angles
from napari_ferry.plugin.view_state import CameraState, LayerState, SliderState, ViewState


def interpolate_views(first: ViewState, last: ViewState, fraction: float) -> ViewState:
    """Return a view between two others.

    The camera rotates the shortest way and zooms at a constant rate, sliders take the nearest step,
    and opacity, contrast limits and gamma change linearly. Whatever has no state between two others
    (visibility, 2-D or 3-D, the order of dimensions) changes at the end.

    Parameters
    ----------
    first, last : ViewState
        The two views.
    fraction : float
        Part of the way, from 0 to 1; both ends return the given views.
    """
    if fraction <= 0:
        return first
    if fraction >= 1:
        return last
    camera, sliders = first.camera, first.sliders
    # other dimensions have other coordinates
    if first.order == last.order:
        camera = _interpolate_camera(camera, last.camera, fraction)
        pairs = zip(sliders, last.sliders, strict=True)
        sliders = tuple(_interpolate_slider(a, b, fraction) for a, b in pairs)
    layers = {
        key: _interpolate_layer(state, last.layers.get(key, state), fraction)
        for key, state in first.layers.items()
    }
    return replace(first, camera=camera, sliders=sliders, layers=layers)


def _interpolate_camera(first: CameraState, last: CameraState, fraction: float) -> CameraState:
    return replace(
        first,
        center=_mix_all(first.center, last.center, fraction),
        zoom=first.zoom * (last.zoom / first.zoom) ** fraction,
        angles=interpolate_angles(first.angles, last.angles, first.orientation, fraction),
        perspective=_mix(first.perspective, last.perspective, fraction),
    )


def _interpolate_slider(first: SliderState, last: SliderState, fraction: float) -> SliderState:
    if first.point == last.point:  # possibly between two steps
        return first
    point = _mix(first.point, last.point, fraction)
    return first.at_step(round((point - first.start) / first.step))


def _interpolate_layer(first: LayerState, last: LayerState, fraction: float) -> LayerState:
    limits, gamma = first.contrast_limits, first.gamma
    if limits is not None and last.contrast_limits is not None:
        dark, bright = _mix_all(limits, last.contrast_limits, fraction)
        limits = (dark, bright)
    if gamma is not None and last.gamma is not None:
        gamma = _mix(gamma, last.gamma, fraction)
    opacity = _mix(first.opacity, last.opacity, fraction)
    return replace(first, opacity=opacity, contrast_limits=limits, gamma=gamma)


def _mix(first: float, last: float, fraction: float) -> float:
    """Return a number between two others; two equal ones return exactly themselves."""
    return first + (last - first) * fraction


def _mix_all(
    first: tuple[float, ...], last: tuple[float, ...], fraction: float
) -> tuple[float, ...]:
    return tuple(_mix(a, b, fraction) for a, b in zip(first, last, strict=True))
