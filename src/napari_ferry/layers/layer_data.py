"""Convert napari's layer data to images and back.

napari represents a layer as ``(data, meta, type)``. An `Image` keeps all of it: axis calibration in
`Image.axes`, display settings in `Image.display`, and everything else in `Image.metadata`.
Compatible layers become the channels of one image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from napari_ferry.arrays.sliced_view import put_off_slices, without_view
from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.image.axes import is_valid_scale
from napari_ferry.image.image import Kind
from napari_ferry.image.record import (
    CHANNEL_AXIS,
    CHANNEL_DISPLAYS,
    KEY,
    LAYER_ORDER,
    SINGLETONS,
    SLIDER,
    describe_channels,
    parse_channels,
)
from napari_ferry.layers.blank_frames import without_blanks
from napari_ferry.layers.channels import (
    are_channels,
    displays_of_channels,
    joint_limits,
    merge_channels,
    split_all,
)
from napari_ferry.layers.complex_parts import split_complex
from napari_ferry.layers.display import display_to_json, display_to_napari
from napari_ferry.layers.singletons import AXES, restore_axes, singleton_axes, squeeze
from napari_ferry.units import from_pint, pint_name, to_pint

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]
"""Layer data that napari exchanges with readers and writers: data, keyword arguments, type."""

_AXES = "tczyx"

_CHANNELS, _DISPLAYS = f"{KEY}:channels", f"{KEY}:displays"
"""Keys of layer metadata: channels that are shown as one layer, and their display settings."""

_AXIS_ALIASES = {"time": "t", "channel": "c"}


def from_layers(layers: Sequence[LayerData]) -> list[Image]:
    """Convert napari's layer data to images; compatible layers become channels of one image.

    Parameters
    ----------
    layers : sequence of (data, meta, type)
        Image and Labels layers, as napari passes them to writers.

    Returns
    -------
    list of Image
        Images in the order of their first layers.

    Raises
    ------
    InvalidImageError
        A layer is neither Image nor Labels.

    Examples
    --------
    >>> import numpy as np
    >>> cells = (np.zeros((8, 8)), {"name": "cells", "scale": (0.5, 0.5)}, "image")
    >>> (image,) = from_layers([cells])
    >>> image.name, image.axes[1].scale
    ('cells', 0.5)
    """
    groups: list[list[tuple[int, Image]]] = []
    for index, layer in enumerate(layers):
        image = _from_layer_of_file(*layer)
        match = next((group for group in groups if are_channels(group[0][1], image)), None)
        if match is None:
            groups.append([(index, image)])
        else:
            match.append((index, image))

    # the order is recorded only where grouping changes it
    is_reordered = [index for group in groups for index, _ in group] != list(range(len(layers)))
    images = [
        [_with_order(image, index) if is_reordered else image for index, image in group]
        for group in groups
    ]
    return [merge_channels(group) if len(group) > 1 else group[0] for group in images]


def to_layers(images: Sequence[Image]) -> list[LayerData]:
    """Convert images to napari's layer data; each channel becomes a separate layer.

    Complex numbers become two layers, as napari displays real numbers only: their magnitude, and
    their phase in radians, which is not visible at first.

    Parameters
    ----------
    images : sequence of Image
        Images to convert; no pixels are read.

    Returns
    -------
    list of (data, meta, type)
        Layer data; `meta` contains only keys and values that napari accepts.

    Examples
    --------
    >>> import numpy as np
    >>> image = Image.from_array(np.zeros((8, 8)), "yx", name="cells")
    >>> ((data, settings, kind),) = to_layers([image])
    >>> settings["name"], kind
    ('cells', 'image')
    """
    singles = [part for single in split_all(images) for part in split_complex(single)]
    return [_to_layer(single) for single in singles]


def from_layer(data: Any, meta: Mapping[str, Any], kind: str) -> Image:
    """Convert the data of one layer to an image, with the axes of the layer.

    Raises
    ------
    InvalidImageError
        The layer is neither Image nor Labels.
    """
    image_kind = _image_kind(kind, meta)
    given = map(without_view, data) if meta.get("multiscale") else (data,)
    levels = tuple(map(without_blanks, given))
    is_rgb = bool(meta.get("rgb"))
    ndim = levels[0].ndim - 1 if is_rgb else levels[0].ndim
    names, labels = _axis_names(meta.get("axis_labels"), ndim)
    axes = _axes(names, meta)

    display = display_to_json(meta, image_kind)
    if labels != list(names):
        display["axis_labels"] = labels

    channels: tuple[Channel, ...] = ()
    metadata = dict(meta.get("metadata", {}))
    record, displays = metadata.pop(_CHANNELS, None), metadata.pop(_DISPLAYS, ())
    metadata.pop(AXES, None)
    if "c" in names:
        display[CHANNEL_AXIS] = SLIDER
        channels = parse_channels(record, int(levels[0].shape[names.index("c")]))
        channels, displays = _apply_limits(channels, displays, display.get("contrast_limits"))
        display |= {CHANNEL_DISPLAYS: displays} if channels and any(displays) else {}

    image = Image(
        levels,
        (*axes, Axis("s")) if is_rgb else axes,
        channels,
        str(meta.get("name", "")),
        image_kind,
        display,
        metadata,
    )
    if singleton_axes(image):
        display[SINGLETONS] = SLIDER
    return image


def _from_layer_of_file(data: Any, meta: Mapping[str, Any], kind: str) -> Image:
    """Convert the data of one layer to an image, with the axes of its file."""
    records = meta.get("metadata", {}).get(AXES)
    return restore_axes(from_layer(data, meta, kind), records)


def _image_kind(layer_type: str, meta: Mapping[str, Any]) -> Kind:
    """Return the kind of image of a layer type, refusing types other than Image and Labels."""
    if layer_type == "labels":
        return "labels"
    if layer_type == "image":
        return "image"
    raise InvalidImageError(
        f"{meta.get('name', 'The layer')} is a {layer_type} layer; only Image and Labels layers "
        "can be saved: select layers of these types."
    )


def _axes(names: Sequence[str], meta: Mapping[str, Any]) -> tuple[Axis, ...]:
    """Return the named axes of a layer, with its scale, units and translation."""
    ndim = len(names)
    return tuple(
        Axis(name, float(scale), from_pint(unit) or pint_name(str(unit)), float(translate))
        for name, scale, unit, translate in zip(
            names,
            meta.get("scale", (1.0,) * ndim),
            meta.get("units") or (None,) * ndim,
            meta.get("translate", (0.0,) * ndim),
            strict=True,
        )
    )


def _apply_limits(
    channels: tuple[Channel, ...], displays: object, limits: Sequence[float] | None
) -> tuple[tuple[Channel, ...], list[dict[str, Any]]]:
    """Return channels and their displays, with the contrast limits of their layer if changed."""
    is_valid = isinstance(displays, list) and all(isinstance(each, Mapping) for each in displays)
    own = [dict(each) for each in displays] if isinstance(displays, list) and is_valid else []
    if channels and limits and tuple(limits) != joint_limits(channels):
        low, high = limits
        channels = tuple(replace(channel, contrast_limits=(low, high)) for channel in channels)
        own = [{**each, "contrast_limits": limits} for each in own]
    return channels, own


def _axis_names(
    labels: Sequence[str] | None, ndim: int
) -> tuple[tuple[str, ...], list[str | None]]:
    """Return the axis names of a layer and its own labels, or None for axes without a label.

    napari displays the last two axes, so these are always named y and x.
    """
    given = list(labels or ()) if labels and len(labels) == ndim else [""] * ndim
    own = [label if label and label != str(i - ndim) else None for i, label in enumerate(given)]
    known = {3: "zyx", 4: "tzyx"}.get(ndim, _AXES)[-ndim:]
    fallback = [*(f"d{i}" for i in range(ndim - len(known))), *known]

    names = ["y", "x"]
    for i in reversed(range(ndim - 2)):
        label = own[i]
        name = fallback[i] if label is None else _AXIS_ALIASES.get(label.lower(), label)
        name = name.lower() if name.lower() in _AXES else name
        names.insert(0, name if name not in (*names, "s") else f"d{i}")
    return tuple(names), own


def _to_layer(image: Image) -> LayerData:
    """Convert an image without separate channels to one layer."""
    image = squeeze(image)
    axes = image.axes[:-1] if image.is_rgb else image.axes
    meta = display_to_napari(image.display, image.kind, len(axes), image.name)
    labels = meta.pop("axis_labels", [axis.name for axis in axes])
    meta |= {
        "name": image.name,
        "scale": tuple(axis.scale if is_valid_scale(axis.scale) else 1.0 for axis in axes),
        "translate": tuple(axis.translation for axis in axes),
        "metadata": dict(image.metadata),
    }

    if image.channels and "c" in image.axis_names:
        meta["metadata"][_CHANNELS] = describe_channels(image.channels)
        meta["metadata"][_DISPLAYS] = displays_of_channels(image)
        limits = joint_limits(image.channels)
        meta |= {"contrast_limits": limits} if limits and image.kind == "image" else {}

    if any(axis.unit for axis in axes):
        meta["units"] = tuple(pint_name(axis.unit) or to_pint(axis.unit) for axis in axes)
    if any(labels):
        meta["axis_labels"] = tuple(label or str(i - len(axes)) for i, label in enumerate(labels))

    if image.kind == "image":
        meta["rgb"] = image.is_rgb
    if len(image.levels) > 1:
        return list(map(put_off_slices, image.levels)), {**meta, "multiscale": True}, image.kind
    return image.array, meta, image.kind


def _with_order(image: Image, index: int) -> Image:
    """Return an image with the index of its layer recorded."""
    return replace(image, display={**image.display, LAYER_ORDER: index})
