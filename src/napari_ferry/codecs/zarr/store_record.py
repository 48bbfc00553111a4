"""Merging of our record in a store with later changes of its metadata by other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_ferry.arrays.axis_view import view_axes
from napari_ferry.codecs.zarr.label_colors import read_label_colors
from napari_ferry.codecs.zarr.node import Node, own_multiscales
from napari_ferry.codecs.zarr.ome_axes import axes_of
from napari_ferry.codecs.zarr.ome_documents import (
    describe_labels,
    describe_rendering,
    storable_axis,
    store_name,
    store_order,
)
from napari_ferry.codecs.zarr.omero import read_rendering
from napari_ferry.image import Axis, Channel, Image
from napari_ferry.image.channel_displays import channel_displays
from napari_ferry.image.record import (
    CHANNEL_DISPLAYS,
    KEY,
    Description,
    merge_value,
    parse_own_record,
)


def merge_record(header: Image, node: Node, multiscale: Mapping[str, Any]) -> Image:
    """Return an image merged with our record, if its group has a fitting one.

    Parameters
    ----------
    header : Image
        The image in the metadata of OME-NGFF.
    node : Node
        Its group.
    multiscale : mapping
        Its item of ``multiscales``.

    Warns
    -----
    FerryWarning
        The record is damaged.
    """
    if KEY not in node.attributes:
        return header
    record = parse_own_record(node.attributes[KEY], f"the attributes of {node.label}")
    order = None if record is None else _fitting_order(record, header, multiscale)
    if record is None or order is None:
        return header

    back = tuple(int(k) for k in np.argsort(order))
    has_rendering = "s" not in record.sizes and not own_multiscales(node)
    merged = replace(
        header,
        levels=tuple(view_axes(level, back) for level in header.levels),
        axes=tuple(
            _merge_axis(own, header.axes[k]) for own, k in zip(record.axes, back, strict=True)
        ),
        channels=record.channels,
        name=record.name if multiscale.get("name", "") == record.name else header.name,
        kind=record.kind,
        display=dict(record.display or {}),
        metadata={**_other_metadata(header), **(record.metadata or {})},
    )
    merged = replace(merged, name=merged.name or header.name)
    if record.kind == "labels":
        return _with_label_colors(merged, header, record)
    return _with_rendering(merged, node, record) if has_rendering else merged


def _fitting_order(
    record: Description, header: Image, multiscale: Mapping[str, Any]
) -> tuple[int, ...] | None:
    """Return the axes of a record in the order of the store, or ``None`` for another image."""
    names = tuple(axis.name for axis in record.axes)
    found = store_order(names)
    order = tuple(range(len(names))) if found is None else found
    stored = [names[k] if found is None else store_name(names[k]) for k in order]
    if tuple(record.shape[k] for k in order) != header.shape:
        return None
    # the header has short names for some, such as t for time
    written = [each.get("name") for each in axes_of(multiscale) if isinstance(each, Mapping)]
    return order if stored in (written, [*header.axis_names]) else None


def _merge_axis(own: Axis, header: Axis) -> Axis:
    """Return the axis of the record, or with the changed step of the header."""
    written = storable_axis(replace(own, name=store_name(own.name)))
    is_kept = replace(written, name=header.name) == header
    return own if is_kept else replace(header, name=own.name)


def _other_metadata(header: Image) -> dict[str, Any]:
    """Return the attributes of other programs, without the multiscale's own ones."""
    return {key: value for key, value in header.metadata.items() if key != "multiscales"}


def _with_label_colors(merged: Image, header: Image, record: Description) -> Image:
    """Return labels with the colors changed by another program."""
    written = read_label_colors(describe_labels(record.display, "", ""), "")
    if header.kind != "labels" or written == header.display:
        return merged
    own = {key: value for key, value in merged.display.items() if key != "colormap"}
    return replace(merged, display={**own, **header.display})


def _with_rendering(merged: Image, node: Node, record: Description) -> Image:
    """Return an image with the channels changed by another program."""
    count = merged.size("c") if "c" in merged.axis_names else 1
    # the range of the type follows the pixels, even if the record differs
    record = replace(record, dtype=merged.dtype.name)
    written = read_rendering(describe_rendering(record), count, "")
    header = read_rendering(node.ome.get("omero"), count, node.label)
    if written == header:
        return merged
    unknown = (Channel(),) * count
    pairs = zip(written.channels or unknown, header.channels or unknown, strict=True)
    if "c" in merged.axis_names:
        own = merged.channels or unknown
        channels = tuple(
            _merge_channel(*each) for each in zip(own, *zip(*pairs, strict=True), strict=True)
        )
        visible = [each.get("visible", True) for each in channel_displays(header.display, count)]
        return replace(merged, channels=channels, display=_with_visible(merged.display, visible))
    changed = _merge_channel(Channel(), *next(pairs))
    shown = header.display.get("visible", True)
    display = {**merged.display, **changed.to_display()}
    if display.get("visible", True) != shown:
        display["visible"] = shown
    return replace(merged, display=display)


def _merge_channel(own: Channel, written: Channel, header: Channel) -> Channel:
    return Channel(
        merge_value(own.name, written.name, header.name),
        merge_value(own.color, written.color, header.color),
        merge_value(own.contrast_limits, written.contrast_limits, header.contrast_limits),
    )


def _with_visible(display: Mapping[str, Any], visible: Sequence[bool]) -> dict[str, Any]:
    """Return a display with the visibility of each channel."""
    displays = channel_displays(display, len(visible))
    shown = [
        each if each.get("visible", True) == is_shown else {**each, "visible": is_shown}
        for each, is_shown in zip(displays, visible, strict=True)
    ]
    return {**display, CHANNEL_DISPLAYS: shown} if any(shown) else dict(display)
