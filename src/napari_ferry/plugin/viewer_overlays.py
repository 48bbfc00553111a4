"""Overlays of napari's viewer and layers: those drawn by `render`, and all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any, get_args

import numpy as np

from napari_ferry.rendering.overlays import Corner

_VIEWER_OVERLAYS = {
    "scale bar": ("canvas.overlays.scale_bar", "scale_bar"),
    "axes": ("scene.overlays.axes", "axes"),
    "floating axes": ("canvas.overlays.axes",),
    "text": ("canvas.overlays.text", "text_overlay"),
    "position of the sliders": ("canvas.overlays.current_slice",),
}
"""Overlays of a viewer -> their attributes since napari 0.9 and before."""

_LAYER_OVERLAYS = {
    "bounding box": ("bounding_box",),
    "color bar": ("colorbar",),
    "layer name": ("name_overlay",),
}
"""Overlays of a layer -> their attribute."""

_OPTIONS = {"scale bar": "scale_bar", "text": "text", "color bar": "color_bar"}
"""Overlays drawn by `render` -> its option."""

_FREE = ("visible", "position", "text", "box", "order")
"""Settings of overlays that may differ from their defaults in a drawing."""


def overlay_options(viewer: Any, layers: Sequence[Any]) -> dict[str, Any]:
    """Return the options of `render` for visible overlays, omitting unsupported ones.

    Parameters
    ----------
    viewer : napari.Viewer or ViewerModel
        Viewer with the overlays.
    layers : sequence of napari.layers.Layer
        Visible layers that are drawn.
    """
    options: dict[str, Any] = {}
    scale_bar, text = (_find_viewer_overlay(viewer, name) for name in ("scale bar", "text"))
    if _is_plain(scale_bar):
        options["scale_bar"] = str(scale_bar.position)
    if _is_plain(text) and text.text and text.text.isprintable():
        options |= {"text": str(text.text), "text_corner": str(text.position)}

    # one option is for the color bars of all images
    bars = [find_attribute(layer, "colorbar") for layer in layers if _has_colormap(layer)]
    corners = {str(bar.position) for bar in bars if _is_plain(bar)}
    grid = find_attribute(viewer, "canvas.grid.enabled")
    if len(corners) == 1 and all(map(_is_plain, bars)) and not grid:
        options["color_bar"] = corners.pop()
    return options


def restyled_overlays(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a sentence about overlays of the viewer drawn in another style.

    Parameters
    ----------
    options : mapping
        Options of `render`, such as those from `overlay_options`.
    """
    names = [name for name, option in _OPTIONS.items() if options.get(option)]
    if not names:
        return ()
    verb = "is" if len(names) == 1 else "are"
    return (f"the {' and '.join(names)} {verb} drawn in another style than in the viewer",)


def missing_overlays(
    viewer: Any, layers: Sequence[Any], options: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the names of visible overlays missing from a drawing with options of `render`."""
    visible = [name for overlay, name in _overlays(viewer, layers) if _is_visible(overlay)]
    lacking = [name for name in visible if not options.get(_OPTIONS.get(name, ""))]
    return tuple(dict.fromkeys(lacking))


def overlay_events(viewer: Any) -> list[Any]:
    """Return the events of the overlays of a viewer; see `layer_overlay_events`."""
    return _events(_find_viewer_overlay(viewer, name) for name in _VIEWER_OVERLAYS)


def layer_overlay_events(layer: Any) -> list[Any]:
    """Return the events of the overlays of a layer."""
    return _events(find_attribute(layer, *paths) for paths in _LAYER_OVERLAYS.values())


def _events(overlays: Iterable[Any]) -> list[Any]:
    names = ("visible", "position", "text")
    found = [find_attribute(each, f"events.{name}") for each in overlays for name in names]
    return [event for event in found if event is not None]


def _overlays(viewer: Any, layers: Sequence[Any]) -> Iterator[tuple[Any, str]]:
    """Yield each existing overlay and its name."""
    found = [(_find_viewer_overlay(viewer, name), name) for name in _VIEWER_OVERLAYS]
    for layer in layers:
        found += [(find_attribute(layer, *paths), name) for name, paths in _LAYER_OVERLAYS.items()]
    return ((overlay, name) for overlay, name in found if overlay is not None)


def _is_visible(overlay: Any) -> bool:
    """Return True for a visible overlay, other than an empty text."""
    return bool(overlay.visible) and find_attribute(overlay, "text") != ""


def _find_viewer_overlay(viewer: Any, name: str) -> Any:
    return find_attribute(viewer, *_VIEWER_OVERLAYS[name])


def _has_colormap(layer: Any) -> bool:
    """Return True for an image with one sample per pixel, which can have a color bar."""
    return find_attribute(layer, "colormap") is not None and layer.__class__.__name__ == "Image"


def _is_plain(overlay: Any) -> bool:
    """Return True for a visible overlay in a corner, with default size and colors."""
    if overlay is None or not overlay.visible or str(overlay.position) not in get_args(Corner):
        return False
    usual = dict(overlay.__class__())  # its type, if it is napari's proxy for plugins
    return all(
        name in _FREE or np.array_equal(np.asarray(value), np.asarray(usual[name]))
        for name, value in dict(overlay).items()
    )


def find_attribute(owner: Any, *paths: str) -> Any:
    """Return the first existing attribute of several, or None."""
    for path in paths:
        with suppress(AttributeError):
            return attrgetter(path)(owner)
    return None
