"""Preview layers of a layout, updated as its values change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

_UPDATED = ("axis_labels", "units", "scale")
"""Attributes of a layer to update along with its data."""

_STEP_KEYS = {"Up": -1, "Down": 1}
"""Keys of the canvas, with the candidates to go forward."""

_PREFIX = "preview of "
"""Prefix of the names of preview layers."""

_MAX_FRAME_BYTES = 2**29
"""Size of the largest frame to show while the user types."""

_MAX_FRAMES = 2**31 - 1
"""Maximum number of steps of a slider."""

_MAX_CHANNELS = 16
"""Maximum number of preview layers."""


class LivePreview:
    """Preview of one image in layers of its own; other layers are left alone.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer of the preview layers.
    on_step : callable
        Called with 1 or -1 for the arrow keys down and up, if the canvas has focus. Those to the
        left and right go through the frames.
    """

    def __init__(self, viewer: Viewer, on_step: Callable[[int], None]) -> None:
        self.viewer = viewer
        self.on_step = on_step
        self.layers: list[Layer] = []
        self.opened: list[Layer] = []
        self.image: Image | None = None

    @property
    def has_layers(self) -> bool:
        """True if a preview layer is in the viewer: the user may have deleted it."""
        return any(layer in self.viewer.layers for layer in self.layers)

    def show(self, image: Image, limits: tuple[float, float]) -> None:
        """Show an image, in the existing preview layers if possible."""
        self.image, self.opened = image, []
        data = to_layers([image])
        self.layers = [layer for layer in self.layers if layer in self.viewer.layers]

        if len(data) == len(self.layers) and all(map(_can_show, self.layers, data)):
            is_same_view = all(map(_has_same_frame_shape, self.layers, data))
            for layer, layer_data in zip(self.layers, data, strict=True):
                _update(layer, layer_data)
        else:
            is_same_view = False
            previous = self.layers
            self.layers = [self._add(layer_data) for layer_data in data]
            self._delete(previous)

        if not is_same_view:
            self.set_limits(limits)
            self.viewer.reset_view()

    def set_limits(self, limits: tuple[float, float]) -> None:
        """Set the contrast limits of all preview layers except 8-bit RGB."""
        for layer in self.layers:
            if not (getattr(layer, "rgb", False) and layer.dtype == "uint8"):
                layer.contrast_limits = limits

    def keep(self) -> list[Layer]:
        """Turn the preview into ordinary layers, named after the file; return them."""
        layers, image = self.layers, self.image
        self.release()
        for layer in layers:
            layer.name = layer.name.removeprefix(_PREFIX)
        self.opened = [layer for layer in layers if layer in self.viewer.layers]
        self.image = image if self.opened else None
        return self.opened

    def calibrate(self, image: Image) -> None:
        """Give opened layers the calibration of an image, unless the user changed theirs."""
        assert self.image is not None
        _, before, _ = to_layers([self.image])[0]
        _, meta, _ = to_layers([image])[0]
        for layer in self.opened:
            _set(layer, {n: meta[n] for n in _UPDATED if n in meta and _has(layer, before, n)})
        self.image = image

    def release(self) -> None:
        """Release the layers and the file, without removing the layers."""
        for layer in self.layers:
            for key in _STEP_KEYS:
                layer.bind_key(key, None)
        self.layers, self.opened, self.image = [], [], None

    def remove(self) -> None:
        """Remove the layers from the viewer."""
        layers = self.layers
        self.release()
        self._delete(layers)

    def _delete(self, layers: Sequence[Layer]) -> None:
        deleted = [layer for layer in layers if layer in self.viewer.layers]
        if deleted and len(deleted) < len(self.viewer.layers):
            # With software OpenGL, napari 0.9 crashes if some layers are removed and others stay:
            # when the last slider goes at the same time, or before a new layer was drawn. So draw
            # the viewer once before; from one pixel, as the file of a layer may no longer exist.
            for layer in deleted:
                layer.data = _one_pixel(layer)
            self.viewer.screenshot(flash=False)
        for layer in deleted:
            self.viewer.layers.remove(layer)

    def _add(self, data: LayerData) -> Any:
        from napari.layers import Image as Picture
        from napari.layers import Layer

        array, meta, kind = data
        # given limits keep napari from reading data to compute them
        limits = {} if meta.get("rgb") else {"contrast_limits": (0, 1)}
        preview_meta = {**meta, "name": f"{_PREFIX}{meta['name']}", **limits}
        layer = Layer.create(array, preview_meta, kind)
        for key, step in _STEP_KEYS.items():
            layer.bind_key(key, lambda _, step=step: self.on_step(step))
        # above other images, and below labels and points, which it would hide
        images = [i for i, other in enumerate(self.viewer.layers) if isinstance(other, Picture)]
        self.viewer.layers.insert(max(images, default=-1) + 1, layer)
        return layer


def _can_show(layer: Layer, data: LayerData) -> bool:
    """Return True if a layer can show other data without being replaced."""
    array, meta, _ = data
    return (
        array.dtype == layer.data.dtype
        and array.ndim == layer.data.ndim
        and bool(meta.get("rgb")) == bool(getattr(layer, "rgb", False))
    )


def _one_pixel(layer: Layer) -> NDArray[Any]:
    """Return a single pixel with the dtype and axes of the data of a layer."""
    samples = layer.data.shape[-1:] if getattr(layer, "rgb", False) else ()
    return np.zeros((1,) * (layer.data.ndim - len(samples)) + samples, layer.data.dtype)


def _has_same_frame_shape(layer: Layer, data: LayerData) -> bool:
    return bool(layer.data.shape[1:] == data[0].shape[1:])


def _update(layer: Layer, data: LayerData) -> None:
    array, meta, _ = data
    layer.data = array
    _set(layer, {name: meta[name] for name in _UPDATED if name in meta})


def _set(layer: Layer, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if tuple(getattr(layer, name)) != tuple(value):
            setattr(layer, name, value)


def _has(layer: Layer, meta: dict[str, Any], name: str) -> bool:
    """Return True if an attribute of a layer is as it was set."""
    return name in meta and tuple(map(str, getattr(layer, name))) == tuple(map(str, meta[name]))


def check_displayable(layout: Layout) -> None:
    """Raise an error for a layout too large for the viewer, or of an unsupported type.

    Raises
    ------
    InvalidImageError
        A frame, or the number of frames or channels, is too large, or the data type is float16.
    """
    if layout.dtype == np.float16:
        raise InvalidImageError(
            "napari does not show float16: open the file from Python with `load_binary`, or select "
            "another data type."
        )

    if layout.channels > _MAX_CHANNELS:
        raise InvalidImageError(
            f"{layout.channels:,} channels would be shown as {layout.channels:,} layers: enter at "
            f"most {_MAX_CHANNELS} channels."
        )

    if frame_bytes(layout) > _MAX_FRAME_BYTES or layout.frames > _MAX_FRAMES:
        raise InvalidImageError(
            f"{layout.frames:,} frames of {frame_bytes(layout):,} bytes are too large to show: "
            "enter height and width."
        )
