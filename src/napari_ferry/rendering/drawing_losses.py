"""Differences between a drawing of images, their samples, and the window of napari."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from napari_ferry.image import Image
from napari_ferry.layers.channels import split_channels
from napari_ferry.rendering.style import projection_of

INTERPOLATIONS = ("nearest", "linear")
"""Ways of interpolation that are drawn as napari draws them."""

_BACKGROUNDS = ("black", "#000000")
"""Names of the color behind layers in napari's default theme."""


def drawing_losses(images: Sequence[Image], drawing: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the losses of drawing images, with options of `render`, instead of saving samples."""
    layers = [single for image in images for single in split_channels(image)]
    modes = [str(layer.display.get("interpolation2d", "nearest")) for layer in layers]
    replaced = [
        f"{layer.name or layer.kind} is drawn with linear interpolation instead of {mode}"
        for layer, mode in zip(layers, modes, strict=True)
        if mode not in INTERPOLATIONS and layer.kind == "image"
    ]
    is_as_shown = not replaced and _is_as_shown(layers, drawing)

    if len(layers) > 1:
        parts = "channels" if len(images) == 1 else "layers"
        merged = f"both {parts}" if len(layers) == 2 else f"all {len(layers)} {parts}"
        shown = ", as napari shows them" if is_as_shown else ""
        drawn = f"{merged} are merged into one 8-bit RGB picture{shown}"
    else:
        shown = " as napari shows it," if is_as_shown else ""
        drawn = f"{layers[0].name or layers[0].kind} is drawn{shown} in 8-bit colors"
    return drawn, *replaced


def _is_as_shown(layers: Sequence[Image], drawing: Mapping[str, Any]) -> bool:
    """Return True if options of `render` keep the appearance of layers in napari.

    A camera and a grid of napari may show the same as other options. A background counts as that of
    napari if it is the usual one.
    """
    projection = drawing.get("projection")
    return (
        drawing.get("crop") is None
        and drawing.get("background", "black") in _BACKGROUNDS
        and all(projection_of(x, projection) == projection_of(x, None) for x in layers)
    )
