"""The layers in which a layout is shown while its numbers change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_ferry.codecs.binary.layout import Layout, frame_bytes
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Image
from napari_ferry.layers.layer_data import LayerData, to_layers

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

_LIVE = ("axis_labels", "units", "scale")
"""Attributes that change without a new layer."""


class LivePreview:
    """Shows one image in layers of its own, and never touches others.

    Parameters
    ----------
    viewer : napari.Viewer
        Where.
    """

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.layers: list[Layer] = []
        self.image: Image | None = None

    @property
    def is_shown(self) -> bool:
        """Whether any layer is still in the viewer, where hands can take it out."""
        return any(layer in self.viewer.layers for layer in self.layers)

    def show(self, image: Image, limits: tuple[float, float]) -> None:
        """Show an image, in the layers that are there if they can."""
        self.image = image
        data = to_layers([image])
        self.layers = [layer for layer in self.layers if layer in self.viewer.layers]
        if len(data) == len(self.layers) and all(map(_can_show, self.layers, data)):
            is_alike = all(map(_looks_alike, self.layers, data))
            for layer, one in zip(self.layers, data, strict=True):
                _update(layer, one)
        else:
            is_alike = False
            gone, self.layers = self.layers, [self._add(one) for one in data]
            self._drop(gone)
        if not is_alike:
            self.set_limits(limits)
            self.viewer.reset_view()

    def set_limits(self, limits: tuple[float, float]) -> None:
        """Set what is black and white."""
        for layer in self.layers:
            if not (getattr(layer, "rgb", False) and layer.dtype == "uint8"):
                layer.contrast_limits = limits

    def keep(self) -> list[Layer]:
        """Leave the layers to the viewer, under the name of the file; return them."""
        kept = self.layers
        self.forget()
        for layer in kept:
            layer.name = layer.name.removeprefix(_PREFIX)
        return [layer for layer in kept if layer in self.viewer.layers]

    def forget(self) -> None:
        """Hold on to nothing: neither layers nor the file."""
        self.layers, self.image = [], None

    def remove(self) -> None:
        """Take the layers out of the viewer."""
        gone = self.layers
        self.forget()
        self._drop(gone)

    def _drop(self, layers: Sequence[Layer]) -> None:
        gone = [layer for layer in layers if layer in self.viewer.layers]
        if gone and len(gone) < len(self.viewer.layers):
            # with software OpenGL, napari 0.9 crashes where layers go and others stay, at once with
            # the last slider, or before one that came was drawn; so it draws what stays first
            for layer in gone:
                layer.data = _one_pixel(layer)  # of its file nothing is read, which may be gone
            self.viewer.screenshot(flash=False)
        for layer in gone:
            self.viewer.layers.remove(layer)

    def _add(self, data: LayerData) -> Any:
        from napari.layers import Image as Picture
        from napari.layers import Layer

        array, meta, kind = data
        limits = {} if meta.get("rgb") else {"contrast_limits": (0, 1)}  # nothing is read for it
        named = {**meta, "name": f"{_PREFIX}{meta['name']}", **limits}
        layer = Layer.create(array, named, kind)
        images = [i for i, one in enumerate(self.viewer.layers) if isinstance(one, Picture)]
        # below labels and points, which else were hidden
        self.viewer.layers.insert(max(images, default=-1) + 1, layer)
        return layer


_PREFIX = "preview of "

_LARGEST_FRAME = 2**29
"""Bytes of a frame that the viewer is not asked to show while somebody types."""

_MOST_FRAMES = 2**31 - 1
"""Most steps of a slider."""

_MOST_CHANNELS = 16
"""Most layers of a preview."""


def _can_show(layer: Layer, data: LayerData) -> bool:
    """Whether a layer can show other data of this kind."""
    array, meta, _ = data
    return (
        array.dtype == layer.data.dtype
        and array.ndim == layer.data.ndim
        and bool(meta.get("rgb")) == bool(getattr(layer, "rgb", False))
    )


def _one_pixel(layer: Layer) -> NDArray[Any]:
    """Return the least data of its kind that a layer can have."""
    samples = layer.data.shape[-1:] if getattr(layer, "rgb", False) else ()
    return np.zeros((1,) * (layer.data.ndim - len(samples)) + samples, layer.data.dtype)


def _looks_alike(layer: Layer, data: LayerData) -> bool:
    return bool(layer.data.shape[1:] == data[0].shape[1:])


def _update(layer: Layer, data: LayerData) -> None:
    array, meta, _ = data
    layer.data = array
    for name in _LIVE:
        if name in meta and tuple(getattr(layer, name)) != tuple(meta[name]):
            setattr(layer, name, meta[name])


def check_room(layout: Layout) -> None:
    """Refuse what the viewer could not show.

    Raises
    ------
    InvalidImageError
        A frame, or the number of frames or channels, is too large, or of a type unknown to it.
    """
    if layout.dtype == np.float16:
        raise InvalidImageError(
            "napari does not show float16: open the file from Python with `load_binary`, or give "
            "another type."
        )
    if layout.channels > _MOST_CHANNELS:
        raise InvalidImageError(
            f"{layout.channels:,} channels would be as many layers, and are not shown: give at "
            f"most {_MOST_CHANNELS}."
        )
    if frame_bytes(layout) > _LARGEST_FRAME or layout.frames > _MOST_FRAMES:
        raise InvalidImageError(
            f"{layout.frames:,} frames of {frame_bytes(layout):,} bytes are not shown: give a "
            "height and width."
        )
