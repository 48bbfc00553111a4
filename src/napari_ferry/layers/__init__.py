"""Images to napari's layers and back."""

from napari_ferry.layers.convert import from_layers, to_layers

__all__ = ["from_layers", "to_layers"]
