"""Image <-> napari's layer data, and the commands that napari's readers and writers call.

napari hands over a layer as ``(data, meta, type)``. Everything that it says of a layer rides in
`Image`: what axes mean in `Image.axes`, how it is shown in `Image.display`, and the rest in
`Image.metadata`. Layers that are alike are the channels of one image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from napari_ferry.errors import InvalidImageError
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.image.image import Kind
from napari_ferry.image.record import KEY, describe_channels, is_sound_scale, parse_channels
from napari_ferry.layers.channels import (
    are_channels,
    channel_displays,
    joint_limits,
    merge,
    split_all,
)
from napari_ferry.layers.display import display_to_json, display_to_napari
from napari_ferry.units import from_pint, pint_name, to_pint

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]
"""What napari passes to writers and takes from readers: data, keyword arguments, layer type."""

_AXES = "tczyx"

_CHANNELS, _DISPLAYS = f"{KEY}:channels", f"{KEY}:displays"
"""Keys of a layer's metadata: the channels of an image that are one layer, and their displays."""

_SAME_AXIS = {"time": "t", "channel": "c"}


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
    groups: list[list[tuple[int, Image]]] = []
    for place, layer in enumerate(layers):
        image = from_layer(*layer)
        alike = next((group for group in groups if are_channels(group[0][1], image)), None)
        if alike is None:
            groups.append([(place, image)])
        else:
            alike.append((place, image))
    is_moved = [place for group in groups for place, _ in group] != list(range(len(layers)))
    images = [
        [_placed(image, place) if is_moved else image for place, image in group] for group in groups
    ]
    return [merge(group) if len(group) > 1 else group[0] for group in images]


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
    return [_to_layer(single) for single in split_all(images)]


def from_layer(data: Any, meta: Mapping[str, Any], kind: str) -> Image:
    """Make one image of the data of one layer.

    Raises
    ------
    InvalidImageError
        The layer is neither Image nor Labels.
    """
    if kind not in ("image", "labels"):
        raise InvalidImageError(
            f"{meta.get('name', 'The layer')} is a {kind} layer; only Image and Labels layers are "
            "saved: select those."
        )
    of_kind: Kind = "labels" if kind == "labels" else "image"
    levels = tuple(data) if meta.get("multiscale") else (data,)
    is_rgb = bool(meta.get("rgb"))
    ndim = levels[0].ndim - is_rgb
    names, labels = _axis_names(meta.get("axis_labels"), ndim)
    axes = tuple(
        Axis(name, float(scale), from_pint(unit) or pint_name(str(unit)), float(translate))
        for name, scale, unit, translate in zip(
            names,
            meta.get("scale", (1.0,) * ndim),
            meta.get("units") or (None,) * ndim,
            meta.get("translate", (0.0,) * ndim),
            strict=True,
        )
    )
    display = display_to_json(meta, of_kind) | {"axis_labels": labels, "channel_axis": "slider"}
    if labels == list(names):
        del display["axis_labels"]
    channels: tuple[Channel, ...] = ()
    metadata = dict(meta.get("metadata", {}))
    record, shown = metadata.pop(_CHANNELS, None), metadata.pop(_DISPLAYS, ())
    if "c" in names:
        channels = parse_channels(record, int(levels[0].shape[names.index("c")]))
        limits = display.get("contrast_limits")
        is_sound = isinstance(shown, list) and all(isinstance(each, Mapping) for each in shown)
        shown = [dict(each) for each in shown] if is_sound else []
        if channels and limits and tuple(limits) != joint_limits(channels):
            channels = tuple(replace(each, contrast_limits=tuple(limits)) for each in channels)
            shown = [{**each, "contrast_limits": limits} for each in shown]
        display |= {"channels": shown} if channels and any(shown) else {}
    else:
        del display["channel_axis"]
    return Image(
        levels,
        (*axes, Axis("s")) if is_rgb else axes,
        channels,
        str(meta.get("name", "")),
        of_kind,
        display,
        metadata,
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


def _to_layer(image: Image) -> LayerData:
    """Make one layer of an image without channels."""
    axes = image.axes[:-1] if image.is_rgb else image.axes
    meta = display_to_napari(image.display, image.kind, len(axes), image.name)
    labels = meta.pop("axis_labels", [axis.name for axis in axes])
    meta |= {
        "name": image.name,
        "scale": tuple(axis.scale if is_sound_scale(axis.scale) else 1.0 for axis in axes),
        "translate": tuple(axis.translation for axis in axes),
        "metadata": dict(image.metadata),
    }
    if image.channels and "c" in image.axis_names:
        meta["metadata"][_CHANNELS] = describe_channels(image.channels)
        meta["metadata"][_DISPLAYS] = channel_displays(image)
        limits = joint_limits(image.channels)
        meta |= {"contrast_limits": limits} if limits and image.kind == "image" else {}
    if any(axis.unit for axis in axes):
        meta["units"] = tuple(pint_name(axis.unit) or to_pint(axis.unit) for axis in axes)
    if any(labels):
        meta["axis_labels"] = tuple(label or str(i - len(axes)) for i, label in enumerate(labels))
    if image.kind == "image":
        meta["rgb"] = image.is_rgb
    if len(image.levels) > 1:
        return list(image.levels), {**meta, "multiscale": True}, image.kind
    return image.array, meta, image.kind


def _placed(image: Image, place: int) -> Image:
    """Return an image that remembers which of the layers it was."""
    return replace(image, display={**image.display, "order": place})
