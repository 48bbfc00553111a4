"""Layer data for napari's viewer, with unreadable frames left blank."""

from __future__ import annotations

from collections.abc import Sequence

from napari_ferry.arrays.sliced_view import put_off_slices, without_view
from napari_ferry.image import Image
from napari_ferry.layers.blank_frames import with_blanks
from napari_ferry.layers.layer_data import LayerData, to_layers


def to_viewer_layers(images: Sequence[Image]) -> list[LayerData]:
    """Convert images to layer data for the viewer; no pixels are read."""
    return [_with_blanks(layer) for layer in to_layers(images)]


def _with_blanks(layer: LayerData) -> LayerData:
    """Return layer data with blank frames in place of unreadable ones."""
    data, meta, kind = layer
    is_rgb = bool(meta.get("rgb"))
    if meta.get("multiscale"):
        levels = [with_blanks(without_view(level), is_rgb=is_rgb) for level in data]
        return list(map(put_off_slices, levels)), meta, kind
    return with_blanks(data, is_rgb=is_rgb), meta, kind
