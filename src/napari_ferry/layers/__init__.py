"""Conversion between images and napari layers."""

from napari_ferry.layers.layer_data import from_layers, to_layers

__all__ = ["from_layers", "to_layers"]
