"""Image <-> napari's layer data, and the commands that napari's readers and writers call.

napari hands over a layer as ``(data, meta, type)``. Everything that it says of a layer rides in
`Image`: what axes mean in `Image.axes`, how it is shown in `Image.display`, and the rest in
`Image.metadata`. Layers that are alike are the channels of one image.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from napari_ferry.colormaps import (
    color_of,
    colormap_to_json,
    label_colors_to_json,
    plain,
    to_colormap,
    to_label_colors,
)
from napari_ferry.description import to_json
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.lazy import Stack, take
from napari_ferry.units import from_pint, to_pint

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]
"""What napari passes to writers and takes from readers: data, keyword arguments, layer type."""

_AXES = "tczyx"
_SAME_AXIS = {"time": "t", "channel": "c"}
_SHARED_KEYS = (
    "opacity",
    "blending",
    "visible",
    "rendering",
    "depiction",
    "projection_mode",
    "rotate",
    "shear",
    "affine",
)
_IMAGE_KEYS = (
    *_SHARED_KEYS,
    "contrast_limits",
    "gamma",
    "interpolation2d",
    "interpolation3d",
    "iso_threshold",
    "attenuation",
)
_LABELS_KEYS = (*_SHARED_KEYS, "iso_gradient_mode", "properties")
_IDENTITY = ("rotate", "shear", "affine")


def from_layers(layers: Sequence[LayerData]) -> list[Image]:
    """Make images of napari's layer data; layers that are alike become channels of one image.

    Parameters
    ----------
    layers : sequence of (data, meta, type)
        Image and Labels layers, as napari hands them to writers.

    Returns
    -------
    list of Image
        In order of their first layers.

    Raises
    ------
    InvalidImageError
        A layer that is neither Image nor Labels.
    """
    groups: list[list[Image]] = []
    for layer in layers:
        image = _from_layer(*layer)
        alike = next((group for group in groups if _are_channels(group[0], image)), None)
        if alike is None:
            groups.append([image])
        else:
            alike.append(image)
    return [_merge(group) if len(group) > 1 else group[0] for group in groups]


def to_layers(images: Sequence[Image]) -> list[LayerData]:
    """Make napari's layer data of images; each channel becomes a layer of its own.

    Parameters
    ----------
    images : sequence of Image
        Nothing of them is read.

    Returns
    -------
    list of (data, meta, type)
        Meta holds only what napari knows, so that a layer can always be made of it.
    """
    return [layer for image in images for single in _split(image) for layer in [_to_layer(single)]]


def _from_layer(data: Any, meta: Mapping[str, Any], kind: str) -> Image:
    """Make one image of one layer."""
    if kind not in ("image", "labels"):
        raise InvalidImageError(
            f"{meta.get('name', 'The layer')} is a {kind} layer; only Image and Labels layers are "
            "saved: select those."
        )
    levels = tuple(data) if meta.get("multiscale") else (data,)
    is_rgb = bool(meta.get("rgb"))
    ndim = levels[0].ndim - is_rgb
    names, labels = _axis_names(meta.get("axis_labels"), ndim)
    axes = tuple(
        Axis(name, float(scale), from_pint(unit), float(translate))
        for name, scale, unit, translate in zip(
            names,
            meta.get("scale", (1.0,) * ndim),
            meta.get("units") or (None,) * ndim,
            meta.get("translate", (0.0,) * ndim),
            strict=True,
        )
    )
    display = _display(meta, kind) | {"axis_labels": labels, "channel_axis": "slider"}
    if labels == list(names):
        del display["axis_labels"]
    if "c" not in names:
        del display["channel_axis"]
    return Image(
        levels,
        (*axes, Axis("s")) if is_rgb else axes,
        name=str(meta.get("name", "")),
        kind="labels" if kind == "labels" else "image",
        display=display,
        metadata=dict(meta.get("metadata", {})),
    )


def _axis_names(
    labels: Sequence[str] | None, ndim: int
) -> tuple[tuple[str, ...], list[str | None]]:
    """Return names for the axes of a layer, and its own labels, ``None`` where it has none.

    The last two axes are those that napari draws, so they are y and x whatever they are called.
    """
    given = list(labels or ()) if labels and len(labels) == ndim else [""] * ndim
    own = [label if label and label != str(i - ndim) else None for i, label in enumerate(given)]
    known = {3: "zyx", 4: "tzyx"}.get(ndim, _AXES)[-ndim:]
    fallback = [*(f"d{i}" for i in range(ndim - len(known))), *known]
    names = ["y", "x"]
    for i in reversed(range(ndim - 2)):
        label = own[i]
        name = fallback[i] if label is None else _SAME_AXIS.get(label.lower(), label)
        name = name.lower() if name.lower() in _AXES else name
        names.insert(0, name if name not in (*names, "s") else f"d{i}")
    return tuple(names), own


def _display(meta: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return how a layer is shown, as plain JSON."""
    keys = _LABELS_KEYS if kind == "labels" else _IMAGE_KEYS
    display = {key: to_json(plain(meta[key])) for key in keys if key in meta}
    for key in _IDENTITY:
        if key in display and _is_identity(key, meta[key]):
            del display[key]
    if not display.get("properties", True):
        del display["properties"]
    if "colormap" in meta:
        colormap = (
            label_colors_to_json(meta["colormap"])
            if kind == "labels"
            else colormap_to_json(meta["colormap"])
        )
        display |= {"colormap": colormap} if colormap is not None else {}
    return display


def _is_identity(key: str, value: Any) -> bool:
    """Whether a transform does nothing."""
    matrix = np.asarray(value, float)
    return not np.any(matrix) if key == "shear" else bool((matrix == np.eye(len(matrix))).all())


def _are_channels(first: Image, image: Image) -> bool:
    """Whether two layers can be channels of one image."""
    transforms = [
        [other.display.get(key) for key in (*_IDENTITY, "axis_labels")] for other in (first, image)
    ]
    return (
        first.kind == image.kind == "image"
        and first.axes == image.axes
        and "c" not in first.axis_names
        and not first.is_rgb
        and [level.shape for level in first.levels] == [level.shape for level in image.levels]
        and first.dtype == image.dtype
        and transforms[0] == transforms[1]
    )


def _merge(images: Sequence[Image]) -> Image:
    """Make layers that are alike the channels of one image; each keeps what is its own."""
    first = images[0]
    names = first.axis_names
    at = names.index("z") if "z" in names else names.index("y")
    levels = tuple(
        Stack([image.levels[k] for image in images], at) for k in range(len(first.levels))
    )
    channels = [
        Channel(image.name, color_of(image.display.get("colormap")), _limits(image.display))
        for image in images
    ]
    own = [{**image.display, "metadata": to_json(image.metadata)} for image in images]
    return Image(
        levels,
        (*first.axes[:at], Axis("c"), *first.axes[at:]),
        tuple(channels),
        first.name,
        display={"channels": own},
    )


def _limits(display: Mapping[str, Any]) -> tuple[float, float] | None:
    limits = display.get("contrast_limits")
    return (float(limits[0]), float(limits[1])) if limits and len(limits) == 2 else None


def _split(image: Image) -> list[Image]:
    """Take an image with channels apart, one image each; any other stays as it is."""
    if "c" not in image.axis_names or image.display.get("channel_axis") == "slider":
        return [image]
    at = image.axis_names.index("c")
    axes = (*image.axes[:at], *image.axes[at + 1 :])
    count = image.size("c")
    own = image.display.get("channels")
    shown = own if isinstance(own, Sequence) and len(own) == count else [{}] * count
    shared = {key: value for key, value in image.display.items() if key != "channels"}
    described = image.channels or (Channel(),) * count
    return [
        Image(
            tuple(take(level, at, i) for level in image.levels),
            axes,
            name=channel.name or (f"{image.name} {i}" if count > 1 else image.name),
            kind=image.kind,
            display=_channel_display(channel, count) | shared | _without(display, "metadata"),
            metadata=display.get("metadata", image.metadata),
        )
        for i, (channel, display) in enumerate(zip(described, shown, strict=True))
    ]


def _channel_display(channel: Channel, count: int) -> dict[str, Any]:
    """Return how a channel is shown of which only its colour and limits are known."""
    display: dict[str, Any] = {"blending": "additive"} if count > 1 else {}
    if channel.color:
        display["colormap"] = channel.color
    if channel.contrast_limits:
        display["contrast_limits"] = list(channel.contrast_limits)
    return display


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


def _to_layer(image: Image) -> LayerData:
    """Make one layer of an image without channels."""
    axes = image.axes[:-1] if image.is_rgb else image.axes
    keys = _LABELS_KEYS if image.kind == "labels" else _IMAGE_KEYS
    meta: dict[str, Any] = {key: image.display[key] for key in keys if key in image.display}
    limits = meta.get("contrast_limits")
    if limits is not None and not (len(limits) == 2 and limits[0] < limits[1]):
        del meta["contrast_limits"]
    if "properties" in meta:
        meta["properties"] = {key: np.asarray(value) for key, value in meta["properties"].items()}
    colormap = image.display.get("colormap")
    if colormap is not None:
        meta["colormap"] = (
            to_label_colors(colormap) if image.kind == "labels" else to_colormap(colormap)
        )
    meta |= {
        "name": image.name,
        "scale": tuple(_sound_scale(axis.scale) for axis in axes),
        "translate": tuple(axis.translation for axis in axes),
        "metadata": dict(image.metadata),
    }
    if any(axis.unit for axis in axes):
        meta["units"] = tuple(to_pint(axis.unit) for axis in axes)
    labels = image.display.get("axis_labels", [axis.name for axis in axes])
    if len(labels) == len(axes) and any(labels):
        meta["axis_labels"] = tuple(label or str(i - len(axes)) for i, label in enumerate(labels))
    if image.kind == "image":
        meta["rgb"] = image.is_rgb
    if len(image.levels) > 1:
        return list(image.levels), {**meta, "multiscale": True}, image.kind
    return image.array, meta, image.kind


def _sound_scale(scale: float) -> float:
    return scale if math.isfinite(scale) and scale != 0 else 1.0
